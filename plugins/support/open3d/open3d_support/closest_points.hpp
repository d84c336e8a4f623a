#pragma once

// Closest points of a triangle surface through Open3D's RaycastingScene (Zhou, Park & Koltun, "Open3D: a modern library
// for 3D data processing", 2018), whose tree says which triangle is closest. The point and its distance are then worked
// out in float64 (Ericson, "Real-Time Collision Detection", 2005, section 5.1.5).

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
  struct Scene;

  Mesh mesh_;
  std::unique_ptr<Scene> scene_;
};

}  // namespace osteon::open3d_support
