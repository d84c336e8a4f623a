#include "tally.hpp"

#include "statistics/statistics.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace osteon::separation {

namespace {

double pairs_of(const std::vector<Counts>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0,
                         [](double sum, const Counts& one) { return sum + one.pairs; });
}

/// The people who have any pair.
std::vector<std::size_t> people_with_pairs(const Tally& tally) {
  std::vector<std::size_t> people;
  for (std::size_t p = 0; p < tally.people; ++p) {
    bool has = tally.same[p].pairs > 0;
    for (std::size_t o = 0; o < tally.people && !has; ++o)
      has = tally.different[p * tally.people + o].pairs > 0 || tally.different[o * tally.people + p].pairs > 0;
    if (has) people.push_back(p);
  }
  return people;
}

}  // namespace

double Tally::same_pairs() const { return pairs_of(same); }
double Tally::different_pairs() const { return pairs_of(different); }

std::string Tally::why_undefined() const {
  if (same_pairs() + different_pairs() == 0) return "no pair of images within these angles and energies";
  if (same_pairs() == 0) return "no pair shows the same bone";
  return different_pairs() == 0 ? "no pair shows two people's bones" : "";
}

std::vector<Tally> tally(const at::Tensor& vectors, const Column& column, const Identities& identities,
                         const std::vector<std::uint8_t>& membership, std::size_t subsets,
                         const std::vector<Rule>& rules) {
  const std::size_t people = identities.people();
  const Counts none{0, std::vector<double>(rules.size(), 0)};
  std::vector<Tally> tallies(
      subsets, {people, std::vector<Counts>(people, none), std::vector<Counts>(people * people, none), 0});
  std::vector<std::vector<bool>> has_pairs(subsets, std::vector<bool>(identities.bones(), false));
  const auto count = [&](std::int64_t left, std::int64_t right, double squared) {
    const Kind kind = identities.kind(left, right);
    if (kind == Kind::neither) return;
    const unsigned within = membership[static_cast<std::size_t>(left)] & membership[static_cast<std::size_t>(right)];
    const std::size_t own = identities.person(left), other = identities.person(right);
    for (std::size_t s = 0; s < subsets; ++s) {
      if ((within >> s & 1U) == 0) continue;
      Counts& counts = kind == Kind::same ? tallies[s].same[own] : tallies[s].different[own * people + other];
      has_pairs[s][static_cast<std::size_t>(identities.bone(left))] = true;
      has_pairs[s][static_cast<std::size_t>(identities.bone(right))] = true;
      counts.pairs += 1;
      for (std::size_t r = 0; r < rules.size(); ++r) counts.below[r] += squared < rules[r].squared_limit ? 1 : 0;
    }
  };
  for_each_block(vectors, column, [&](std::int64_t first_left, std::int64_t first_right, const at::Tensor& squared) {
    const double* distance = squared.data_ptr<double>();
    for (std::int64_t l = 0; l < squared.size(0); ++l)
      for (std::int64_t r = 0; r < squared.size(1); ++r) {
        const std::int64_t left = first_left + l, right = first_right + r;
        if (right >= column.first_right(left))
          count(column.left[static_cast<std::size_t>(left)], column.right[static_cast<std::size_t>(right)],
                distance[l * squared.size(1) + r]);
      }
  });
  for (std::size_t s = 0; s < subsets; ++s) tallies[s].bones = std::ranges::count(has_pairs[s], true);
  return tallies;
}

Shares shares_of(const Tally& tally, std::size_t rule, const std::vector<double>& times) {
  const auto weight = [&](std::size_t person) { return times.empty() ? 1.0 : times[person]; };
  Counts same{0, {0}}, different{0, {0}};
  const auto add = [rule](Counts& sum, const Counts& one, double share) {
    sum.pairs += share * one.pairs;
    sum.below[0] += share * one.below[rule];
  };
  for (std::size_t p = 0; p < tally.people; ++p) {
    add(same, tally.same[p], weight(p));
    for (std::size_t o = 0; o < tally.people; ++o)
      add(different, tally.different[p * tally.people + o], weight(p) * weight(o));
  }
  const double undefined = std::numeric_limits<double>::quiet_NaN();
  Shares shares{same.pairs > 0 ? same.below[0] / same.pairs : undefined,
                different.pairs > 0 ? 1 - different.below[0] / different.pairs : undefined, undefined, undefined};
  shares.mean = (shares.same + shares.different) / 2;
  const double ones = tally.same_pairs(), others = tally.different_pairs();
  shares.all = (shares.same * ones + shares.different * others) / (ones + others);
  return shares;
}

Interval interval_of(const Tally& tally, std::size_t rule, double Shares::*figure, std::uint64_t seed) {
  const std::vector<std::size_t> people = people_with_pairs(tally);
  std::vector<double> times_of_person(tally.people, 0);
  return statistics::interval(people.size(), seed, [&](std::span<const double> times) {
    for (std::size_t i = 0; i < people.size(); ++i) times_of_person[people[i]] = times[i];
    return shares_of(tally, rule, times_of_person).*figure;
  });
}

}  // namespace osteon::separation
