#pragma once

// A tree of boxes around triangles (a bounding volume hierarchy of four boxes a node; Wald, Benthin & Boulos, "Getting
// rid of packets", 2008) that finds the closest triangle to a point. Float32 decides, four at a time and with a margin
// for its rounding, which triangles are worth a look; the answer is worked out in float64.

#include "open3d_support/closest_points.hpp"

#include <array>
#include <vector>

namespace osteon::open3d_support {

class TriangleTree {
 public:
  /// `mesh` must be sound (`Mesh::check`).
  explicit TriangleTree(const Mesh& mesh);

  /// The closest point of all triangles; of triangles equally close the one of the smallest index. `guess` is a
  /// triangle that may be close, which saves time and changes nothing.
  [[nodiscard]] ClosestPoint nearest(Vec3 query, std::int32_t guess) const;

 private:
  using Four [[gnu::vector_size(16)]] = float;
  using FourPoints = std::array<Four, 3>;  ///< x, y and z of four points, from `centre_`

  /// Four boxes, each around another node, or a leaf where `child` is negative (its complement). One that is missing is
  /// infinitely far away.
  struct Node {
    FourPoints low, high;
    std::array<std::int32_t, 4> child;
  };
  /// Four triangles a, a + ab, a + ac; where there are fewer, one stands more than once.
  struct Leaf {
    FourPoints a, ab, ac, normal;
    Four ab_ab, ab_ac, ac_ac;
    Four per_ab, per_ac, per_bc, per_normal;  ///< 1 / length², or 0
    std::array<std::int32_t, 4> triangle;
  };
  class Builder;
  class Search;

  [[nodiscard]] std::array<Vec3, 3> corners_of(std::int32_t triangle) const;
  static Four dot(const FourPoints& a, const FourPoints& b);
  static Four squared_distances(const Node& node, const FourPoints& query);
  static Four squared_distances(const Leaf& leaf, const FourPoints& query);

  Mesh mesh_;  ///< keeps what the next two point at
  const float* vertex_;
  const std::int32_t* corner_;
  Vec3 centre_;
  double extent_ = 0;  ///< mm, of the farthest corner from `centre_`, and more
  std::vector<Node> nodes_;
  std::vector<Leaf> leaves_;
};

}  // namespace osteon::open3d_support
