#include "shape_model/image_fit.hpp"

#include <osteon/error.hpp>
#include <osteon/geometry.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

namespace osteon::shape_model {

namespace {

constexpr int kPose = 6;  // unknowns of a view: turning about right, up and beam; shift; logarithm of the scale
constexpr double kSameDirection = 0.7;  // cosine between an outline's normal and a rim's

/// Axial, tilt and in-plane angle of a rotation Rz(in-plane) · Rx(tilt) · Ry(axial), as imaging poses have it.
Eigen::Vector3d angles_of(const Eigen::Matrix3d& turn) {
  return {std::atan2(-turn(2, 0), turn(2, 2)), std::asin(std::clamp(turn(2, 1), -1.0, 1.0)),
          std::atan2(-turn(0, 1), turn(1, 1))};
}

/// How the angles change with a small turning after the rotation.
Eigen::Matrix3d angle_gradient(const Eigen::Vector3d& angles) {
  const Eigen::AngleAxisd in_plane(angles[2], Eigen::Vector3d::UnitZ()), tilt(angles[1], Eigen::Vector3d::UnitX());
  Eigen::Matrix3d axes;
  axes.col(0) = in_plane * (tilt * Eigen::Vector3d::UnitY());
  axes.col(1) = in_plane * Eigen::Vector3d::UnitX();
  axes.col(2) = Eigen::Vector3d::UnitZ();
  return axes.inverse();
}

struct Pose {
  Eigen::Matrix3d turn = Eigen::Matrix3d::Identity();
  Eigen::Vector2d shift = Eigen::Vector2d::Zero();
  double log_scale = 0;
};

struct State {
  Eigen::VectorXd coefficients;
  std::vector<Pose> poses;
};

/// An outline point and the point of the model's rim that belongs to it.
struct Match {
  const RimPoint* rim = nullptr;
  Eigen::Vector2d normal;
  double gap = 0;  ///< mm along the normal, from the rim to the outline
};

/// What a step needs of one view.
struct Seen {
  Points turned;  ///< vertices in the view's axes, turned, not shifted
  std::vector<RimPoint> rim;
  std::vector<Match> matches;
  std::size_t lost = 0;  ///< outline points without a partner
};

struct Sums {
  Eigen::MatrixXd normal;
  Eigen::VectorXd gradient;
  double cost = 0, squares = 0, weight = 0;
};

class Problem {
 public:
  Problem(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings)
      : model_(model), views_(views), settings_(settings), connections_(model.surface) {}

  /// Gauss–Newton steps with so many modes; outline points farther than `gate` from the rim are left out.
  void descend(State& state, Eigen::Index modes, double from_gate, double to_gate, int turns) const {
    constexpr double kSettled =
        1e-3;  // relative: then steps go on sliding along the outline, and change the shape no more
    double before = std::numeric_limits<double>::infinity();
    for (int turn = 0; turn < turns; ++turn) {
      const double gate = std::max(to_gate, from_gate * std::pow(0.8, turn));
      const Sums sums = linearised(state, modes, gate);
      if (gate == to_gate) {
        if (std::abs(before - sums.cost) < kSettled * sums.cost) break;
        before = sums.cost;
      }
      const Eigen::VectorXd step = sums.normal.selfadjointView<Eigen::Lower>().ldlt().solve(sums.gradient);
      if (!step.allFinite()) throw failure("a step of the fit to the outlines is not finite");
      apply(state, step, modes);
      if (gate == to_gate && step.cwiseAbs().maxCoeff() < 2e-3) break;
    }
  }

  [[nodiscard]] Sums linearised(const State& state, Eigen::Index modes, double gate) const {
    const auto poses = kPose * std::ssize(views_);
    Sums sums{Eigen::MatrixXd::Zero(poses + modes, poses + modes), Eigen::VectorXd::Zero(poses + modes)};
    const Eigen::VectorXd x = model_.mean + model_.modes.leftCols(modes) * state.coefficients.head(modes);
    const Points points = Eigen::Map<const Points>(x.data(), x.size() / 3, 3);
    const Points normals = vertex_normals(points, connections_);
    for (std::size_t v = 0; v < views_.size(); ++v) {
      const Seen seen = look(v, state.poses[v], points, normals, gate);
      add_outline(v, state.poses[v], seen, modes, gate, sums);
    }
    add_priors(state, modes, sums);
    return sums;
  }

