#include "verification/roc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

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

RocDraws::RocDraws(std::span<const Trial> sorted) {
  std::vector<Trial> step;
  int step_kind = -1;  // 0: impostor trials alone, 1: genuine ones alone, -1: both, which tie
  for (std::size_t first = 0, last = 0; first < sorted.size(); first = last) {
    bool has[2] = {};
    for (; last < sorted.size() && sorted[last].score == sorted[first].score; ++last)
      has[sorted[last].is_genuine] = true;
    const int kind = has[0] && has[1] ? -1 : has[1];
    if (kind < 0 || kind != step_kind) add_step(step);
    step_kind = kind;
    step.insert(step.end(), sorted.begin() + static_cast<std::ptrdiff_t>(first),
                sorted.begin() + static_cast<std::ptrdiff_t>(last));
  }
  add_step(step);
}

void RocDraws::add_step(std::vector<Trial>& trials) {
  if (trials.empty()) return;
  const auto key = [](const Trial& t) { return std::tuple(t.is_genuine, t.probe_person, t.enrolled_person); };
  std::ranges::stable_sort(trials, {}, key);
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (i > 0 && key(trials[i]) == key(parts_.back()))
      parts_.back().weight += trials[i].weight;
    else
      parts_.push_back(trials[i]);
  ends_.push_back(parts_.size());
  trials.clear();
}

Roc RocDraws::roc(std::span<const double> times) const {
  Roc roc{{0}, {0}};
  double accepted[2] = {};  // impostor, genuine
  std::size_t part = 0;
  for (const std::size_t end : ends_) {
    for (; part < end; ++part)
      accepted[parts_[part].is_genuine] += parts_[part].weight * times_drawn(parts_[part], times);
    add_point(roc, accepted[0], accepted[1]);
  }
  if (!(accepted[0] > 0) || !(accepted[1] > 0)) return {};
  for (double& one : roc.false_accepts) one /= accepted[0];
  for (double& one : roc.true_accepts) one /= accepted[1];
  return roc;
}

Roc roc_of(std::span<const Trial> sorted, std::span<const double> times) { return RocDraws(sorted).roc(times); }

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
