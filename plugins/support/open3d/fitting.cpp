// Symmetric iterative closest points as non-linear least squares (Fitzgibbon, "Robust registration of 2D and 3D point
// sets", BMVC 2001): a residual is the distance of a point to the other surface, its gradient the direction away from
// the closest point.

#include "fitting.hpp"

#include "points.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace osteon::open3d_support {

namespace {

constexpr int kRigid = 6, kSimilarity = 7, kAffine = 12;
using Normal = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kAffine, kAffine>;
using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kAffine, 1>;

int size_of(Motion motion) {
  return motion == Motion::rigid ? kRigid : motion == Motion::similarity ? kSimilarity : kAffine;
}

/// The sums of one linearisation: ½ Σ (r + J·step)².
struct Linearised {
  Normal normal;
  Vector gradient;
  double mean_square = 0;

  explicit Linearised(int size) : normal(Normal::Zero(size, size)), gradient(Vector::Zero(size)) {}

  /// `moved` is the place, after the map, of a point of the moving surface; it lies `away` from its partner.
  void add(Vec3 moved, Vec3 away, Vec3 normal_if_touching, double weight) {
    const double distance = norm(away);
    mean_square += weight * distance * distance;
    const Vec3 n = distance > 1e-9 ? away * (1 / distance) : normal_if_touching;
    Vector row(gradient.size());
    if (row.size() != kAffine) {
      const Vec3 turning = cross(moved, n);
      row.head<kRigid>() << turning.x, turning.y, turning.z, n.x, n.y, n.z;
      if (row.size() == kSimilarity) row[kRigid] = dot(moved, n);
    } else {
      row << n.x * moved.x, n.x * moved.y, n.x * moved.z, n.y * moved.x, n.y * moved.y, n.y * moved.z, n.z * moved.x,
          n.z * moved.y, n.z * moved.z, n.x, n.y, n.z;
    }
    normal.selfadjointView<Eigen::Lower>().rankUpdate(row, weight);
    gradient += weight * distance * row;
  }
};

Linearised linearised(const FitProblem& problem, const Affine& map, Vec3 pivot, int size) {
  Linearised sums(size);
  const auto moved = mapped(problem.on_moving, map);
  const auto onto = problem.fixed.find(moved);
  for (std::size_t i = 0; i < moved.size(); ++i)
    sums.add(moved[i] - pivot, moved[i] - onto[i].point, problem.fixed.normal(onto[i].triangle),
             0.5 / static_cast<double>(moved.size()));
  const auto back = problem.moving.find(mapped(problem.on_fixed, inverse(map)));
  for (std::size_t i = 0; i < back.size(); ++i) {
    const Vec3 place = map * back[i].point;
    sums.add(place - pivot, place - problem.on_fixed[i], map.linear * problem.moving.normal(back[i].triangle),
             0.5 / static_cast<double>(back.size()));
  }
  return sums;
}

/// `map` followed by the small motion `step` about `pivot`.
Affine stepped(const Affine& map, const Vector& step, Vec3 pivot) {
  Mat3 turn;
  Vec3 shift;
  if (step.size() != kAffine) {
    const Vec3 axis{step[0], step[1], step[2]};
    if (norm(axis) > 0) turn = rotation(normalised(axis), norm(axis));
    if (step.size() == kSimilarity)
      for (Vec3& column : turn.column) column = column * std::exp(step[kRigid]);
    shift = {step[3], step[4], step[5]};
  } else {
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) turn.column[column][row] += step[3 * row + column];
    shift = {step[9], step[10], step[11]};
  }
  return {turn * map.linear, turn * (map.offset - pivot) + pivot + shift};
}

}  // namespace

Affine inverse(const Affine& map) {
  const Vec3 *c = map.linear.column, first = cross(c[1], c[2]);
  const double scale = 1 / dot(c[0], first);
  const Mat3 back = transposed({{first * scale, cross(c[2], c[0]) * scale, cross(c[0], c[1]) * scale}});
  return {back, -(back * map.offset)};
}

Fit rated(const FitProblem& problem, const Affine& map) {
  return {map, linearised(problem, map, Vec3{}, kRigid).mean_square};
}

Fit refined(const FitProblem& problem, const Affine& start, Motion motion, int iterations, double tolerance) {
  constexpr double kTouching = 1e-12;  // mm²
  const int size = size_of(motion);
  Vec3 pivot;
  for (const Vec3& p : problem.on_fixed) pivot = pivot + p * (1.0 / static_cast<double>(problem.on_fixed.size()));
  Affine map = start;
  Linearised here = linearised(problem, map, pivot, size);
  double damping = 1e-3;
  for (int i = 0; i < iterations && here.mean_square > kTouching; ++i) {
    Normal damped = here.normal.selfadjointView<Eigen::Lower>();
    damped.diagonal() *= 1 + damping;
    damped.diagonal().array() += 1e-12 * damped.trace();
    const Vector step = damped.ldlt().solve(-here.gradient);
    if (!step.allFinite()) break;
    const Affine tried = stepped(map, step, pivot);
    Linearised there = linearised(problem, tried, pivot, size);
    if (!(there.mean_square < here.mean_square)) {
      if (damping > 1e3) break;
      damping *= 10;
      continue;
    }
    const double gained = std::sqrt(here.mean_square) - std::sqrt(there.mean_square);
    map = tried;
    here = std::move(there);
    damping = std::max(1e-9, damping * 0.1);
    if (gained < tolerance) break;
  }
  return {map, here.mean_square};
}

}  // namespace osteon::open3d_support