  /// The shape with so many modes, each view turned by an axial angle and a tilt; in-plane angle and shift are those
  /// that lay the rim's long axis onto the outline's.
  [[nodiscard]] State start(const Eigen::VectorXd& coefficients, const std::vector<Eigen::Vector2d>& angles) const {
    State state{coefficients, std::vector<Pose>(views_.size())};
    const Points points = model_.shape(coefficients);
    const Points normals = vertex_normals(points, connections_);
    for (std::size_t v = 0; v < views_.size(); ++v) {
      Pose& pose = state.poses[v];
      pose.turn = turn_of({angles[v][0], angles[v][1], 0});
      const Seen seen = look(v, pose, points, normals, 0);
      const auto [rim_middle, rim_angle] = axis_of(seen.rim, [](const RimPoint& p) { return p.place; });
      const auto [middle, angle] = axis_of(views_[v].outline.points, [](const OutlinePoint& p) { return p.place; });
      double turning = angle - rim_angle;
      while (turning > std::numbers::pi / 2) turning -= std::numbers::pi;
      while (turning < -std::numbers::pi / 2) turning += std::numbers::pi;
      pose.turn = turn_of({angles[v][0], angles[v][1], turning});
      pose.shift = middle - Eigen::Rotation2Dd(turning) * rim_middle;
    }
    return state;
  }

  [[nodiscard]] const std::vector<View>& views() const { return views_; }

 private:
  template <class Item, class Place>
  static std::pair<Eigen::Vector2d, double> axis_of(const std::vector<Item>& items, const Place& place) {
    Eigen::Vector2d middle = Eigen::Vector2d::Zero();
    for (const Item& item : items) middle += place(item) / static_cast<double>(items.size());
    Eigen::Matrix2d spread = Eigen::Matrix2d::Zero();
    for (const Item& item : items) spread += (place(item) - middle) * (place(item) - middle).transpose();
    return {middle, 0.5 * std::atan2(2 * spread(0, 1), spread(0, 0) - spread(1, 1))};
  }

  [[nodiscard]] Seen look(std::size_t v, const Pose& pose, const Points& points, const Points& normals,
                          double gate) const {
    const View& view = views_[v];
    const Eigen::Matrix3d to_view = pose.turn * view.camera.axes.transpose();
    Seen seen;
    seen.turned = points * to_view.transpose();
    Points shifted = seen.turned;
    shifted.leftCols<2>().rowwise() += pose.shift.transpose();
    seen.rim = rim_of(shifted, normals * to_view.transpose(), connections_, view.camera);
    if (gate == 0) return seen;
    const double scale = std::exp(pose.log_scale);
    for (RimPoint& point : seen.rim) point.place *= scale;
    for (const OutlinePoint& point : view.outline.points) {
      const Eigen::Vector2d place = point.place - settings_.outline_offset * point.normal;
      const RimPoint* nearest = nullptr;
      double least = gate * gate;
      for (const RimPoint& rim : seen.rim) {
        const double squared = (rim.place - place).squaredNorm();
        if (squared < least && rim.normal.dot(point.normal) > kSameDirection) least = squared, nearest = &rim;
      }
      if (nearest == nullptr)
        ++seen.lost;
      else
        seen.matches.push_back({nearest, point.normal, point.normal.dot(place - nearest->place)});
    }
    return seen;
  }

