#include "verification/likelihood_ratio.hpp"

#include "verification/isotonic.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <set>
#include <tuple>

namespace osteon::verification {

namespace {

/// ln(1 + e^x), without overflow.
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

struct Totals {
  double genuine = 0, impostor = 0;
};

Totals totals_of(std::span<const Trial> trials) {
  Totals totals;
  for (const Trial& trial : trials) (trial.is_genuine ? totals.genuine : totals.impostor) += trial.weight;
  return totals;
}

/// Weighted logistic regression of one variable by Newton's method, each step halved until the loss falls.
class LogisticRegression {
 public:
  /// x: scores shifted and scaled; y: targets; w: weights.
  LogisticRegression(std::vector<double> x, std::vector<double> y, std::vector<double> w)
      : x_(std::move(x)), y_(std::move(y)), w_(std::move(w)) {}

  [[nodiscard]] Calibration fit() const {
    Calibration now;
    double loss = loss_of(now);
    for (int step = 0; step < 100; ++step) {
      const Calibration direction = newton_direction(now);
      double length = 1, next_loss = loss;
      Calibration next = now;
      for (; length > 1e-6; length /= 2) {
        next = {now.offset + length * direction.offset, now.slope + length * direction.slope};
        next_loss = loss_of(next);
        if (next_loss <= loss) break;
      }
      if (length <= 1e-6) break;
      const double change = std::abs(next.offset - now.offset) + std::abs(next.slope - now.slope);
      now = next;
      loss = next_loss;
      if (change < 1e-10 * (1 + std::abs(now.slope) + std::abs(now.offset))) break;
    }
    return now;
  }

 private:
  [[nodiscard]] double loss_of(const Calibration& at) const {
    double sum = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) sum += w_[i] * (softplus(at(x_[i])) - y_[i] * at(x_[i]));
    return sum;
  }

  [[nodiscard]] Calibration newton_direction(const Calibration& at) const {
    double g0 = 0, g1 = 0, h00 = 1e-12, h01 = 0, h11 = 1e-12;  // never singular, even where all scores tie
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const double p = 1 / (1 + std::exp(-at(x_[i]))), h = w_[i] * p * (1 - p), g = w_[i] * (p - y_[i]);
      g0 += g;
      g1 += g * x_[i];
      h00 += h;
      h01 += h * x_[i];
      h11 += h * x_[i] * x_[i];
    }
    const double determinant = h00 * h11 - h01 * h01;
    return {-(h11 * g0 - h01 * g1) / determinant, -(h00 * g1 - h01 * g0) / determinant};
  }

  std::vector<double> x_, y_, w_;
};

/// The fold of each person, -1 of those without trials: those with probes are dealt first, so that no fold has many of
/// them.
std::vector<std::int64_t> calibration_folds(std::span<const Trial> trials) {
  std::set<std::int64_t> probes, enrolled;
  for (const Trial& trial : trials) {
    probes.insert(trial.probe_person);
    enrolled.insert(trial.enrolled_person);
  }
  std::vector<std::int64_t> fold(
      static_cast<std::size_t>(enrolled.empty() ? 0 : std::max(*probes.rbegin(), *enrolled.rbegin()) + 1), -1);
  std::int64_t dealt = 0;
  for (const auto& people : {probes, enrolled})
    for (const std::int64_t person : people)
      if (std::int64_t& own = fold[static_cast<std::size_t>(person)]; own < 0) own = dealt++ % kCalibrationFolds;
  return fold;
}

}  // namespace

CllrDraws::CllrDraws(std::span<const LogRatio> ratios) {
  std::map<std::tuple<bool, std::int64_t, std::int64_t>, std::size_t> place;
  for (const LogRatio& ratio : ratios) {
    const auto [known, is_new] =
        place.try_emplace({ratio.is_genuine, ratio.probe_person, ratio.enrolled_person}, parts_.size());
    if (is_new) parts_.push_back({{0, 0, ratio.is_genuine, ratio.probe_person, ratio.enrolled_person}, 0});
    Part& part = parts_[known->second];
    part.pair.weight += ratio.weight;
    part.cost += ratio.weight * softplus(ratio.is_genuine ? -ratio.value : ratio.value) / std::numbers::ln2;
  }
}

double CllrDraws::operator()(std::span<const double> times) const {
  double cost[2] = {}, weight[2] = {};
  for (const Part& part : parts_) {
    const double drawn = times_drawn(part.pair, times);
    if (drawn == 0) continue;  // its cost may be infinite
    cost[part.pair.is_genuine] += drawn * part.cost;
    weight[part.pair.is_genuine] += drawn * part.pair.weight;
  }
  return (cost[0] / weight[0] + cost[1] / weight[1]) / 2;  // 0/0 is NaN
}

