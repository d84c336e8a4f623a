#pragma once

// How many pairs lie under a threshold, by the people that they show: enough for all figures and their intervals.

#include "pairs.hpp"

#include <optional>
#include <utility>

namespace osteon::separation {

/// "Two images show the same bone if their squared distance is below the limit."
struct Rule {
  std::string name;  ///< "distance² < margin"
  double squared_limit;
};

/// Pairs of one kind, and how many of them each rule calls the same bone.
struct Counts {
  double pairs = 0;
  std::vector<double> below;  ///< of each rule
};

/// The pairs of one subset.
struct Tally {
  std::size_t people = 0;
  std::vector<Counts> same;       ///< `[people]`
  std::vector<Counts> different;  ///< `[people × people]`: the left image's person, then the right one's
  std::int64_t bones = 0;         ///< that have a pair of either kind

  [[nodiscard]] double same_pairs() const;
  [[nodiscard]] double different_pairs() const;
  /// "", or why nothing can be told.
  [[nodiscard]] std::string why_undefined() const;
};

/// One tally a subset.
[[nodiscard]] std::vector<Tally> tally(const at::Tensor& vectors, const Column& column, const Identities& identities,
                                       const std::vector<std::uint8_t>& membership, std::size_t subsets,
                                       const std::vector<Rule>& rules);

/// What a rule gets right of a tally, each 0 … 1.
struct Shares {
  double same, different;  ///< of the pairs of the same bone, and of those of different people's bones
  double all;              ///< of all pairs
  double mean;             ///< of same and different
};

/// With `times` how often each person was drawn: a person's own pairs count as often, pairs of two people as often as
/// both together. The share of pairs that show the same bone stays that of the tally: it is the design's, not the
/// people's. NaN where no pair is left.
[[nodiscard]] Shares shares_of(const Tally& tally, std::size_t rule, const std::vector<double>& times = {});

using Interval = std::optional<std::pair<double, double>>;

/// 95 % over the people of the tally, of one member of `Shares`; nothing below 12 people.
[[nodiscard]] Interval interval_of(const Tally& tally, std::size_t rule, double Shares::*figure, std::uint64_t seed);

}  // namespace osteon::separation
