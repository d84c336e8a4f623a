#pragma once

// Points of the original surface, each with a triangle of the simplified one that is near it.

#include "marching_cubes.hpp"

#include <osteon/geometry.hpp>

namespace osteon::isosurface {

/// While a surface is simplified, every vertex and every middle of an edge of the original belongs to a triangle that
/// is left and lies within its bound of it (Klein, Liebich and Straßer, Visualization 1996). Triangles are the
/// original's, by number.
class Witnesses {
 public:
  /// `bounds` of the vertices, mm; the middle of an edge has the lesser of its ends'.
  Witnesses(const std::vector<Vec3>& vertices, const std::vector<std::array<std::int32_t, 3>>& triangles,
            const std::vector<double>& bounds);

  /// A triangle that a change would leave, with its new corners.
  struct Left {
    std::size_t triangle;
    std::array<Vec3, 3> corner;
  };
  /// Hands the points of the triangles `before` on to the nearest of those that would be left. False, and nothing is
  /// changed, when one of them would lie beyond its bound.
  bool handed_on(const std::vector<std::size_t>& before, const std::vector<Left>& left);

 private:
  struct Point {
    Vec3 place;
    double squared_bound;
  };
  std::vector<std::vector<Point>> points_;  ///< of each triangle
  std::vector<std::vector<Point>> next_;    ///< of each triangle that is left, while they are handed on
};

}  // namespace osteon::isosurface