double cllr(std::span<const LogRatio> ratios, std::span<const double> times) { return CllrDraws(ratios)(times); }

double least_cllr(std::span<const Trial> sorted) {
  const Totals totals = totals_of(sorted);
  if (!(totals.genuine > 0) || !(totals.impostor > 0)) return std::numeric_limits<double>::quiet_NaN();
  // Trials that tie are one value: the share of genuine ones among them, both kinds weighing the same in all.
  std::vector<double> share, weight, genuine;
  for (std::size_t i = sorted.size(); i-- > 0;) {
    if (i + 1 == sorted.size() || sorted[i].score != sorted[i + 1].score) {
      weight.push_back(0);
      genuine.push_back(0);
    }
    const double w = sorted[i].weight / (sorted[i].is_genuine ? totals.genuine : totals.impostor);
    weight.back() += w;
    genuine.back() += sorted[i].is_genuine ? w : 0;
  }
  for (std::size_t i = 0; i < weight.size(); ++i) share.push_back(genuine[i] / weight[i]);
  const std::vector<double> posterior = isotonic(share, weight);
  double cost = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    if (genuine[i] > 0) cost -= genuine[i] * std::log2(posterior[i]);
    if (weight[i] > genuine[i]) cost -= (weight[i] - genuine[i]) * std::log2(1 - posterior[i]);
  }
  return cost / 2;
}

std::optional<Calibration> calibrate(std::span<const Trial> trials, std::int64_t people) {
  const Totals totals = totals_of(trials);
  if (!(totals.genuine > 0) || !(totals.impostor > 0)) return std::nullopt;
  const double soft = 1 / static_cast<double>(people + 2);
  std::vector<double> x, y, w;
  double mean = 0, squares = 0;
  for (const Trial& trial : trials) {
    x.push_back(trial.score);
    y.push_back(trial.is_genuine ? 1 - soft : soft);
    w.push_back(trial.weight / (2 * (trial.is_genuine ? totals.genuine : totals.impostor)));
    mean += w.back() * trial.score;
  }
  for (std::size_t i = 0; i < x.size(); ++i) squares += w[i] * (x[i] - mean) * (x[i] - mean);
  const double scale = squares > 0 ? std::sqrt(squares) : 1;
  for (double& value : x) value = (value - mean) / scale;
  const Calibration scaled = LogisticRegression(std::move(x), std::move(y), std::move(w)).fit();
  return Calibration{scaled.offset - scaled.slope * mean / scale, scaled.slope / scale};
}

std::optional<std::vector<LogRatio>> cross_calibrated(std::span<const Trial> trials) {
  const std::vector<std::int64_t> fold = calibration_folds(trials);
  const auto fold_of = [&](std::int64_t person) { return fold[static_cast<std::size_t>(person)]; };
  using Folds = std::pair<std::int64_t, std::int64_t>;
  const auto left_out = [&](const Trial& trial) -> Folds {
    return std::minmax({fold_of(trial.probe_person), fold_of(trial.enrolled_person)});
  };
  std::map<Folds, std::size_t> place;
  for (const Trial& trial : trials) place.try_emplace(left_out(trial), 0);
  std::vector<Folds> outs;
  for (auto& [out, at] : place) {
    at = outs.size();
    outs.push_back(out);
  }
  std::vector<std::optional<Calibration>> calibrations(outs.size());
  parallel_for(0, std::ssize(outs), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      throw_if_stopped();
      const auto is_out = [&](std::int64_t person) {
        return fold_of(person) == outs[i].first || fold_of(person) == outs[i].second;
      };
      std::vector<Trial> others;
      std::set<std::int64_t> people;
      for (const Trial& other : trials) {
        if (is_out(other.probe_person) || is_out(other.enrolled_person)) continue;
        others.push_back(other);
        people.insert(other.probe_person);
      }
      calibrations[i] = calibrate(others, std::ssize(people));
    }
  });
  std::vector<LogRatio> ratios;
  for (const Trial& trial : trials) {
    const auto& calibration = calibrations[place.at(left_out(trial))];
    if (!calibration) return std::nullopt;
    ratios.push_back(
        {(*calibration)(trial.score), trial.weight, trial.is_genuine, trial.probe_person, trial.enrolled_person});
  }
  return ratios;
}

double share_above(std::span<const LogRatio> ratios, bool genuine, double at) {
  double above = 0, all = 0;
  for (const LogRatio& ratio : ratios) {
    if (ratio.is_genuine != genuine) continue;
    all += ratio.weight;
    above += ratio.value > at * std::numbers::ln10 ? ratio.weight : 0;
  }
  return above / all;
}

}  // namespace osteon::verification
