#include "shape_model/image_fit.hpp"

#include <osteon/error.hpp>
#include <osteon/geometry.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>

namespace osteon::shape_model {

namespace {

constexpr int kPose = 6;  // unknowns of a view: turning about right, up and beam; shift; logarithm of the scale
constexpr double kSameDirection = 0.7;                       // cosine between an outline's normal and a fold's
constexpr double kOutlineDeviation = 1, kUnknownEdge = 0.5;  // mm, standard deviations

/// A fold of the model, and how far from it the image shows it.
struct Match {
  const Fold* fold = nullptr;
  Eigen::Vector2d normal;
  double gap = 0;     ///< mm along the normal, from the fold to the image
  double weight = 0;  ///< mm⁻²
  double length = 0;  ///< mm
};

/// What a step needs of one view.
struct Seen {
  Points turned;  ///< vertices in the view's axes, turned, not shifted
  std::vector<Fold> folds;
  std::vector<Match> matches;
  double lost = 0, lost_length = 0;  ///< mm⁻², mm: weight and length of what has no partner

  void lose(double weight, double length) {
    lost += weight;
    lost_length += length;
  }
};

struct Sums {
  Eigen::MatrixXd normal;
  Eigen::VectorXd gradient;
  double cost = 0, squares = 0, length = 0;
  double worst = 0;  ///< the cost if nothing in the images were where the model has it
};

/// From afar outlines show the way, where a bone is alone: their nearest point is seldom a wrong one. From near every
/// fold has an edge of its own.
enum class Shown { outlines, edges };

struct Descent {
  Shown shown;
  Eigen::Index modes;
  double from_gate, to_gate;  ///< mm, beyond which nothing is looked for; it narrows by a fifth each turn
  int turns;
};

class Problem {
 public:
  Problem(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings)
      : model_(model), views_(views), settings_(settings), connections_(model.surface) {}

  /// Gauss–Newton steps.
  void descend(Placement& state, const Descent& how) const {
    // Relative: then steps go on sliding along the edges, and change the shape no more.
    constexpr double kSettled = 1e-3;
    double before = std::numeric_limits<double>::infinity();
    for (int turn = 0; turn < how.turns; ++turn) {
      const double gate = std::max(how.to_gate, how.from_gate * std::pow(0.8, turn));
      const Sums sums = linearised(state, how.shown, how.modes, gate);
      if (gate == how.to_gate) {
        if (before - sums.cost < kSettled * sums.cost && sums.cost <= before) break;
        before = sums.cost;
      }
      const Eigen::VectorXd step = sums.normal.selfadjointView<Eigen::Lower>().ldlt().solve(sums.gradient);
      if (!step.allFinite()) throw failure("a step of the fit to the X-rays is not finite");
      apply(state, step, how.modes);
      if (gate == how.to_gate && step.cwiseAbs().maxCoeff() < 2e-3) break;
    }
  }

  [[nodiscard]] Sums linearised(const Placement& state, Shown shown, Eigen::Index modes, double gate) const {
    const auto poses = kPose * std::ssize(views_);
    Sums sums{Eigen::MatrixXd::Zero(poses + modes, poses + modes), Eigen::VectorXd::Zero(poses + modes)};
    const Eigen::VectorXd x = model_.mean + model_.modes.leftCols(modes) * state.coefficients.head(modes);
    const Points points = Eigen::Map<const Points>(x.data(), x.size() / 3, 3);
    const Points normals = vertex_normals(points, connections_);
    for (std::size_t v = 0; v < views_.size(); ++v) {
      Seen seen = look(v, state.poses[v], points, normals);
      if (shown == Shown::outlines)
        match_outline(v, gate, seen);
      else
        match_edges(v, gate, seen);
      add_matches(v, state.poses[v], seen, modes, gate, sums);
    }
    add_priors(state, modes, sums);
    return sums;
  }

  /// What was known before the images, at a state.
  [[nodiscard]] Sums prior(const Placement& state) const {
    const auto size = kPose * std::ssize(views_) + model_.size();
    Sums sums{Eigen::MatrixXd::Zero(size, size), Eigen::VectorXd::Zero(size)};
    add_priors(state, model_.size(), sums);
    return sums;
  }

