#include "statistics/statistics.hpp"

#include <osteon/random.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace osteon::statistics {

namespace {

/// The value below which `share` of the sorted values lie, interpolated between neighbours.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

std::optional<std::pair<double, double>> interval(std::size_t people, std::uint64_t seed,
                                                  const std::function<double(std::span<const double>)>& figure) {
  if (people < kFewestPeople) return std::nullopt;
  Random random(seed, "bootstrap over people");
  std::vector<double> figures, times(people);
  for (int draw = 0; draw < kDraws; ++draw) {
    std::ranges::fill(times, 0.0);
    for (std::size_t i = 0; i < people; ++i) ++times[random.below(people)];
    if (const double one = figure(times); std::isfinite(one)) figures.push_back(one);
  }
  if (figures.empty()) return std::nullopt;
  std::ranges::sort(figures);
  return std::pair{quantile(figures, 0.025), quantile(figures, 0.975)};
}

std::optional<std::pair<double, double>> share_interval(std::span<const Contribution> people, std::uint64_t seed) {
  return interval(people.size(), seed, [&](std::span<const double> times) {
    Contribution sum;
    for (std::size_t i = 0; i < people.size(); ++i) {
      sum.hits += times[i] * people[i].hits;
      sum.total += times[i] * people[i].total;
    }
    return sum.total > 0 ? sum.hits / sum.total : std::nan("");
  });
}

}  // namespace osteon::statistics
