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

std::optional<std::pair<double, double>> share_interval(std::span<const Contribution> people, std::uint64_t seed) {
  if (people.size() < kFewestPeople) return std::nullopt;
  Random random(seed, "bootstrap over people");
  std::vector<double> shares;
  shares.reserve(kDraws);
  for (int draw = 0; draw < kDraws; ++draw) {
    Contribution sum;
    for (std::size_t i = 0; i < people.size(); ++i) {
      const Contribution& one = people[random.below(people.size())];
      sum.hits += one.hits;
      sum.total += one.total;
    }
    if (sum.total > 0) shares.push_back(sum.hits / sum.total);
  }
  if (shares.empty()) return std::nullopt;
  std::sort(shares.begin(), shares.end());
  return std::pair{quantile(shares, 0.025), quantile(shares, 0.975)};
}

}  // namespace osteon::statistics