  void add_outline(std::size_t v, const Pose& pose, const Seen& seen, Eigen::Index modes, double gate,
                   Sums& sums) const {
    const View& view = views_[v];
    const auto poses = kPose * std::ssize(views_);
    const Eigen::Index mine = kPose * static_cast<Eigen::Index>(v);
    const double scale = std::exp(pose.log_scale);
    const double weight = view.outline.step / settings_.independent / (settings_.noise * settings_.noise);
    const double cut = std::max(gate, 4 * settings_.noise);  // Tukey's, beyond which a gap counts for nothing
    const Eigen::Matrix3d to_view = pose.turn * view.camera.axes.transpose();
    const auto count = std::ssize(seen.matches);
    sums.cost += static_cast<double>(seen.lost) * 0.5 * weight * cut * cut / 3;
    if (count == 0) return;  // Eigen divides by the number of rows
    Eigen::MatrixXd rows(count, kPose + modes);
    Eigen::VectorXd gaps(count);
    for (Eigen::Index i = 0; i < count; ++i) {
      const Match& match = seen.matches[static_cast<std::size_t>(i)];
      const RimPoint& rim = *match.rim;
      const double t = rim.toward_b;
      const Eigen::Vector3d turned = seen.turned.row(rim.a) * (1 - t) + seen.turned.row(rim.b) * t;
      const Eigen::Vector3d there = turned + Eigen::Vector3d(pose.shift.x(), pose.shift.y(), 0);
      const Eigen::RowVector3d along = scale * match.normal.transpose() * view.camera.shadow_gradient(there);
      const double share = 1 - match.gap * match.gap / (cut * cut);
      const double root = std::sqrt(weight) * std::max(0.0, share);
      rows.row(i).head<3>() = root * turned.cross(along.transpose()).transpose();
      rows.row(i).segment<2>(3) = root * along.head<2>();
      rows(i, 5) = root * match.normal.dot(rim.place);
      const Eigen::RowVector3d local = root * along * to_view;
      rows.row(i).tail(modes) = local * ((1 - t) * model_.modes.block(3 * rim.a, 0, 3, modes) +
                                         t * model_.modes.block(3 * rim.b, 0, 3, modes));
      gaps[i] = root * match.gap;
      sums.squares += view.outline.step * match.gap * match.gap;
      sums.weight += view.outline.step;
      sums.cost += 0.5 * weight * cut * cut / 3 * (1 - std::pow(std::max(0.0, share), 3));
    }
    Eigen::MatrixXd product = Eigen::MatrixXd::Zero(kPose + modes, kPose + modes);
    product.selfadjointView<Eigen::Lower>().rankUpdate(rows.transpose());
    const Eigen::VectorXd right = rows.transpose() * gaps;
    sums.normal.block<kPose, kPose>(mine, mine) += product.topLeftCorner<kPose, kPose>();
    sums.normal.block(poses, mine, modes, kPose) += product.bottomLeftCorner(modes, kPose);
    sums.normal.bottomRightCorner(modes, modes) += product.bottomRightCorner(modes, modes);
    sums.gradient.segment<kPose>(mine) += right.head<kPose>();
    sums.gradient.tail(modes) += right.tail(modes);
  }

  void add_priors(const State& state, Eigen::Index modes, Sums& sums) const {
    sums.normal.diagonal().tail(modes).array() += 1;
    sums.gradient.tail(modes) -= state.coefficients.head(modes);
    sums.cost += 0.5 * state.coefficients.head(modes).squaredNorm();
    const auto term = [&](const Eigen::VectorXd& row, double value, double deviation, Eigen::Index first) {
      const double weight = 1 / (deviation * deviation);
      sums.normal.block(first, first, row.size(), row.size()) += weight * row * row.transpose();
      sums.gradient.segment(first, row.size()) -= weight * value * row;
      sums.cost += 0.5 * weight * value * value;
    };
    const double deviations[] = {radians(settings_.axial), radians(settings_.tilt), radians(settings_.in_plane)};
    for (std::size_t v = 0; v < views_.size(); ++v) {
      const Pose& pose = state.poses[v];
      const auto mine = kPose * static_cast<Eigen::Index>(v);
      const Eigen::Vector3d angles = angles_of(pose.turn);
      const Eigen::Matrix3d gradient = angle_gradient(angles);
      for (int k = 0; k < 3; ++k) term(gradient.row(k).transpose(), angles[k], deviations[k], mine);
      for (int k = 0; k < 2; ++k) term(Eigen::VectorXd::Ones(1), pose.shift[k], settings_.shift, mine + 3 + k);
      term(Eigen::VectorXd::Ones(1), pose.log_scale, settings_.scale, mine + 5);
      if (v % 2 == 0) continue;
      const Eigen::Vector3d other = angles_of(state.poses[v - 1].turn);
      Eigen::VectorXd row = Eigen::VectorXd::Zero(2 * kPose);
      row.head(3) = -angle_gradient(other).row(0).transpose();
      row.segment(kPose, 3) = gradient.row(0).transpose();
      term(row, angles[0] - other[0], radians(settings_.ap_ml), mine - kPose);
    }
  }

  void apply(State& state, const Eigen::VectorXd& step, Eigen::Index modes) const {
    for (std::size_t v = 0; v < views_.size(); ++v) {
      const Eigen::VectorXd mine = step.segment<kPose>(kPose * static_cast<Eigen::Index>(v));
      Pose& pose = state.poses[v];
      pose.turn = rotation_matrix(mine.head<3>()) * pose.turn;
      pose.shift += mine.segment<2>(3);
      pose.log_scale += mine[5];
    }
    state.coefficients.head(modes) += step.tail(modes);
  }

