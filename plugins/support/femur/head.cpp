#include "femur/head.hpp"

#include <osteon/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace osteon::femur {

namespace {

constexpr double kTolerance = 0.04;               // of the radius: 1 mm of a human femur's
constexpr double kLeast = 0.03, kLargest = 0.09;  // of the length
constexpr double kCovered = 1.0 / 3;
constexpr std::size_t kFewest = 30;

/// |p|² = 2 c·p + (r² - |c|²) in least squares weighted with area, about the points' own centre; nothing for points of
/// one plane.
std::optional<Sphere> through(std::span<const SurfacePoint> points) {
  Vec3 mean;
  double area = 0, scale = 0;
  for (const SurfacePoint& p : points) mean = mean + p.at * p.area, area += p.area;
  mean = mean * (1 / area);
  std::array<std::array<double, 5>, 4> m{};
  for (const SurfacePoint& p : points) {
    const Vec3 q = p.at - mean;
    const std::array<double, 5> row = {2 * q.x, 2 * q.y, 2 * q.z, 1, dot(q, q)};
    scale += p.area * dot(q, q);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 5; ++j) m[i][j] += p.area * row[i] * row[j];
  }
  for (std::size_t i = 0; i < 4; ++i) {  // Gauss–Jordan with pivots
    std::size_t pivot = i;
    for (std::size_t k = i + 1; k < 4; ++k)
      if (std::abs(m[k][i]) > std::abs(m[pivot][i])) pivot = k;
    std::swap(m[i], m[pivot]);
    if (!(std::abs(m[i][i]) > 1e-6 * (i < 3 ? scale : area))) return std::nullopt;
    for (std::size_t k = 0; k < 4; ++k) {
      if (k == i) continue;
      const double factor = m[k][i] / m[i][i];
      for (std::size_t j = i; j < 5; ++j) m[k][j] -= factor * m[i][j];
    }
  }
  const Vec3 c{m[0][4] / m[0][0], m[1][4] / m[1][1], m[2][4] / m[2][2]};
  const double square = m[3][4] / m[3][3] + dot(c, c);
  if (!(square > 0)) return std::nullopt;
  return Sphere{mean + c, std::sqrt(square)};
}

std::vector<SurfacePoint> fitting(std::span<const SurfacePoint> points, const Sphere& sphere) {
  std::vector<SurfacePoint> result;
  std::ranges::copy_if(points, std::back_inserter(result), [&](const SurfacePoint& p) {
    return std::abs(norm(p.at - sphere.centre) - sphere.radius) < kTolerance * sphere.radius;
  });
  return result;
}

double area_of(std::span<const SurfacePoint> points) {
  double area = 0;
  for (const SurfacePoint& p : points) area += p.area;
  return area;
}

/// So many points, each with a chance as large as its area.
std::vector<Vec3> evenly(std::span<const SurfacePoint> points, std::size_t count) {
  std::vector<Vec3> result;
  const double step = area_of(points) / static_cast<double>(count);
  double before = 0;
  for (const SurfacePoint& p : points) {
    before += p.area;
    while (static_cast<double>(result.size()) * step + step / 2 < before) result.push_back(p.at);
  }
  return result;
}

/// The sphere through four of the points that most of them fit.
std::optional<Sphere> guessed(std::span<const SurfacePoint> points, double length) {
  constexpr int kTrials = 400;
  constexpr std::size_t kPoints = 1500;
  const std::vector<Vec3> drawn = evenly(points, kPoints);
  Random random(1, "femoral head");
  std::optional<Sphere> best;
  std::ptrdiff_t most = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::array<SurfacePoint, 4> sample;
    for (SurfacePoint& p : sample) p = {drawn[random.below(drawn.size())], 1};
    const auto sphere = through(sample);
    if (!sphere || sphere->radius < kLeast * length || sphere->radius > kLargest * length) continue;
    const std::ptrdiff_t count = std::ranges::count_if(drawn, [&](Vec3 p) {
      return std::abs(norm(p - sphere->centre) - sphere->radius) < kTolerance * sphere->radius;
    });
    if (count > most) best = sphere, most = count;
  }
  return best;
}

/// A point of the shaft's line and the part of a vector across it.
struct ShaftLine {
  Vec3 point, direction;

  [[nodiscard]] Vec3 offset(Vec3 p) const { return (p - point) - direction * dot(p - point, direction); }
};

ShaftLine shaft_line(std::span<const SurfacePoint> bone, Vec3 proximal, const Reach& along) {
  Vec3 sum;
  double area = 0;
  for (const SurfacePoint& p : bone)
    if (const double depth = along.depth(dot(p.at, proximal)); depth > 0.35 && depth < 0.65)
      sum = sum + p.at * p.area, area += p.area;
  return {area > 0 ? sum * (1 / area) : Vec3{}, proximal};
}

}  // namespace

std::optional<Sphere> find_head(std::span<const SurfacePoint> bone) {
  const Vec3 proximal = long_axis(bone, {0, 0, 1});
  const Reach along = reach(bone, proximal);
  const ShaftLine shaft = shaft_line(bone, proximal, along);
  std::vector<SurfacePoint> points;
  for (const SurfacePoint& p : bone)
    if (along.depth(dot(p.at, proximal)) < 0.2 && shaft.offset(p.at).x > 0) points.push_back(p);
  if (points.size() < kFewest) return std::nullopt;
  std::optional<Sphere> head = guessed(points, along.length());
  for (int round = 0; head && round < 20; ++round) {
    const std::vector<SurfacePoint> inside = fitting(points, *head);
    const double whole = 4 * std::numbers::pi * head->radius * head->radius;
    if (inside.size() < kFewest || area_of(inside) < kCovered * whole) return std::nullopt;
    head = through(inside);
  }
  if (!head || shaft.offset(head->centre).x < head->radius / 2) return std::nullopt;
  return head;
}

}  // namespace osteon::femur
