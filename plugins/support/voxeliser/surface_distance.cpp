#include "surface_distance.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <limits>

namespace osteon::voxeliser {

namespace {

using Point = std::array<float, 3>;

Point operator-(const Point& a, const Point& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
float dot(const Point& a, const Point& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Point along(const Point& a, const Point& d, float t) { return {a[0] + d[0] * t, a[1] + d[1] * t, a[2] + d[2] * t}; }
float squared(const Point& a) { return dot(a, a); }

/// Squared distance from a point to a triangle, by the region of the triangle's plane that the point projects to.
float squared_distance(const Point& p, const Point& a, const Point& b, const Point& c) {
  const Point ab = b - a, ac = c - a, ap = p - a;
  const float d1 = dot(ab, ap), d2 = dot(ac, ap);
  if (d1 <= 0 && d2 <= 0) return squared(ap);
  const Point bp = p - b;
  const float d3 = dot(ab, bp), d4 = dot(ac, bp);
  if (d3 >= 0 && d4 <= d3) return squared(bp);
  const float vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return squared(p - along(a, ab, d1 / (d1 - d3)));
  const Point cp = p - c;
  const float d5 = dot(ab, cp), d6 = dot(ac, cp);
  if (d6 >= 0 && d5 <= d6) return squared(cp);
  const float vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return squared(p - along(a, ac, d2 / (d2 - d6)));
  const float va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const float t = (d4 - d3) / ((d4 - d3) + (d5 - d6));
    return squared(p - along(b, c - b, t));
  }
  const float scale = 1 / (va + vb + vc);
  return squared(p - along(along(a, ab, vb * scale), ac, vc * scale));
}

float squared_distance(const Point& p, const Point& low, const Point& high) {
  float sum = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const float out = std::max({low[axis] - p[axis], 0.0F, p[axis] - high[axis]});
    sum += out * out;
  }
  return sum;
}

constexpr std::int32_t kLeaf = 4;

}  // namespace

SurfaceDistance::SurfaceDistance(const Mesh& mesh) {
  const auto* p = mesh.vertices.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto vertex = [&](std::int32_t i) { return Point{p[3 * i], p[3 * i + 1], p[3 * i + 2]}; };
  triangles_.reserve(static_cast<std::size_t>(mesh.triangles.size(0)));
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t)
    triangles_.push_back({vertex(corner[3 * t]), vertex(corner[3 * t + 1]), vertex(corner[3 * t + 2])});
  nodes_.reserve(triangles_.size());
  nodes_.emplace_back();
  build(0, 0, static_cast<std::int32_t>(triangles_.size()));
}

void SurfaceDistance::build(std::int32_t node, std::int32_t first, std::int32_t last) {
  constexpr float kFar = std::numeric_limits<float>::max();
  Point low{kFar, kFar, kFar}, high{-kFar, -kFar, -kFar}, low_centre = low, high_centre = high;
  const auto centre = [](const Triangle& t, std::size_t axis) { return t.a[axis] + t.b[axis] + t.c[axis]; };
  for (std::int32_t i = first; i < last; ++i) {
    const Triangle& t = triangles_[static_cast<std::size_t>(i)];
    for (std::size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min({low[axis], t.a[axis], t.b[axis], t.c[axis]});
      high[axis] = std::max({high[axis], t.a[axis], t.b[axis], t.c[axis]});
      low_centre[axis] = std::min(low_centre[axis], centre(t, axis));
      high_centre[axis] = std::max(high_centre[axis], centre(t, axis));
    }
  }
  Node made{low, high, first, last - first};
  if (last - first > kLeaf) {
    const Point extent = high_centre - low_centre;
    const auto axis = static_cast<std::size_t>(std::max_element(extent.begin(), extent.end()) - extent.begin());
    const std::int32_t middle = (first + last) / 2;
    std::nth_element(triangles_.begin() + first, triangles_.begin() + middle, triangles_.begin() + last,
                     [&](const Triangle& s, const Triangle& t) { return centre(s, axis) < centre(t, axis); });
    const auto child = static_cast<std::int32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    made.first = child;
    made.count = 0;
    build(child, first, middle);
    build(child + 1, middle, last);
  }
  nodes_[static_cast<std::size_t>(node)] = made;
}

float SurfaceDistance::distance(Vec3 point, float limit) const {
  const Point p{static_cast<float>(point.x), static_cast<float>(point.y), static_cast<float>(point.z)};
  float best = limit * limit;
  struct Entry {
    std::int32_t node;
    float distance;
  };
  std::array<Entry, 64> stack;
  std::size_t top = 0;
  stack[top++] = {0, squared_distance(p, nodes_[0].low, nodes_[0].high)};
  while (top > 0) {
    const Entry entry = stack[--top];
    if (entry.distance >= best) continue;
    const Node& node = nodes_[static_cast<std::size_t>(entry.node)];
    if (node.count > 0) {
      for (std::int32_t i = node.first; i < node.first + node.count; ++i) {
        const Triangle& t = triangles_[static_cast<std::size_t>(i)];
        best = std::min(best, squared_distance(p, t.a, t.b, t.c));
      }
      continue;
    }
    const Node &left = nodes_[static_cast<std::size_t>(node.first)],
               &right = nodes_[static_cast<std::size_t>(node.first + 1)];
    Entry near{node.first, squared_distance(p, left.low, left.high)};
    Entry far{node.first + 1, squared_distance(p, right.low, right.high)};
    if (far.distance < near.distance) std::swap(near, far);
    if (far.distance < best) stack[top++] = far;
    if (near.distance < best) stack[top++] = near;
  }
  return std::sqrt(best);
}