  const ShapeModel& model_;
  const std::vector<View>& views_;
  const FitSettings& settings_;
  Connections connections_;
};

constexpr double kWide = 30, kNarrow = 5;  // mm

/// Pose and the first modes of one pair, from the most promising of several axial angles.
State begun(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings) {
  const Problem problem(model, views, settings);
  const Eigen::Index few = std::min<Eigen::Index>(5, model.size());
  std::optional<State> best;
  double least = std::numeric_limits<double>::infinity();
  for (const double share : {0.0, -1.2, 1.2}) {
    const Eigen::Vector2d angles(radians(share * settings.axial), 0);
    State state = problem.start(Eigen::VectorXd::Zero(model.size()), {angles, angles});
    problem.descend(state, few, kWide, 8, 12);
    const double cost = problem.linearised(state, few, 8).cost;
    if (cost < least) least = cost, best = std::move(state);
  }
  if (!best) throw Error("the outlines in the X-rays have nothing in common with the model's");
  return *best;
}

}  // namespace

Eigen::Matrix3d turn_of(const Eigen::Vector3d& angles) {
  return (Eigen::AngleAxisd(angles[2], Eigen::Vector3d::UnitZ()) *
          Eigen::AngleAxisd(angles[1], Eigen::Vector3d::UnitX()) *
          Eigen::AngleAxisd(angles[0], Eigen::Vector3d::UnitY()))
      .toRotationMatrix();
}

Eigen::Matrix3d rotation_matrix(const Eigen::Vector3d& vector) {
  const double angle = vector.norm();
  if (angle == 0) return Eigen::Matrix3d::Identity();
  return Eigen::AngleAxisd(angle, vector / angle).toRotationMatrix();
}

ImageFit fit_to_images(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings,
                       const std::vector<PairStart>& starts) {
  State state{Eigen::VectorXd::Zero(model.size()), {}};
  const double share = 2.0 / static_cast<double>(views.size());
  for (std::size_t v = 0; v + 1 < views.size(); v += 2) {
    const std::vector<View> pair{views[v], views[v + 1]};
    const State begin =
        starts.empty()
            ? begun(model, pair, settings)
            : Problem(model, pair, settings).start(starts[v / 2].coefficients, {starts[v / 2].ap, starts[v / 2].ml});
    state.poses.insert(state.poses.end(), begin.poses.begin(), begin.poses.end());
    state.coefficients += share * begin.coefficients;
  }
  const Problem problem(model, views, settings);
  problem.descend(state, model.size(), 12, kNarrow, starts.empty() ? 30 : 10);
  const Sums sums = problem.linearised(state, model.size(), kNarrow);
  const Eigen::MatrixXd full = sums.normal.selfadjointView<Eigen::Lower>();
  ImageFit fit;
  fit.coefficients = state.coefficients;
  fit.covariance = full.inverse().bottomRightCorner(model.size(), model.size());
  fit.residual = std::sqrt(sums.squares / std::max(sums.weight, 1e-9));
  for (const Pose& pose : state.poses) {
    const Eigen::AngleAxisd turning(pose.turn);
    fit.poses.push_back({turning.axis() * turning.angle(), pose.shift, pose.log_scale});
  }
  return fit;
}

double outline_offset(const View& view, const Points& points, const Connections& connections) {
  constexpr double kReach = 6;  // mm
  const Points turned = points * view.camera.axes;
  const auto rim = rim_of(turned, vertex_normals(points, connections) * view.camera.axes, connections, view.camera);
  std::vector<double> gaps;
  for (const OutlinePoint& point : view.outline.points) {
    double least = kReach * kReach;
    std::optional<double> gap;
    for (const RimPoint& candidate : rim) {
      const double squared = (candidate.place - point.place).squaredNorm();
      if (squared >= least || candidate.normal.dot(point.normal) < kSameDirection) continue;
      least = squared;
      gap = point.normal.dot(point.place - candidate.place);
    }
    if (gap) gaps.push_back(*gap);
  }
  if (gaps.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = gaps.begin() + std::ssize(gaps) / 2;
  std::nth_element(gaps.begin(), middle, gaps.end());
  return *middle;
}

}  // namespace osteon::shape_model
