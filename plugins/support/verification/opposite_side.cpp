#include "verification/opposite_side.hpp"

#include <cmath>
#include <limits>
#include <set>

namespace osteon::verification {

OppositeSide ranks_of_opposite_side(const std::vector<Probe>& probes, const Cohort& cohort) {
  OppositeSide result;
  std::set<std::int64_t> unknown;
  for (const Probe& probe : probes) {
    const auto own = static_cast<std::size_t>(probe.bone);
    if (cohort.side[own] == Side::unknown) {
      unknown.insert(probe.bone);
      continue;
    }
    const Side opposite = cohort.side[own] == Side::right ? Side::left : Side::right;
    std::set<std::int64_t> taken;
    std::vector<double> others;
    double partner = std::numeric_limits<double>::infinity();
    for (std::size_t b = 0; b < probe.distances.size(); ++b) {
      if (!std::isfinite(probe.distances[b])) continue;
      if (cohort.side[b] == Side::unknown) unknown.insert(static_cast<std::int64_t>(b));
      if (cohort.side[b] != opposite || !taken.insert(cohort.person[b]).second) continue;
      if (cohort.person[b] == cohort.person[own])
        partner = probe.distances[b];
      else
        others.push_back(probe.distances[b]);
    }
    if (std::isfinite(partner)) result.ranked.push_back({probe.bone, rank_of(partner, others)});
  }
  result.unknown_sides = std::ssize(unknown);
  return result;
}

}  // namespace osteon::verification
