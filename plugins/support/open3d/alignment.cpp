#include "fitting.hpp"
#include "open3d_support/surfaces.hpp"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace osteon::open3d_support {

namespace {

constexpr std::uint64_t kSeed = 0x0A11;  // alignment is a function of the two surfaces alone

/// Centroid and principal axes of a surface's area, the longest axis first, right-handed.
struct Frame {
  Vec3 centre;
  Mat3 axes;
};

Vec3 centroid(const std::vector<Vec3>& samples) {
  Vec3 centre;
  for (const Vec3& p : samples) centre = centre + p * (1.0 / static_cast<double>(samples.size()));
  return centre;
}

/// Root mean square distance of samples from their centroid, mm.
double spread(const std::vector<Vec3>& samples, Vec3 centre) {
  double squares = 0;
  for (const Vec3& p : samples) squares += dot(p - centre, p - centre);
  return std::sqrt(squares / static_cast<double>(samples.size()));
}

Frame principal_frame(const std::vector<Vec3>& samples) {
  Frame frame{centroid(samples), {}};
  const double share = 1.0 / static_cast<double>(samples.size());
  Eigen::Matrix3d covariance = Eigen::Matrix3d::Zero();
  for (const Vec3& p : samples) {
    const Vec3 d = p - frame.centre;
    const Eigen::Vector3d v(d.x, d.y, d.z);
    covariance += share * v * v.transpose();
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(covariance);
  for (int i = 0; i < 2; ++i) {
    const Eigen::Vector3d v = solver.eigenvectors().col(2 - i);
    frame.axes.column[i] = {v.x(), v.y(), v.z()};
  }
  frame.axes.column[2] = cross(frame.axes.column[0], frame.axes.column[1]);
  return frame;
}

/// Where the surface stands; there with its centroid moved; and the eight rotations that lay the longest axis onto the
/// longest axis, either way round, in quarter turns (among them the four that lay all three axes onto axes).
std::vector<Affine> starts(const Frame& moving, const Frame& fixed) {
  std::vector<Affine> maps{Affine{}, Affine{Mat3{}, fixed.centre - moving.centre}};
  for (const bool flipped : {false, true})
    for (int quarter = 0; quarter < 4; ++quarter) {
      Mat3 turn = rotation({1, 0, 0}, quarter * std::numbers::pi / 2);
      if (flipped) turn = turn * rotation({0, 0, 1}, std::numbers::pi);
      const Mat3 linear = fixed.axes * turn * transposed(moving.axes);
      maps.push_back({linear, fixed.centre - linear * moving.centre});
    }
  return maps;
}

FitProblem problem_of(const ClosestPoints& moving, const ClosestPoints& fixed, std::int64_t points) {
  return {moving, fixed, sample_surface(moving.mesh(), points, kSeed, 0),
          sample_surface(fixed.mesh(), points, kSeed, 1)};
}

void keep_best(std::vector<Fit>& fits, std::size_t count) {
  std::stable_sort(fits.begin(), fits.end(), [](const Fit& a, const Fit& b) { return a.mean_square < b.mean_square; });
  fits.resize(std::min(count, fits.size()));
}

bool same_place(const Affine& a, const Affine& b, const std::vector<Vec3>& points) {
  constexpr double kSame = 2;  // mm, after a coarse fit
  return std::all_of(points.begin(), points.end(), [&](Vec3 p) { return norm(a * p - b * p) < kSame; });
}

/// Runs every start some steps further on more points and keeps the `count` best that ended in different places and
/// are not hopeless beside the best.
std::vector<Fit> advanced(const FitProblem& problem, const std::vector<Fit>& from, int iterations, double tolerance,
                          std::size_t count) {
  constexpr double kHopeless = 4;  // times the best mean square
  std::vector<Fit> fits;
  for (const Fit& fit : from) fits.push_back(refined(problem, fit.map, Motion::rigid, iterations, tolerance));
  keep_best(fits, fits.size());
  std::vector<Fit> different;
  for (const Fit& fit : fits)
    if (different.size() < count && fit.mean_square <= kHopeless * fits.front().mean_square &&
        std::none_of(different.begin(), different.end(),
                     [&](const Fit& other) { return same_place(fit.map, other.map, problem.on_moving); }))
      different.push_back(fit);
  return different;
}

}  // namespace

Affine align_rigid(const ClosestPoints& moving, const ClosestPoints& fixed) {
  constexpr std::int64_t kFramePoints = 4000;
  const FitProblem first = problem_of(moving, fixed, 100);
  std::vector<Fit> fits;
  for (const Affine& start : starts(principal_frame(sample_surface(moving.mesh(), kFramePoints, kSeed, 2)),
                                    principal_frame(sample_surface(fixed.mesh(), kFramePoints, kSeed, 3))))
    fits.push_back(rated(first, start));
  keep_best(fits, 6);
  fits = advanced(first, fits, 6, 1e-2, 4);
  fits = advanced(problem_of(moving, fixed, 400), fits, 8, 1e-3, 2);
  fits = advanced(problem_of(moving, fixed, 1000), fits, 10, 1e-4, 1);
  return refined(problem_of(moving, fixed, 3000), fits.front().map, Motion::rigid, 20, 1e-5).map;
}

Affine align_similarity(const ClosestPoints& moving, const ClosestPoints& fixed) {
  constexpr std::int64_t kSpreadPoints = 4000;
  const auto on_moving = sample_surface(moving.mesh(), kSpreadPoints, kSeed, 2);
  const auto on_fixed = sample_surface(fixed.mesh(), kSpreadPoints, kSeed, 3);
  const Vec3 centre = centroid(on_moving);
  const double scale = spread(on_fixed, centroid(on_fixed)) / spread(on_moving, centre);
  // About its own centre: far from it, coordinates would lose digits.
  const Affine sized{{{{scale, 0, 0}, {0, scale, 0}, {0, 0, scale}}}, centre * (1 - scale)};
  const Affine laid = align_rigid(ClosestPoints(transformed(moving.mesh(), sized)), fixed);
  const Affine start{laid.linear * sized.linear, laid * sized.offset};
  return refined(problem_of(moving, fixed, 3000), start, Motion::similarity, 30, 1e-5).map;
}

double scale_of(const Affine& similarity) { return std::cbrt(determinant(similarity.linear)); }

Affine align_affine(const ClosestPoints& moving, const ClosestPoints& fixed, const Affine& start) {
  return refined(problem_of(moving, fixed, 2000), start, Motion::affine, 20, 1e-4).map;
}

Affine align_rigid(const Mesh& moving, const Mesh& fixed) {
  return align_rigid(ClosestPoints(moving), ClosestPoints(fixed));
}

}  // namespace osteon::open3d_support
