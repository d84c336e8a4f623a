#include "verification/roc.hpp"

#include <cmath>
#include <limits>

namespace osteon::verification {

namespace {

/// Adds a point; of three in a horizontal or upright line the middle one goes.
void add_point(Roc& roc, double false_accepts, double true_accepts) {
  const std::size_t n = roc.false_accepts.size();
  const auto in_line = [&](const std::vector<double>& values, double next) {
    return n >= 2 && values[n - 1] == next && values[n - 2] == next;
  };
  if (in_line(roc.false_accepts, false_accepts) || in_line(roc.true_accepts, true_accepts)) {
    roc.false_accepts.back() = false_accepts;
    roc.true_accepts.back() = true_accepts;
    return;
  }
  roc.false_accepts.push_back(false_accepts);
  roc.true_accepts.push_back(true_accepts);
}

}  // namespace

Roc roc_of(std::span<const Trial> sorted, std::span<const double> times) {
  double genuine = 0, impostor = 0;
  for (const Trial& trial : sorted) (trial.is_genuine ? genuine : impostor) += trial.weight * times_drawn(trial, times);
  if (!(genuine > 0) || !(impostor > 0)) return {};
  Roc roc{{0}, {0}};
  double accepted_genuine = 0, accepted_impostor = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    (sorted[i].is_genuine ? accepted_genuine : accepted_impostor) += sorted[i].weight * times_drawn(sorted[i], times);
    if (i + 1 < sorted.size() && sorted[i + 1].score == sorted[i].score) continue;
    add_point(roc, accepted_impostor / impostor, accepted_genuine / genuine);
  }
  return roc;
}

double equal_error_rate(const Roc& roc) {
  for (std::size_t i = 1; i < roc.false_accepts.size(); ++i) {
    const double before = roc.false_accepts[i - 1] + roc.true_accepts[i - 1] - 1;
    const double after = roc.false_accepts[i] + roc.true_accepts[i] - 1;
    if (after < 0) continue;
    const double share = after > before ? -before / (after - before) : 0;
    return std::lerp(roc.false_accepts[i - 1], roc.false_accepts[i], share);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double area_under(const Roc& roc) {
  if (roc.false_accepts.empty()) return std::numeric_limits<double>::quiet_NaN();
  double area = 0;
  for (std::size_t i = 1; i < roc.false_accepts.size(); ++i)
    area += (roc.false_accepts[i] - roc.false_accepts[i - 1]) * (roc.true_accepts[i] + roc.true_accepts[i - 1]) / 2;
  return area;
}

double true_accepts_at(const Roc& roc, double rate) {
  if (roc.false_accepts.empty()) return std::numeric_limits<double>::quiet_NaN();
  double best = 0;
  for (std::size_t i = 0; i < roc.false_accepts.size(); ++i)
    if (roc.false_accepts[i] <= rate) best = roc.true_accepts[i];
  return best;
}

double least_false_accept_rate(std::int64_t people) {
  const std::int64_t pairs = independent_pairs(people);
  return pairs > 0 ? 3 / static_cast<double>(pairs) : std::numeric_limits<double>::infinity();
}

}  // namespace osteon::verification
