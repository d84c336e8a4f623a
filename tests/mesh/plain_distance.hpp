#pragma once

// Distances by a plain loop in float64 over all triangles: another method than the one that is tested.

#include <osteon/mesh.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace osteon::test {

/// Distance of a point to a triangle: the least over its three edges and, above its inside, its plane.
inline double plain_distance(Vec3 p, Vec3 a, Vec3 b, Vec3 c) {
  const auto to_segment = [&](Vec3 from, Vec3 to) {
    const Vec3 along = to - from;
    const double t = std::clamp(dot(p - from, along) / dot(along, along), 0.0, 1.0);
    return norm(p - (from + along * t));
  };
  const double best = std::min({to_segment(a, b), to_segment(b, c), to_segment(c, a)});
  const Vec3 n = normalised(cross(b - a, c - a));
  const Vec3 foot = p - n * dot(p - a, n);
  const bool inside =
      dot(cross(b - a, foot - a), n) >= 0 && dot(cross(c - b, foot - b), n) >= 0 && dot(cross(a - c, foot - c), n) >= 0;
  return inside ? std::min(best, std::abs(dot(p - a, n))) : best;
}

inline Vec3 vertex_of(const Mesh& mesh, std::int64_t i) {
  const float* p = mesh.vertices.data_ptr<float>() + 3 * i;
  return {p[0], p[1], p[2]};
}

/// From each vertex of `from` to the surface `to`, in order.
inline std::vector<double> plain_distances(const Mesh& from, const Mesh& to) {
  const auto* corner = to.triangles.data_ptr<std::int32_t>();
  std::vector<double> distances;
  for (std::int64_t v = 0; v < from.vertices.size(0); ++v) {
    double best = std::numeric_limits<double>::infinity();
    for (std::int64_t t = 0; t < to.triangles.size(0); ++t)
      best = std::min(best, plain_distance(vertex_of(from, v), vertex_of(to, corner[3 * t]),
                                           vertex_of(to, corner[3 * t + 1]), vertex_of(to, corner[3 * t + 2])));
    distances.push_back(best);
  }
  return distances;
}

}  // namespace osteon::test