void SurfaceDistance::cross(const Triangle& t, Vec3 start, Vec3 u, Vec3 v, Vec3 w,
                            std::vector<double>& crossings) const {
  // In the plane across the row, the row is the origin. Each edge is judged from its lower to its higher end, so that
  // both triangles that share it judge alike and a row through an edge or a corner crosses exactly one of them.
  const std::array<const Point*, 3> corner = {&t.a, &t.b, &t.c};
  std::array<std::array<double, 3>, 3> q{};
  for (std::size_t k = 0; k < 3; ++k) {
    const Vec3 d = Vec3{(*corner[k])[0], (*corner[k])[1], (*corner[k])[2]} - start;
    q[k] = {osteon::dot(d, u), osteon::dot(d, v), osteon::dot(d, w)};
  }
  bool inside = false;
  for (std::size_t k = 0; k < 3; ++k) {
    const auto* low = &q[k];
    const auto* high = &q[(k + 1) % 3];
    if (((*low)[1] > 0) == ((*high)[1] > 0)) continue;
    if ((*low)[1] > (*high)[1]) std::swap(low, high);
    const double at = (*low)[0] * (*high)[1] - (*high)[0] * (*low)[1];
    inside ^= at > 0;
  }
  if (!inside) return;
  const double ax = q[1][0] - q[0][0], ay = q[1][1] - q[0][1], bx = q[2][0] - q[0][0], by = q[2][1] - q[0][1];
  const double area = ax * by - ay * bx;
  if (area == 0) return;
  const double s = (-q[0][0] * by + q[0][1] * bx) / area, r = (-ax * q[0][1] + ay * q[0][0]) / area;
  crossings.push_back(q[0][2] + s * (q[1][2] - q[0][2]) + r * (q[2][2] - q[0][2]));
}

void SurfaceDistance::along_row(Vec3 start, Vec3 step, float depth, float reach, std::span<float> row) const {
  const double spacing = norm(step);
  const Vec3 w = step * (1 / spacing);
  const Vec3 u = normalised(osteon::cross(w, std::abs(w.x) < 0.7 ? Vec3{1, 0, 0} : Vec3{0, 1, 0}));
  const Vec3 v = osteon::cross(w, u);

  const auto misses = [&](const Node& node, Vec3 d, double margin) {
    const Vec3 low{node.low[0], node.low[1], node.low[2]}, high{node.high[0], node.high[1], node.high[2]};
    const Vec3 half = (high - low) * 0.5;
    const double width = std::abs(d.x) * half.x + std::abs(d.y) * half.y + std::abs(d.z) * half.z;
    return std::abs(osteon::dot((low + high) * 0.5 - start, d)) > width + margin;
  };
  if (misses(nodes_[0], u, reach) || misses(nodes_[0], v, reach)) {
    std::fill(row.begin(), row.end(), reach + 1e-3F);
    return;
  }

  // Nodes that the row's line passes through.
  std::vector<double> crossings;
  std::array<std::int32_t, 64> stack;
  std::size_t top = 0;
  stack[top++] = 0;
  while (top > 0) {
    const Node& node = nodes_[static_cast<std::size_t>(stack[--top])];
    if (misses(node, u, 1e-4) || misses(node, v, 1e-4)) continue;
    if (node.count == 0) {
      stack[top++] = node.first;
      stack[top++] = node.first + 1;
      continue;
    }
    for (std::int32_t i = node.first; i < node.first + node.count; ++i)
      cross(triangles_[static_cast<std::size_t>(i)], start, u, v, w, crossings);
  }
  std::sort(crossings.begin(), crossings.end());

  const auto count = static_cast<std::int64_t>(row.size());
  const float ahead = static_cast<float>(6 * spacing);
  std::size_t passed = 0;
  for (std::int64_t i = 0; i < count;) {
    const auto update = [&](std::int64_t n) {
      while (passed < crossings.size() && crossings[passed] < static_cast<double>(n) * spacing) ++passed;
      return passed % 2 == 1;
    };
    const bool inside = update(i);
    const float enough = inside ? depth : reach;
    const float d = distance(start + step * static_cast<double>(i), enough + ahead);
    row[static_cast<std::size_t>(i)] = inside ? -d : d;
    // Every point nearer than d - enough is beyond what is asked for, on the same side.
    const auto skip = static_cast<std::int64_t>((d - enough) / spacing);
    for (std::int64_t n = 1; n <= skip && i + n < count; ++n)
      row[static_cast<std::size_t>(i + n)] = inside ? -enough - 1e-3F : enough + 1e-3F;
    i += std::max<std::int64_t>(1, skip + 1);
  }
}

}  // namespace osteon::voxeliser
