#pragma once

// Signed distance from a closed surface to the voxels of a grid, exact near the surface and inside the bone, without
// looking at every triangle for every voxel: a bounding-volume hierarchy answers one point (Ericson, "Real-Time
// Collision Detection", 2005, closest point on a triangle), and along a row of voxels an answer of d mm lets the next d
// mm be skipped. Inside and outside come from counting crossings along the row.

#include <osteon/mesh.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::voxeliser {

class SurfaceDistance {
 public:
  /// `mesh` must be closed; it is copied.
  explicit SurfaceDistance(const Mesh& mesh);

  /// Distance (mm) from `point` to the surface, at most `limit`.
  [[nodiscard]] float distance(Vec3 point, float limit) const;

  /// Signed distances of `row.size()` points `start` + n·`step`, negative inside. Exact where -`depth` ≤ d ≤ `reach`;
  /// elsewhere only the sign and that it lies beyond are right.
  void along_row(Vec3 start, Vec3 step, float depth, float reach, std::span<float> row) const;

 private:
  struct Node {
    std::array<float, 3> low, high;
    std::int32_t first, count;  ///< of triangles; count 0: children are `first` and `first` + 1
  };
  using Point = std::array<float, 3>;
  struct Triangle {
    Point a, b, c;
  };

  void build(std::int32_t node, std::int32_t first, std::int32_t last);
  void cross(const Triangle& triangle, Vec3 start, Vec3 u, Vec3 v, Vec3 w, std::vector<double>& crossings) const;

  std::vector<Triangle> triangles_;
  std::vector<Node> nodes_;
};

}  // namespace osteon::voxeliser
