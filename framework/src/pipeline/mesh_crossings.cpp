#include "pipeline/mesh_crossings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace osteon::pipeline {

namespace {

struct Triangle {
  std::array<std::int32_t, 3> vertex;
  std::array<Vec3, 3> corner;
  Vec3 low, high;
};

std::vector<Triangle> triangles_of(const Mesh& mesh) {
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto* vertex = mesh.vertices.data_ptr<float>();
  std::vector<Triangle> triangles(static_cast<std::size_t>(mesh.triangles.size(0)));
  for (Triangle& triangle : triangles) {
    for (std::size_t k = 0; k < 3; ++k) {
      const float* v = vertex + 3 * std::int64_t{*corner};
      triangle.vertex[k] = *corner++;
      triangle.corner[k] = {v[0], v[1], v[2]};
    }
    const auto& [a, b, c] = triangle.corner;
    for (int axis = 0; axis < 3; ++axis) {
      triangle.low[axis] = std::min({a[axis], b[axis], c[axis]});
      triangle.high[axis] = std::max({a[axis], b[axis], c[axis]});
    }
  }
  return triangles;
}

/// Where a segment passes through a triangle, if it does (Möller & Trumbore, "Fast, minimum storage ray–triangle
/// intersection", 1997).
std::optional<Vec3> passes(Vec3 from, Vec3 to, const std::array<Vec3, 3>& triangle) {
  const auto& [a, b, c] = triangle;
  const Vec3 along = to - from, ab = b - a, ac = c - a, p = cross(along, ac);
  const double determinant = dot(ab, p);
  if (determinant == 0) return std::nullopt;
  const Vec3 s = from - a, q = cross(s, ab);
  const double u = dot(s, p) / determinant, v = dot(along, q) / determinant, t = dot(ac, q) / determinant;
  if (u < 0 || v < 0 || u + v > 1 || t < 0 || t > 1) return std::nullopt;
  return from + along * t;
}

std::optional<Vec3> crossing(const Triangle& a, const Triangle& b) {
  for (const auto& [one, other] : {std::pair(&a, &b), {&b, &a}})
    for (std::size_t k = 0; k < 3; ++k)
      if (const auto place = passes(one->corner[k], one->corner[(k + 1) % 3], other->corner)) return place;
  return std::nullopt;
}

bool may_cross(const Triangle& a, const Triangle& b) {
  for (int axis = 0; axis < 3; ++axis)
    if (a.low[axis] > b.high[axis] || b.low[axis] > a.high[axis]) return false;
  for (const std::int32_t vertex : a.vertex)
    if (std::ranges::find(b.vertex, vertex) != b.vertex.end()) return false;  // neighbours meet without crossing
  return true;
}

}  // namespace

Crossings self_crossings(const Mesh& mesh) {
  std::vector<Triangle> triangles = triangles_of(mesh);
  const Vec3 size = bounding_box(mesh).high - bounding_box(mesh).low;
  const int axis = size.x >= size.y && size.x >= size.z ? 0 : size.y >= size.z ? 1 : 2;
  // Sweep along the longest side: of a long bone few triangles reach over the same stretch of it.
  std::ranges::sort(triangles, {}, [axis](const Triangle& one) { return one.low[axis]; });
  Crossings found;
  for (std::size_t i = 0; i < triangles.size(); ++i)
    for (std::size_t j = i + 1; j < triangles.size() && triangles[j].low[axis] <= triangles[i].high[axis]; ++j) {
      if (!may_cross(triangles[i], triangles[j])) continue;
      const auto place = crossing(triangles[i], triangles[j]);
      if (!place) continue;
      if (found.pairs++ == 0) found.place = *place;
    }
  return found;
}

}  // namespace osteon::pipeline
