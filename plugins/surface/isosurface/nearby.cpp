// Triangles in a grid of cells; each stands in the cells that its box reaches into.
//
// The distance from one triangle is convex. So where the three corners of another lie within a bound of it, the whole
// other triangle does. One that does not lie near a single triangle is cut into four, each of which must.

#include "nearby.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::isosurface {

double squared_distance(Vec3 point, const std::array<Vec3, 3>& triangle) {
  // Ericson, Real-Time Collision Detection (2005), 5.1.5: by the Voronoi regions of corners, edges and face.
  const auto& [a, b, c] = triangle;
  const auto to = [&](Vec3 p) { return dot(point - p, point - p); };
  const Vec3 ab = b - a, ac = c - a, ap = point - a, bp = point - b, cp = point - c;
  const double d1 = dot(ab, ap), d2 = dot(ac, ap);
  if (d1 <= 0 && d2 <= 0) return to(a);
  const double d3 = dot(ab, bp), d4 = dot(ac, bp);
  if (d3 >= 0 && d4 <= d3) return to(b);
  const double vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return to(a + ab * (d1 / (d1 - d3)));
  const double d5 = dot(ab, cp), d6 = dot(ac, cp);
  if (d6 >= 0 && d5 <= d6) return to(c);
  const double vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return to(a + ac * (d2 / (d2 - d6)));
  const double va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 >= d3 && d5 >= d6) return to(b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6))));
  return to(a + ab * (vb / (va + vb + vc)) + ac * (vc / (va + vb + vc)));
}

std::array<Vec3, 3> corners_of(const Triangulation& surface, std::size_t triangle) {
  std::array<Vec3, 3> corner;
  for (std::size_t c = 0; c < 3; ++c)
    corner[c] = surface.vertices[static_cast<std::size_t>(surface.triangles[triangle][c])];
  return corner;
}

Nearby::Nearby(const Triangulation& surface) : surface_(surface), low_(surface.vertices.front()) {
  Vec3 high = low_;
  for (const Vec3& v : surface.vertices)
    for (int d = 0; d < 3; ++d) low_[d] = std::min(low_[d], v[d]), high[d] = std::max(high[d], v[d]);
  const Vec3 extent = high - low_;
  const double box = (extent.x + 1) * (extent.y + 1) * (extent.z + 1);
  width_ = std::cbrt(box / (8 * static_cast<double>(surface.triangles.size()) + 1000));
  for (int d = 0; d < 3; ++d) size_[static_cast<std::size_t>(d)] = static_cast<std::int64_t>(extent[d] / width_) + 1;
  first_.assign(static_cast<std::size_t>(size_[0] * size_[1] * size_[2]) + 1, 0);
  const auto for_each_cell_of = [&](std::size_t t, auto act) {
    const auto [a, b, c] = corners_of(surface, t);
    for_each_cell({std::min({a.x, b.x, c.x}), std::min({a.y, b.y, c.y}), std::min({a.z, b.z, c.z})},
                  {std::max({a.x, b.x, c.x}), std::max({a.y, b.y, c.y}), std::max({a.z, b.z, c.z})}, act);
  };
  for (std::size_t t = 0; t < surface.triangles.size(); ++t)
    for_each_cell_of(t, [&](std::size_t c) { ++first_[c + 1]; });
  for (std::size_t c = 1; c < first_.size(); ++c) first_[c] += first_[c - 1];
  in_cell_.resize(first_.back());
  std::vector<std::size_t> next = first_;
  for (std::size_t t = 0; t < surface.triangles.size(); ++t)
    for_each_cell_of(t, [&](std::size_t c) { in_cell_[next[c]++] = t; });
}

bool Nearby::allows(Vec3 point, const std::vector<double>& bounds, double largest) const {
  return any(point, largest, [&](std::size_t t) {
    double bound = largest;
    for (const auto v : surface_.triangles[t]) bound = std::min(bound, bounds[static_cast<std::size_t>(v)]);
    return squared_distance(point, corners_of(surface_, t)) <= bound * bound;
  });
}

std::vector<Vec3> Nearby::beyond(const Triangulation& other, double bound) const {
  std::vector<Vec3> found;
  for (std::size_t t = 0; t < other.triangles.size(); ++t) note_beyond(corners_of(other, t), bound, found);
  return found;
}

void Nearby::note_beyond(const Corners& triangle, double bound, std::vector<Vec3>& found) const {
  const Vec3 a = triangle[0], b = triangle[1], c = triangle[2];
  const Vec3 middle = (a + b + c) * (1.0 / 3);
  bool near = false;  // the middle, to any triangle
  const bool all = any(middle, bound, [&](std::size_t t) {
    const Corners one = corners_of(surface_, t);
    const auto close = [&](Vec3 p) { return squared_distance(p, one) <= bound * bound; };
    near = near || close(middle);
    return close(a) && close(b) && close(c);
  });
  if (all) return;
  const double longest = std::max({norm(b - a), norm(c - b), norm(a - c)});
  if (!near || longest < bound / 8) {
    found.push_back(middle);
    return;
  }
  const Vec3 ab = (a + b) * 0.5, bc = (b + c) * 0.5, ca = (c + a) * 0.5;
  for (const Corners& quarter : {Corners{a, ab, ca}, Corners{ab, b, bc}, Corners{ca, bc, c}, Corners{ab, bc, ca}})
    note_beyond(quarter, bound, found);
}

std::vector<std::size_t> Nearby::around(Vec3 point, double bound) const {
  std::vector<std::size_t> found;
  const Vec3 reach{bound, bound, bound};
  for_each_cell(point - reach, point + reach, [&](std::size_t cell) {
    for (std::size_t n = first_[cell]; n < first_[cell + 1]; ++n) found.push_back(in_cell_[n]);
  });
  return found;
}

template <class Accepts>
bool Nearby::any(Vec3 point, double bound, Accepts accepts) const {
  const auto in = [&](const Cell& cell) {
    for (std::size_t n = first_[place(cell)]; n < first_[place(cell) + 1]; ++n)
      if (accepts(in_cell_[n])) return true;
    return false;
  };
  const Cell own = cell_of(point);
  if (in(own)) return true;
  const Vec3 reach{bound, bound, bound};
  const Cell low = cell_of(point - reach), high = cell_of(point + reach);
  for (std::int64_t k = low[2]; k <= high[2]; ++k)
    for (std::int64_t j = low[1]; j <= high[1]; ++j)
      for (std::int64_t i = low[0]; i <= high[0]; ++i)
        if (Cell{i, j, k} != own && in({i, j, k})) return true;
  return false;
}

Nearby::Cell Nearby::cell_of(Vec3 point) const {
  Cell cell;
  for (std::size_t d = 0; d < 3; ++d) {
    const double along = (point[static_cast<int>(d)] - low_[static_cast<int>(d)]) / width_;
    cell[d] = static_cast<std::int64_t>(std::clamp(along, 0.0, static_cast<double>(size_[d] - 1)));
  }
  return cell;
}

std::size_t Nearby::place(const Cell& cell) const {
  return static_cast<std::size_t>((cell[2] * size_[1] + cell[1]) * size_[0] + cell[0]);
}

template <class Do>
void Nearby::for_each_cell(Vec3 low, Vec3 high, Do act) const {
  const Cell first = cell_of(low), last = cell_of(high);
  for (std::int64_t k = first[2]; k <= last[2]; ++k)
    for (std::int64_t j = first[1]; j <= last[1]; ++j)
      for (std::int64_t i = first[0]; i <= last[0]; ++i) act(place({i, j, k}));
}

}  // namespace osteon::isosurface