  /// The shape, each view turned by an axial angle and a tilt; in-plane angle and shift are those that lay the folds'
  /// long axis onto the outline's.
  [[nodiscard]] Placement on_outlines(const Eigen::VectorXd& coefficients,
                                      const std::vector<Eigen::Vector2d>& angles) const {
    Placement state{coefficients, std::vector<ViewPose>(views_.size())};
    const Points points = model_.shape(coefficients);
    const Points normals = vertex_normals(points, connections_);
    for (std::size_t v = 0; v < views_.size(); ++v) {
      ViewPose& pose = state.poses[v];
      pose.turn = turn_of({angles[v][0], angles[v][1], 0});
      const Seen seen = look(v, pose, points, normals);
      const auto [fold_middle, fold_angle] = axis_of(seen.folds);
      const auto [middle, angle] = axis_of(views_[v].outline.points);
      double turning = angle - fold_angle;
      while (turning > std::numbers::pi / 2) turning -= std::numbers::pi;
      while (turning < -std::numbers::pi / 2) turning += std::numbers::pi;
      pose.turn = turn_of({angles[v][0], angles[v][1], turning});
      pose.shift = middle - Eigen::Rotation2Dd(turning) * fold_middle;
    }
    return state;
  }

  struct Candidate {
    Placement state;
    double agreement = 0;
  };

  /// The mean in several sizes, turned by an axial angle, each where it agrees best with the first view's edges.
  [[nodiscard]] std::vector<Candidate> on_edges(double axial) const {
    constexpr double kStep = 2.5;  // degrees: half of it moves an end of the bone by a coarse pixel
    constexpr double kSizes[] = {0.87, 0.93, 1, 1.07, 1.14};
    constexpr int kKept = 3;  // in-plane angles: which ones are good depends little on the size
    const double widest = 3 * settings_.in_plane;
    const int steps = static_cast<int>(std::ceil(widest / kStep));
    const Points points = model_.shape(Eigen::VectorXd::Zero(model_.size()));
    ViewPose pose;
    pose.turn = turn_of({axial, 0, 0});
    const std::vector<Fold> upright = look(0, pose, points, vertex_normals(points, connections_)).folds;
    const auto placed = [&](double angle, double size) {
      const Eigen::Rotation2Dd rotation(angle);
      std::vector<Fold> folds = upright;
      for (Fold& fold : folds) {
        fold.place = size * (rotation * fold.place);
        fold.normal = rotation * fold.normal;
      }
      return views_.front().edges.place(folds, 4 * settings_.shift);
    };
    std::vector<std::pair<double, double>> angles;  // by agreement
    for (int k = -steps; k <= steps; ++k) {
      const double angle = radians(k * widest / steps);
      angles.emplace_back(placed(angle, 1).agreement, angle);
    }
    std::ranges::sort(angles, std::greater{});
    angles.resize(std::min<std::size_t>(angles.size(), kKept));
    std::vector<Candidate> candidates;
    for (const double size : kSizes) {
      Candidate one{{Eigen::VectorXd::Zero(model_.size()), {pose}}, -1};
      one.state.coefficients.head(few()) = coefficients_of_size(size);
      for (const auto& [unused, angle] : angles)
        if (const Edges::Placed here = placed(angle, size); here.agreement > one.agreement) {
          one.agreement = here.agreement;
          one.state.poses.front().turn = turn_of({axial, 0, angle});
          one.state.poses.front().shift = here.shift;
        }
      candidates.push_back(std::move(one));
    }
    return candidates;
  }

  /// Modes that a fit begins with, and those that tell a good beginning from a bad one.
  [[nodiscard]] Eigen::Index few() const { return std::min<Eigen::Index>(5, model_.size()); }
  [[nodiscard]] Eigen::Index some() const { return std::min<Eigen::Index>(15, model_.size()); }

 private:
  template <class Item>
  static std::pair<Eigen::Vector2d, double> axis_of(const std::vector<Item>& items) {
    Eigen::Vector2d middle = Eigen::Vector2d::Zero();
    for (const Item& item : items) middle += item.place / static_cast<double>(items.size());
    Eigen::Matrix2d spread = Eigen::Matrix2d::Zero();
    for (const Item& item : items) spread += (item.place - middle) * (item.place - middle).transpose();
    return {middle, 0.5 * std::atan2(2 * spread(0, 1), spread(0, 0) - spread(1, 1))};
  }

