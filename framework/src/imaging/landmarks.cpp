#include "imaging/landmarks.hpp"

#include <osteon/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace osteon::imaging {

namespace {

/// |p|² = 2 c·p + (r² - |c|²) in least squares, about the points' own centre; nothing for points of one plane.
std::optional<Sphere> through(std::span<const Vec3> points) {
  Vec3 mean;
  for (const Vec3& p : points) mean = mean + p * (1.0 / static_cast<double>(points.size()));
  std::array<std::array<double, 5>, 4> m{};
  double scale = 0;
  for (const Vec3& p : points) {
    const Vec3 q = p - mean;
    const std::array<double, 5> row = {2 * q.x, 2 * q.y, 2 * q.z, 1, dot(q, q)};
    scale += dot(q, q);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 5; ++j) m[i][j] += row[i] * row[j];
  }
  for (std::size_t i = 0; i < 4; ++i) {  // Gauss–Jordan with pivots
    std::size_t pivot = i;
    for (std::size_t k = i + 1; k < 4; ++k)
      if (std::abs(m[k][i]) > std::abs(m[pivot][i])) pivot = k;
    std::swap(m[i], m[pivot]);
    if (!(std::abs(m[i][i]) > 1e-6 * (i < 3 ? scale : 1))) return std::nullopt;
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

std::vector<Vec3> fitting(std::span<const Vec3> points, const Sphere& sphere, double tolerance) {
  std::vector<Vec3> result;
  for (const Vec3& p : points)
    if (std::abs(norm(p - sphere.centre) - sphere.radius) < tolerance * sphere.radius) result.push_back(p);
  return result;
}

/// Length of the mean direction from the centre: 0 for a whole sphere, 1/2 for a half one, 1 for a point of it.
double one_sidedness(std::span<const Vec3> points, const Sphere& sphere) {
  Vec3 sum;
  for (const Vec3& p : points) sum = sum + normalised(p - sphere.centre);
  return norm(sum) / static_cast<double>(points.size());
}

/// The middle of the points that reach furthest along `direction`, within `depth` of the furthest one.
Vec3 furthest(std::span<const Vec3> points, Vec3 direction, double depth) {
  double reach = -1e300;
  for (const Vec3& p : points) reach = std::max(reach, dot(p, direction));
  Vec3 sum;
  double count = 0;
  for (const Vec3& p : points)
    if (dot(p, direction) > reach - depth) sum = sum + p, ++count;
  return sum * (1 / count);
}

}  // namespace

std::optional<Sphere> fit_sphere(std::span<const Vec3> all, double least_radius, double largest_radius) {
  constexpr int kTrials = 300;
  constexpr std::size_t kFewest = 30, kMost = 2000;
  std::vector<Vec3> points;
  for (std::size_t i = 0, step = std::max<std::size_t>(1, all.size() / kMost); i < all.size(); i += step)
    points.push_back(all[i]);
  if (points.size() < kFewest) return std::nullopt;
  const auto allowed = [&](const std::optional<Sphere>& s) {
    return s && s->radius >= least_radius && s->radius <= largest_radius;
  };
  Random random(1, "sphere");
  std::optional<Sphere> best;
  std::size_t most = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::array<Vec3, 4> sample;
    for (Vec3& p : sample) p = points[random.below(points.size())];
    const auto sphere = through(sample);
    if (!allowed(sphere)) continue;
    const std::size_t count = fitting(points, *sphere, 0.04).size();
    if (count > most) best = sphere, most = count;
  }
  for (int round = 0; best && round < 8; ++round) {
    const auto inside = fitting(points, *best, 0.04);
    if (inside.size() < kFewest || one_sidedness(inside, *best) > 0.7) return std::nullopt;
    best = through(inside);
    if (!allowed(best)) return std::nullopt;
  }
  return best;
}

std::vector<Vec3> points_between(const Mesh& bone, Vec3 proximal, double from, double to) {
  const auto* p = bone.vertices.data_ptr<float>();
  const std::int64_t count = bone.vertices.size(0);
  double low = 1e300, high = -1e300;
  for (std::int64_t i = 0; i < count; ++i) {
    const double t = dot(proximal, {p[3 * i], p[3 * i + 1], p[3 * i + 2]});
    low = std::min(low, t);
    high = std::max(high, t);
  }
  std::vector<Vec3> result;
  for (std::int64_t i = 0; i < count; ++i) {
    const Vec3 v{p[3 * i], p[3 * i + 1], p[3 * i + 2]};
    const double depth = (high - dot(proximal, v)) / (high - low);
    if (depth >= from && depth <= to) result.push_back(v);
  }
  return result;
}

std::optional<Condyles> find_condyles(std::span<const Vec3> distal, Vec3 proximal, Vec3 medial, Vec3 posterior,
                                      double length) {
  const double depth = 0.004 * length;  // 1.7 mm of a human femur
  const double posterior_sign = dot(cross(medial, proximal), posterior) > 0 ? 1 : -1;
  Condyles result{};
  result.medial = medial;
  for (int round = 0; round < 6; ++round) {
    const Vec3 inwards = furthest(distal, result.medial, depth), outwards = furthest(distal, -result.medial, depth);
    result.centre = (inwards + outwards) * 0.5;
    const double middle = dot(result.centre, result.medial), gap = 0.1 * dot(inwards - outwards, result.medial);
    std::vector<Vec3> inner, outer;
    for (const Vec3& p : distal) {
      const double side = dot(p, result.medial) - middle;
      if (side > gap) inner.push_back(p);
      if (side < -gap) outer.push_back(p);
    }
    if (inner.size() < 10 || outer.size() < 10) return std::nullopt;
    const Vec3 back = cross(result.medial, proximal) * posterior_sign;
    result.medial_rest = furthest(inner, back, depth);
    result.lateral_rest = furthest(outer, back, depth);
    const Vec3 line = result.medial_rest - result.lateral_rest;
    result.medial = normalised(line - proximal * dot(line, proximal));
  }
  // The condyles of a femur rest on a table within 25° of the direction in which they are widest.
  if (dot(result.medial, medial) < 0.9) return std::nullopt;
  return result;
}

}  // namespace osteon::imaging
