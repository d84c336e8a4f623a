#include "verification/ranks.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::verification {

double Rank::within(std::int64_t k) const {
  return std::clamp(static_cast<double>(k - nearer) / static_cast<double>(tied + 1), 0.0, 1.0);
}

double Rank::reciprocal() const {
  double sum = 0;
  for (std::int64_t place = nearer + 1; place <= nearer + 1 + tied; ++place) sum += 1 / static_cast<double>(place);
  return sum / static_cast<double>(tied + 1);
}

Rank rank_of(double own, std::span<const double> others) {
  Rank rank{0, 0, 1};
  for (const double other : others) {
    if (!std::isfinite(other)) continue;
    rank.nearer += other < own ? 1 : 0;
    rank.tied += other == own ? 1 : 0;
    ++rank.candidates;
  }
  return rank;
}

std::vector<RankedProbe> ranks_in_gallery(const std::vector<Probe>& probes) {
  std::vector<RankedProbe> ranked;
  for (const Probe& probe : probes) {
    const auto own = static_cast<std::size_t>(probe.bone);
    if (!std::isfinite(probe.distances[own])) continue;
    std::vector<double> others = probe.distances;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(own));
    ranked.push_back({probe.bone, rank_of(probe.distances[own], others)});
  }
  return ranked;
}

BoneAverage average_over_bones(std::size_t count, const std::function<std::int64_t(std::size_t)>& bone,
                               const std::function<double(std::size_t)>& figure, const Cohort& cohort) {
  std::map<std::int64_t, statistics::Contribution> bones;
  for (std::size_t i = 0; i < count; ++i) {
    auto& own = bones[bone(i)];
    own.hits += figure(i);
    own.total += 1;
  }
  BoneAverage average;
  std::map<std::int64_t, statistics::Contribution> people;
  for (const auto& [index, own] : bones) {
    const double mean = own.hits / own.total;
    average.by_bone[index] = mean;
    average.sum += mean;
    auto& person = people[cohort.person[static_cast<std::size_t>(index)]];
    person.hits += mean;
    person.total += 1;
  }
  for (const auto& [person, one] : people) {
    average.by_person.push_back(one);
    average.people.push_back(cohort.name[static_cast<std::size_t>(person)]);
  }
  return average;
}

}  // namespace osteon::verification
