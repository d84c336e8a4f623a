#include "femur/points.hpp"

#include <algorithm>
#include <limits>

namespace osteon::femur {

std::vector<SurfacePoint> points_of(const Mesh& mesh) {
  const auto* p = mesh.vertices.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  std::vector<SurfacePoint> points(static_cast<std::size_t>(mesh.vertices.size(0)));
  for (std::size_t i = 0; i < points.size(); ++i) points[i].at = {p[3 * i], p[3 * i + 1], p[3 * i + 2]};
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    SurfacePoint* corners[3];
    for (int k = 0; k < 3; ++k) corners[k] = &points[static_cast<std::size_t>(corner[3 * t + k])];
    const double area = norm(cross(corners[1]->at - corners[0]->at, corners[2]->at - corners[0]->at)) / 2;
    for (SurfacePoint* point : corners) point->area += area / 3;
  }
  return points;
}

Vec3 long_axis(std::span<const SurfacePoint> points, Vec3 guess) {
  constexpr int kSteps = 60;  // of the power method: a long bone's axes differ by a factor of 6 and more in a step
  double area = 0;
  Vec3 centre;
  for (const SurfacePoint& p : points) area += p.area, centre = centre + p.at * p.area;
  centre = centre * (1 / area);
  Mat3 spread{{{}, {}, {}}};
  for (const SurfacePoint& p : points) {
    const Vec3 d = p.at - centre;
    for (int i = 0; i < 3; ++i) spread.column[i] = spread.column[i] + d * (d[i] * p.area / area);
  }
  Vec3 axis = normalised(guess);
  for (int step = 0; step < kSteps; ++step) axis = normalised(spread * axis);
  return dot(axis, guess) < 0 ? -axis : axis;
}

Reach reach(std::span<const SurfacePoint> points, Vec3 direction) {
  Reach result{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const SurfacePoint& p : points) {
    const double along = dot(p.at, direction);
    result.low = std::min(result.low, along);
    result.high = std::max(result.high, along);
  }
  return result;
}

}  // namespace osteon::femur
