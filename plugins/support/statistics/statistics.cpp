#include "statistics/statistics.hpp"

#include <osteon/parallel.hpp>
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

std::vector<std::optional<std::pair<double, double>>> intervals(
    std::size_t people, std::uint64_t seed, std::size_t count,
    const std::function<std::vector<double>(std::span<const double>)>& figures) {
  std::vector<std::optional<std::pair<double, double>>> result(count);
  if (people < kFewestPeople) return result;
  Random random(seed, "bootstrap over people");
  std::vector<std::vector<double>> drawn(count);
  std::vector<double> times(people);
  for (int draw = 0; draw < kDraws; ++draw) {
    throw_if_stopped();
    std::ranges::fill(times, 0.0);
    for (std::size_t i = 0; i < people; ++i) ++times[random.below(people)];
    const std::vector<double> sample = figures(times);
    for (std::size_t f = 0; f < count; ++f)
      if (std::isfinite(sample[f])) drawn[f].push_back(sample[f]);
  }
  for (std::size_t f = 0; f < count; ++f) {
    if (drawn[f].empty()) continue;
    std::ranges::sort(drawn[f]);
    result[f] = std::pair{quantile(drawn[f], 0.025), quantile(drawn[f], 0.975)};
  }
  return result;
}

std::optional<std::pair<double, double>> interval(std::size_t people, std::uint64_t seed,
                                                  const std::function<double(std::span<const double>)>& figure) {
  return intervals(people, seed, 1, [&](std::span<const double> times) { return std::vector{figure(times)}; }).front();
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

void set_people(MetricValue& value, const std::map<std::string, Contribution>& people, std::uint64_t seed,
                double scale) {
  std::vector<std::string> names;
  std::vector<Contribution> contributions;
  for (const auto& [name, contribution] : people) {
    names.push_back(name);
    contributions.push_back(contribution);
  }
  value.people = parts(names, contributions, scale);
  value.interval = share_interval(contributions, seed);
  if (value.interval) value.interval = {scale * value.interval->first, scale * value.interval->second};
}

std::vector<PersonPart> parts(std::span<const std::string> people, std::span<const Contribution> contributions,
                              double scale) {
  std::vector<PersonPart> result;
  for (std::size_t i = 0; i < people.size(); ++i)
    result.push_back({people[i], scale * contributions[i].hits, contributions[i].total});
  return result;
}

}  // namespace osteon::statistics
