#pragma once

// A surface as points that each stand for a piece of its area, so that what is fitted to them does not depend on where
// the triangles are small.

#include <osteon/mesh.hpp>

#include <span>
#include <vector>

namespace osteon::femur {

struct SurfacePoint {
  Vec3 at;
  double area = 0;  ///< mm²: a third of the triangles around it
};

/// The vertices of a sound surface.
[[nodiscard]] std::vector<SurfacePoint> points_of(const Mesh& mesh);

/// The direction in which a surface is longest (principal axis of its area), unit, on the side of `guess`.
[[nodiscard]] Vec3 long_axis(std::span<const SurfacePoint> points, Vec3 guess);

/// How far the points reach along a direction, and shares of that from its far end.
struct Reach {
  double low = 0, high = 0;

  [[nodiscard]] double length() const { return high - low; }
  /// 0 at the end that the direction points to, 1 at the other.
  [[nodiscard]] double depth(double along) const { return (high - along) / length(); }
};

[[nodiscard]] Reach reach(std::span<const SurfacePoint> points, Vec3 direction);

}  // namespace osteon::femur
