#pragma once

// Points of surfaces as matrices, for linear algebra.

#include <osteon/mesh.hpp>

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <vector>

namespace osteon::shape_model {

/// One point a row, mm.
using Points = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;

[[nodiscard]] inline Eigen::Vector3d to_eigen(Vec3 v) { return {v.x, v.y, v.z}; }
[[nodiscard]] inline Vec3 to_vec3(const Eigen::Vector3d& v) { return {v.x(), v.y(), v.z()}; }

[[nodiscard]] Points points_of(const Mesh& mesh);
/// The triangles of `mesh` with other vertices.
[[nodiscard]] Mesh with_points(const Mesh& mesh, const Points& points);
[[nodiscard]] std::vector<Vec3> as_vectors(const Points& points);

/// A triangle surface's connections, made once for all shapes that share them.
struct Connections {
  std::vector<std::array<std::int32_t, 3>> triangles;
  std::vector<std::vector<std::int32_t>> neighbours;  ///< of each vertex, in rising order

  explicit Connections(const Mesh& mesh);
};

/// Unit normals at the vertices, outwards: the sum of the adjoining triangles' normals by their areas.
[[nodiscard]] Points vertex_normals(const Points& points, const Connections& connections);

/// The rigid map that takes `from` to `to` with the least squares (Kabsch 1976; Umeyama 1991), row for row.
[[nodiscard]] Affine rigid_between(const Points& from, const Points& to);
[[nodiscard]] Points mapped(const Points& points, const Affine& map);

}  // namespace osteon::shape_model
