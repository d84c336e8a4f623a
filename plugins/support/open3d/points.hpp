#pragma once

// Points of surfaces as vectors.

#include <osteon/geometry.hpp>
#include <osteon/mesh.hpp>

#include <vector>

namespace osteon::open3d_support {

inline std::vector<Vec3> vertices_of(const Mesh& mesh) {
  std::vector<Vec3> points;
  points.reserve(static_cast<std::size_t>(mesh.vertices.size(0)));
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) points.push_back({p[3 * i], p[3 * i + 1], p[3 * i + 2]});
  return points;
}

inline std::vector<Vec3> mapped(std::vector<Vec3> points, const Affine& map) {
  for (Vec3& p : points) p = map * p;
  return points;
}

}  // namespace osteon::open3d_support
