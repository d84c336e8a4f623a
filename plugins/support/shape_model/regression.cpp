#include "shape_model/regression.hpp"

#include <osteon/geometry.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::shape_model {

namespace {

constexpr int kAngles = 4;             // axial and tilt of AP, then of ML
constexpr double kFeatureNoise = 0.7;  // mm, so that no feature is trusted beyond what an image shows

struct Bands {
  Eigen::VectorXd left, right;
  double bottom = 0, top = 0;
};

Bands bands_of(const std::vector<Eigen::Vector2d>& points) {
  Bands bands{Eigen::VectorXd::Constant(kBands, std::numeric_limits<double>::infinity()),
              Eigen::VectorXd::Constant(kBands, -std::numeric_limits<double>::infinity())};
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.y() < b.y(); });
  bands.bottom = low->y();
  bands.top = high->y();
  const double height = std::max(bands.top - bands.bottom, 1e-6);
  for (const Eigen::Vector2d& p : points) {
    const int band = std::clamp(static_cast<int>((p.y() - bands.bottom) / height * kBands), 0, kBands - 1);
    bands.left[band] = std::min(bands.left[band], p.x());
    bands.right[band] = std::max(bands.right[band], p.x());
  }
  for (int band = 0; band < kBands; ++band) {  // an outline with a gap goes on as it was
    if (std::isfinite(bands.left[band])) continue;
    bands.left[band] = band > 0 ? bands.left[band - 1] : 0;
    bands.right[band] = band > 0 ? bands.right[band - 1] : 0;
  }
  return bands;
}

/// Turned so that the middle of the shaft stands upright at x = 0.
std::vector<Eigen::Vector2d> upright(std::vector<Eigen::Vector2d> points) {
  Eigen::Vector2d middle = Eigen::Vector2d::Zero();
  for (const auto& p : points) middle += p / static_cast<double>(points.size());
  Eigen::Matrix2d spread = Eigen::Matrix2d::Zero();
  for (const auto& p : points) spread += (p - middle) * (p - middle).transpose();
  double lean = 0.5 * std::atan2(2 * spread(0, 1), spread(1, 1) - spread(0, 0));  // of the long axis, from y to x
  for (int turn = 0; turn < 3; ++turn) {
    const Eigen::Rotation2Dd back(lean);
    for (auto& p : points) p = back * (p - middle);
    const Bands bands = bands_of(points);
    // A line through the middles of the shaft's bands.
    double n = 0, sx = 0, sy = 0, sxy = 0, syy = 0;
    for (int band = kBands / 4; band < 3 * kBands / 4; ++band) {
      const double y = bands.bottom + (band + 0.5) / kBands * (bands.top - bands.bottom);
      const double x = 0.5 * (bands.left[band] + bands.right[band]);
      n += 1, sx += x, sy += y, sxy += x * y, syy += y * y;
    }
    const double slope = (n * sxy - sx * sy) / std::max(n * syy - sy * sy, 1e-9);
    lean = std::atan(slope);
    middle = {(sx - slope * sy) / n, 0};
  }
  for (auto& p : points) p = Eigen::Rotation2Dd(lean) * (p - middle);
  return points;
}

Eigen::RowVectorXd pair_features(const Eigen::VectorXd& ap, const Eigen::VectorXd& ml) {
  Eigen::RowVectorXd row(ap.size() + ml.size());
  row << ap.transpose(), ml.transpose();
  return row;
}

struct Member {
  Eigen::RowVectorXd features, targets;
};

/// What the outlines of a member say, seen in poses and scales that are drawn too. All shadows of the vertices are
/// looked at: the furthest ones make the outline.
Member random_member(const ShapeModel& model, const FitSettings& settings, const std::array<Camera, 2>& cameras,
                     Random random) {
  Eigen::VectorXd coefficients(model.size());
  for (Eigen::Index k = 0; k < model.size(); ++k) coefficients[k] = random.normal();
  const Points points = model.shape(coefficients);
  const double axial = random.normal(0, radians(settings.axial));
  Eigen::RowVectorXd targets(model.size() + kAngles);
  targets.head(model.size()) = coefficients.transpose();
  Eigen::VectorXd seen[2];
  for (int v = 0; v < 2; ++v) {
    const double turned = axial + (v == 0 ? 0 : random.normal(0, radians(settings.ap_ml)));
    const double tilt = random.normal(0, radians(settings.tilt));
    const double scale = std::exp(random.normal(0, settings.scale));
    targets.segment<2>(model.size() + 2 * v) << turned, tilt;
    const Camera& camera = cameras[static_cast<std::size_t>(v)];
    const Points there = points * (turn_of({turned, tilt, 0}) * camera.axes.transpose()).transpose();
    std::vector<Eigen::Vector2d> shadows;
    for (Eigen::Index i = 0; i < there.rows(); ++i) shadows.push_back(scale * camera.shadow(there.row(i)));
    seen[v] = outline_features(shadows);
    for (double& value : seen[v]) value += random.normal(0, kFeatureNoise);
  }
  return {pair_features(seen[0], seen[1]), targets};
}

}  // namespace

Eigen::VectorXd outline_features(const std::vector<Eigen::Vector2d>& points) {
  const Bands bands = bands_of(upright(points));
  Eigen::VectorXd features(2 * kBands + 1);
  features << bands.left, bands.right, bands.top - bands.bottom;
  return features;
}

void OutlineRegression::learn(const ShapeModel& model, const FitSettings& settings,
                              const std::array<Camera, 2>& cameras, std::int64_t members, std::uint64_t seed) {
  const Eigen::Index width = 2 * (2 * kBands + 1);
  Eigen::MatrixXd features(members, width), targets(members, model.size() + kAngles);
  parallel_for(0, members, 16, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      throw_if_stopped();
      const Member member = random_member(model, settings, cameras,
                                          Random(seed, "members of a shape model", static_cast<std::uint64_t>(m)));
      features.row(m) = member.features;
      targets.row(m) = member.targets;
    }
  });
  feature_mean_ = features.colwise().mean();
  target_mean_ = targets.colwise().mean();
  features.rowwise() -= feature_mean_;
  targets.rowwise() -= target_mean_;
  Eigen::MatrixXd normal = features.transpose() * features;
  normal.diagonal().array() += 1e-6 * normal.trace() / static_cast<double>(width);
  weights_ = normal.ldlt().solve(features.transpose() * targets);
}

PairStart OutlineRegression::predict(const View& ap, const View& ml) const {
  const auto features = [&](const View& view) {
    std::vector<Eigen::Vector2d> points;
    for (const OutlinePoint& point : view.outline.points) points.push_back(point.place);
    return outline_features(points);
  };
  const Eigen::RowVectorXd target =
      target_mean_ + (pair_features(features(ap), features(ml)) - feature_mean_) * weights_;
  const Eigen::Index size = target.size() - kAngles;
  return {target.head(size).transpose(), {target[size], target[size + 1]}, {target[size + 2], target[size + 3]}};
}

}  // namespace osteon::shape_model
