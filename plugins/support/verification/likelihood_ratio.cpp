#include "verification/likelihood_ratio.hpp"

#include "verification/isotonic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <set>

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

/// The fold of each person: those with probes are dealt first, so that no fold has many of them.
std::map<std::int64_t, std::int64_t> calibration_folds(std::span<const Trial> trials) {
  std::set<std::int64_t> probes, enrolled;
  for (const Trial& trial : trials) {
    probes.insert(trial.probe_person);
    enrolled.insert(trial.enrolled_person);
  }
  std::map<std::int64_t, std::int64_t> fold;
  for (const auto& people : {probes, enrolled})
    for (const std::int64_t person : people) fold.try_emplace(person, std::ssize(fold) % kCalibrationFolds);
  return fold;
}

}  // namespace

double cllr(std::span<const LogRatio> ratios, std::span<const double> times) {
  double cost[2] = {}, weight[2] = {};
  for (const LogRatio& ratio : ratios) {
    const double w =
        ratio.weight * times_drawn({0, 1, ratio.is_genuine, ratio.probe_person, ratio.enrolled_person}, times);
    if (w == 0) continue;
    cost[ratio.is_genuine] += w * softplus(ratio.is_genuine ? -ratio.value : ratio.value) / std::numbers::ln2;
    weight[ratio.is_genuine] += w;
  }
  return (cost[0] / weight[0] + cost[1] / weight[1]) / 2;  // 0/0 is NaN
}

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
  std::map<std::int64_t, std::int64_t> fold = calibration_folds(trials);

  std::map<std::pair<std::int64_t, std::int64_t>, Calibration> calibrations;  // by the folds left out
  std::vector<LogRatio> ratios;
  for (const Trial& trial : trials) {
    const std::pair out = std::minmax({fold[trial.probe_person], fold[trial.enrolled_person]});
    auto known = calibrations.find(out);
    if (known == calibrations.end()) {
      std::vector<Trial> others;
      std::set<std::int64_t> people;
      const auto is_out = [&](std::int64_t person) { return fold[person] == out.first || fold[person] == out.second; };
      for (const Trial& other : trials) {
        if (is_out(other.probe_person) || is_out(other.enrolled_person)) continue;
        others.push_back(other);
        people.insert(other.probe_person);
      }
      const auto calibration = calibrate(others, std::ssize(people));
      if (!calibration) return std::nullopt;
      known = calibrations.emplace(out, *calibration).first;
    }
    ratios.push_back(
        {known->second(trial.score), trial.weight, trial.is_genuine, trial.probe_person, trial.enrolled_person});
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
