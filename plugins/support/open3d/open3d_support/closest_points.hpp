#pragma once

// Closest points of a triangle surface, exact in float64, through a tree of boxes. (Open3D's RaycastingScene takes more
// than twice as long: it accepts no first guess, and neighbouring queries have nearly the same answer.)

#include <osteon/mesh.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace osteon::open3d_support {

struct ClosestPoint {
  Vec3 point;                   ///< on the surface
  double squared_distance = 0;  ///< mm²
  std::int32_t triangle = -1;
};

class TriangleTree;

/// Built once for a surface, asked from any thread.
class ClosestPoints {
 public:
  /// Throws `Error` when the mesh is not sound (`Mesh::check`).
  explicit ClosestPoints(const Mesh& mesh);
  ~ClosestPoints();
  ClosestPoints(ClosestPoints&&) noexcept;
  ClosestPoints& operator=(ClosestPoints&&) noexcept;

  /// One answer a query, on the host's threads.
  [[nodiscard]] std::vector<ClosestPoint> find(std::span<const Vec3> queries) const;

  /// Unit normal of a triangle, outwards; zero for one without area.
  [[nodiscard]] Vec3 normal(std::int32_t triangle) const;

  [[nodiscard]] const Mesh& mesh() const { return mesh_; }

 private:
  Mesh mesh_;
  std::unique_ptr<TriangleTree> tree_;
};

}  // namespace osteon::open3d_support
