#pragma once

// Whether points and surfaces lie within a bound of a surface.

#include "marching_cubes.hpp"

namespace osteon::isosurface {

/// Squared distance of a point from a triangle.
[[nodiscard]] double squared_distance(Vec3 point, const std::array<Vec3, 3>& triangle);

/// The corners of a triangle by its number.
[[nodiscard]] std::array<Vec3, 3> corners_of(const Triangulation& surface, std::size_t triangle);

/// Finds what is near on a surface, which must outlive it.
class Nearby {
 public:
  explicit Nearby(const Triangulation& surface);

  /// Whether a triangle is as near to the point as the bounds, mm, of all its corners allow; `largest` of all bounds.
  [[nodiscard]] bool allows(Vec3 point, const std::vector<double>& bounds, double largest) const;
  /// Where another surface does not lie within `bound` mm of this one. Triangles are halved until all of a part is
  /// near or a point of it is not, or it is smaller than an eighth of the bound: nothing is left out, and what is just
  /// within the bound may be in.
  [[nodiscard]] std::vector<Vec3> beyond(const Triangulation& other, double bound) const;
  /// Triangles of this surface about as near as `bound` mm to a point; some may come more than once.
  [[nodiscard]] std::vector<std::size_t> around(Vec3 point, double bound) const;

 private:
  using Cell = std::array<std::int64_t, 3>;
  using Corners = std::array<Vec3, 3>;

  void note_beyond(const Corners& triangle, double bound, std::vector<Vec3>& found) const;
  /// Whether `accepts` holds of a triangle's number, among all that may lie within `bound` of the point.
  template <class Accepts>
  bool any(Vec3 point, double bound, Accepts accepts) const;
  [[nodiscard]] Cell cell_of(Vec3 point) const;
  [[nodiscard]] std::size_t place(const Cell& cell) const;
  template <class Do>
  void for_each_cell(Vec3 low, Vec3 high, Do act) const;

  const Triangulation& surface_;
  Vec3 low_;
  double width_ = 1;
  Cell size_{};
  std::vector<std::size_t> first_, in_cell_;  ///< of cell c: in_cell_[first_[c]] … in_cell_[first_[c + 1] - 1]
};

}  // namespace osteon::isosurface