  /// The first modes that make the mean so many times as large, as nearly as they can.
  [[nodiscard]] Eigen::VectorXd coefficients_of_size(double size) const {
    const Points mean = model_.shape(Eigen::VectorXd::Zero(model_.size()));
    const Points larger = (mean.rowwise() - mean.colwise().mean()) * (size - 1);
    const auto modes = model_.modes.leftCols(few());
    Eigen::MatrixXd normal = modes.transpose() * modes;
    normal.diagonal().array() += 1e-3 * normal.trace() + 1e-12;
    return normal.ldlt().solve(modes.transpose() * Eigen::Map<const Eigen::VectorXd>(larger.data(), larger.size()));
  }

  [[nodiscard]] Seen look(std::size_t v, const ViewPose& pose, const Points& points, const Points& normals) const {
    const View& view = views_[v];
    const Eigen::Matrix3d to_view = pose.turn * view.camera.axes.transpose();
    Seen seen;
    seen.turned = points * to_view.transpose();
    Points shifted = seen.turned;
    shifted.leftCols<2>().rowwise() += pose.shift.transpose();
    seen.folds = folds_of(shifted, normals * to_view.transpose(), connections_, view.camera);
    const double scale = std::exp(pose.log_scale);
    for (Fold& fold : seen.folds) {
      fold.place *= scale;
      fold.length *= scale;
    }
    return seen;
  }

  /// Every outline point's nearest fold.
  void match_outline(std::size_t v, double gate, Seen& seen) const {
    const Outline& outline = views_[v].outline;
    const double weight = outline.step / settings_.independent / (kOutlineDeviation * kOutlineDeviation);
    for (const OutlinePoint& point : outline.points) {
      const Fold* nearest = nullptr;
      double least = gate * gate;
      for (const Fold& fold : seen.folds) {
        const double squared = (fold.place - point.place).squaredNorm();
        if (squared < least && fold.normal.dot(point.normal) > kSameDirection) least = squared, nearest = &fold;
      }
      if (nearest == nullptr)
        seen.lose(weight, outline.step);
      else
        seen.matches.push_back(
            {nearest, point.normal, point.normal.dot(point.place - nearest->place), weight, outline.step});
    }
  }

  /// The edge across every fold.
  void match_edges(std::size_t v, double gate, Seen& seen) const {
    const EdgeOffsets& known = settings_.edges;
    for (const Fold& fold : seen.folds) {
      double offset = 0, deviation = kUnknownEdge;
      if (known.known()) {
        deviation = 0;
        for (int k = 0; k < 3; ++k) {
          const auto vertex = fold.vertices[static_cast<std::size_t>(k)];
          offset += fold.weights[k] * known.mean[vertex];
          deviation += fold.weights[k] * known.deviation[vertex];
        }
      }
      const double variance = deviation * deviation + settings_.noise * settings_.noise;
      const double weight = fold.length / settings_.independent / variance;
      if (const auto found = views_[v].edges.find(fold.place, fold.normal, gate))
        seen.matches.push_back({&fold, fold.normal, *found - offset, weight, fold.length});
      else
        seen.lose(weight, fold.length);
    }
  }

