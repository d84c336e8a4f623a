#include "pipeline/paired_statistics.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace osteon::pipeline::paired {

namespace {

/// The value below which `share` of the sorted values lie, interpolated between neighbours.
double quantile(std::span<const double> sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

/// How often each of `count` was drawn, of `count` draws.
std::vector<double> drawn(std::size_t count, Random& random) {
  std::vector<double> times(count);
  for (std::size_t i = 0; i < count; ++i) ++times[random.below(count)];
  return times;
}

/// Sums that a rounding error away from `observed` still count as equal to it.
bool is_as_far(double sum, double observed, double scale) { return std::abs(sum) >= std::abs(observed) - 1e-9 * scale; }

/// The sum with the signs that `negative` says, bit i of it the sign of difference i.
double flipped(std::span<const double> differences, std::uint64_t negative) {
  double sum = 0;
  for (std::size_t i = 0; i < differences.size(); ++i)
    sum += (negative >> i & 1) != 0 ? -differences[i] : differences[i];
  return sum;
}

}  // namespace

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(std::span<const double> values) {
  if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double middle = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::vector<double> over_seeds(const Setting& setting) {
  std::vector<double> means(setting.front().size());
  for (const std::vector<double>& seed : setting)
    for (std::size_t p = 0; p < means.size(); ++p) means[p] += seed[p] / static_cast<double>(setting.size());
  return means;
}

double weighted(std::span<const double> weights, std::span<const double> values) {
  return std::inner_product(weights.begin(), weights.end(), values.begin(), 0.0) /
         std::accumulate(weights.begin(), weights.end(), 0.0);
}

std::vector<std::vector<double>> bootstrap(std::span<const double> weights, std::span<const Setting> settings,
                                           std::uint64_t seed) {
  Random people(seed, "people of a comparison"), seeds(seed, "seeds of a comparison");
  std::vector<std::vector<double>> samples(settings.size());
  for (std::size_t sample = 0; sample < kSamples; ++sample) {
    throw_if_stopped();
    std::vector<double> weight = drawn(weights.size(), people);
    for (std::size_t p = 0; p < weight.size(); ++p) weight[p] *= weights[p];
    for (std::size_t s = 0; s < settings.size(); ++s) {
      const std::vector<double> times = drawn(settings[s].size(), seeds);
      double figure = 0;
      for (std::size_t r = 0; r < times.size(); ++r)
        if (times[r] > 0) figure += times[r] * weighted(weight, settings[s][r]);
      samples[s].push_back(figure / static_cast<double>(times.size()));
    }
  }
  return samples;
}

std::pair<double, double> interval_of_difference(std::span<const double> first, std::span<const double> second) {
  std::vector<double> differences(first.size());
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] = first[i] - second[i];
  std::ranges::sort(differences);
  return {quantile(differences, 0.025), quantile(differences, 0.975)};
}

std::vector<double> shares_of_first(std::span<const std::vector<double>> samples, bool larger_is_better) {
  std::vector<double> shares(samples.size());
  const std::size_t count = samples.front().size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = [&](const std::vector<double>& one) { return larger_is_better ? one[i] : -one[i]; };
    const double best = at(*std::ranges::max_element(samples, {}, at));
    const auto is_best = [&](const std::vector<double>& one) { return at(one) >= best - 1e-9 * std::abs(best); };
    const auto ties = static_cast<double>(std::ranges::count_if(samples, is_best));
    for (std::size_t s = 0; s < samples.size(); ++s)
      if (is_best(samples[s])) shares[s] += 1 / ties / static_cast<double>(count);
  }
  return shares;
}

double smallest_p(std::size_t people) { return std::min(1.0, std::ldexp(2.0, -static_cast<int>(people))); }

std::size_t fewest_for_p() {
  std::size_t people = 1;
  while (smallest_p(people) > kLevel) ++people;
  return people;
}

std::optional<double> sign_flips(std::span<const double> differences, std::uint64_t seed) {
  const std::size_t people = differences.size();
  if (smallest_p(people) > kLevel) return std::nullopt;
  const double observed = flipped(differences, 0);
  double scale = 0;
  for (const double difference : differences) scale += std::abs(difference);
  std::size_t hits = 0;
  if (people <= kMostForAllFlips) {
    const std::uint64_t all = std::uint64_t{1} << people;
    for (std::uint64_t negative = 0; negative < all; ++negative)
      hits += is_as_far(flipped(differences, negative), observed, scale) ? 1 : 0;
    return static_cast<double>(hits) / static_cast<double>(all);
  }
  Random random(seed, "sign flips of a comparison");
  for (std::size_t flip = 0; flip < kFlips; ++flip) {
    double sum = 0;
    std::uint32_t signs = 0;
    for (std::size_t i = 0; i < people; ++i, signs >>= 1) {
      if (i % 32 == 0) signs = random.bits();
      sum += (signs & 1) != 0 ? -differences[i] : differences[i];
    }
    hits += is_as_far(sum, observed, scale) ? 1 : 0;
  }
  return static_cast<double>(1 + hits) / static_cast<double>(1 + kFlips);
}

std::vector<std::optional<double>> holm(std::span<const std::optional<double>> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i]) order.push_back(i);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return *p[i]; });
  std::vector<std::optional<double>> corrected(p.size());
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, std::min(1.0, static_cast<double>(order.size() - i) * *p[order[i]]));
    corrected[order[i]] = least;
  }
  return corrected;
}

}  // namespace osteon::pipeline::paired