  void add_matches(std::size_t v, const ViewPose& pose, const Seen& seen, Eigen::Index modes, double gate,
                   Sums& sums) const {
    const View& view = views_[v];
    const auto poses = kPose * std::ssize(views_);
    const Eigen::Index mine = kPose * static_cast<Eigen::Index>(v);
    const double scale = std::exp(pose.log_scale);
    const double cut = std::max(gate, 4 * settings_.noise);  // Tukey's, beyond which a gap counts for nothing
    const double most = 0.5 * cut * cut / 3;                 // of a match's cost, over its weight
    const Eigen::Matrix3d to_view = pose.turn * view.camera.axes.transpose();
    const auto count = std::ssize(seen.matches);
    sums.cost += seen.lost * most;
    sums.worst += seen.lost * most;
    sums.squares += seen.lost_length * gate * gate;
    sums.length += seen.lost_length;
    if (count == 0) return;  // Eigen divides by the number of rows
    Eigen::MatrixXd rows(count, kPose + modes);
    Eigen::VectorXd gaps(count);
    for (Eigen::Index i = 0; i < count; ++i) {
      const Match& match = seen.matches[static_cast<std::size_t>(i)];
      const Fold& fold = *match.fold;
      Eigen::Vector3d turned = Eigen::Vector3d::Zero();
      for (int k = 0; k < 3; ++k)
        turned += fold.weights[k] * seen.turned.row(fold.vertices[static_cast<std::size_t>(k)]).transpose();
      const Eigen::Vector3d there = turned + Eigen::Vector3d(pose.shift.x(), pose.shift.y(), 0);
      const Eigen::RowVector3d along = scale * match.normal.transpose() * view.camera.shadow_gradient(there);
      const double share = std::max(0.0, 1 - match.gap * match.gap / (cut * cut));
      const double root = std::sqrt(match.weight) * share;
      rows.row(i).head<3>() = root * turned.cross(along.transpose()).transpose();
      rows.row(i).segment<2>(3) = root * along.head<2>();
      rows(i, 5) = root * match.normal.dot(fold.place);
      const Eigen::RowVector3d local = root * along * to_view;
      rows.row(i).tail(modes).setZero();
      for (int k = 0; k < 3; ++k)
        rows.row(i).tail(modes) +=
            (fold.weights[k] * local) * model_.modes.block(3 * fold.vertices[static_cast<std::size_t>(k)], 0, 3, modes);
      gaps[i] = root * match.gap;
      sums.squares += match.length * match.gap * match.gap;
      sums.length += match.length;
      sums.cost += match.weight * most * (1 - share * share * share);
      sums.worst += match.weight * most;
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

  void add_priors(const Placement& state, Eigen::Index modes, Sums& sums) const {
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
      const ViewPose& pose = state.poses[v];
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

  void apply(Placement& state, const Eigen::VectorXd& step, Eigen::Index modes) const {
    for (std::size_t v = 0; v < views_.size(); ++v) {
      const Eigen::VectorXd mine = step.segment<kPose>(kPose * static_cast<Eigen::Index>(v));
      ViewPose& pose = state.poses[v];
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

/// mm: how far the edges of a fit that has begun may lie; of one that is nearly right; and of one that is.
constexpr double kNear = 8, kNearer = 5, kNarrow = 3;
/// Of the cost at `kNear` if nothing were where the model has it: with less, nearly all folds have found their edges.
constexpr double kFound = 0.07;

/// Where a fit begins, of those that are shown to it: where the model's folds have edges.
class Best {
 public:
  Best(const Problem& problem, Eigen::Index modes) : problem_(problem), modes_(modes) {}

  void look_at(Placement state) {
    const double cost = problem_.linearised(state, Shown::edges, modes_, kNear).cost;
    if (cost < least_) least_ = cost, best_ = std::move(state);
  }
  [[nodiscard]] Placement state() const {
    if (!best_) throw Error("nothing in the X-rays has the shape of the model's edges");
    return *best_;
  }

 private:
  const Problem& problem_;
  Eigen::Index modes_;
  double least_ = std::numeric_limits<double>::infinity();
  std::optional<Placement> best_;
};

/// By the outlines, which show the way from afar where a bone is alone: from several axial angles.
Placement by_outlines(const Problem& problem, const ShapeModel& model, const FitSettings& settings) {
  Best best(problem, problem.few());
  for (const double share : {0.0, -1.2, 1.2}) {
    const Eigen::Vector2d angles(radians(share * settings.axial), 0);
    Placement state = problem.on_outlines(Eigen::VectorXd::Zero(model.size()), {angles, angles});
    problem.descend(state, {Shown::outlines, problem.few(), 30, kNear, 12});
    best.look_at(std::move(state));
  }
  Placement state = best.state();
  problem.descend(state, {Shown::outlines, model.size(), 12, kNearer, 30});
  return state;
}

/// One view by itself, by its edges alone, with the first modes.
Placement by_edges(const ShapeModel& model, const View& view, const FitSettings& settings) {
  const std::vector<View> views{view};
  const Problem problem(model, views, settings);
  std::vector<Problem::Candidate> candidates;
  for (const double share : {0.0, -1.2, 1.2})
    for (Problem::Candidate& one : problem.on_edges(radians(share * settings.axial)))
      candidates.push_back(std::move(one));
  std::ranges::sort(candidates, std::greater{}, &Problem::Candidate::agreement);
  candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(settings.beginnings)));
  Best best(problem, problem.some());
  for (auto& [state, agreement] : candidates) {
    problem.descend(state, {Shown::edges, problem.few(), 20, kNear, 12});
    problem.descend(state, {Shown::edges, problem.some(), kNear, kNear, 4});
    best.look_at(std::move(state));
  }
  return best.state();
}

/// Whether nearly all folds have found their edges.
bool found(const Problem& problem, const Placement& state, const ShapeModel& model) {
  const Sums sums = problem.linearised(state, Shown::edges, model.size(), kNear);
  return sums.cost < kFound * sums.worst;
}

/// A pair's pose and shape.
Placement begun(const ShapeModel& model, const std::vector<View>& pair, const FitSettings& settings) {
  const Problem problem(model, pair, settings);
  Placement lone = by_outlines(problem, model, settings);
  problem.descend(lone, {Shown::edges, model.size(), kNearer, kNarrow, 5});
  if (found(problem, lone, model)) return lone;
  Placement both{Eigen::VectorXd::Zero(model.size()), {}};
  for (const View& view : pair) {
    const Placement one = by_edges(model, view, settings);
    both.coefficients += one.coefficients / static_cast<double>(pair.size());
    both.poses.push_back(one.poses.front());
  }
  problem.descend(both, {Shown::edges, problem.few(), 12, kNear, 6});
  problem.descend(both, {Shown::edges, problem.some(), kNear, kNear, 6});
  problem.descend(both, {Shown::edges, model.size(), kNear, kNearer, 8});
  Best best(problem, model.size());
  best.look_at(std::move(lone));
  best.look_at(std::move(both));
  return best.state();
}

/// From a guess, if it leads to the edges.
Placement begun_at(const ShapeModel& model, const std::vector<View>& pair, const FitSettings& settings,
                   const PairStart& start) {
  const Problem problem(model, pair, settings);
  Placement guessed = problem.on_outlines(start.coefficients, {start.ap, start.ml});
  problem.descend(guessed, {Shown::edges, model.size(), 12, kNearer, 6});
  return found(problem, guessed, model) ? guessed : begun(model, pair, settings);
}

}  // namespace

std::vector<Placement> begin_fit(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings,
                                 const std::vector<PairStart>& starts) {
  std::vector<Placement> beginnings;
  for (std::size_t v = 0; v + 1 < views.size(); v += 2) {
    const std::vector<View> pair{views[v], views[v + 1]};
    beginnings.push_back(starts.empty() ? begun(model, pair, settings)
                                        : begun_at(model, pair, settings, starts[v / 2]));
  }
  return beginnings;
}

ImageFit refined(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings,
                 const std::vector<Placement>& beginnings) {
  Placement state{Eigen::VectorXd::Zero(model.size()), {}};
  for (const Placement& one : beginnings) {
    state.poses.insert(state.poses.end(), one.poses.begin(), one.poses.end());
    state.coefficients += one.coefficients / static_cast<double>(beginnings.size());
  }
  const Problem problem(model, views, settings);
  problem.descend(state, {Shown::edges, model.size(), kNearer, kNarrow, 30});
  const Sums sums = problem.linearised(state, Shown::edges, model.size(), kNarrow);
  const Sums before = problem.prior(state);
  const double length = std::max(sums.length, 1e-9);
  const double residual = std::sqrt(sums.squares / length);
  const double misfit = 2 * (sums.cost - before.cost) * settings.independent / length;
  const Eigen::MatrixXd prior = before.normal.selfadjointView<Eigen::Lower>();
  const Eigen::MatrixXd posterior = sums.normal.selfadjointView<Eigen::Lower>();
  return {std::move(state), residual, misfit, posterior - prior, prior};
}

}  // namespace osteon::shape_model
