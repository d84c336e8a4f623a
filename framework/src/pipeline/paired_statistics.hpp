#pragma once

// Two or more settings of an experiment, measured on the same people and each trained from several seeds. The person is
// the unit, never the image or the bone. Sign flips: Fisher, "The Design of Experiments", 1935, section 21. Several
// tests: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979. Intervals: people
// are resampled as clusters (Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8), then
// seeds. A seed is one training that answers for all people, so a sample's seeds are drawn once for all of its people
// (Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1, 2007): drawn for each person anew, what trainings have in
// common would average out and the intervals would be too short. Where what is left over within a person and a seed
// dominates, they are too long, which is the safe side.

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace osteon::pipeline::paired {

/// Below it a percentile interval covers far less than it claims.
inline constexpr std::size_t kFewestForInterval = 12;
inline constexpr std::size_t kSamples = 2000;
/// Up to so many people all 2^n flips are counted; beyond, `kFlips` are drawn.
inline constexpr std::size_t kMostForAllFlips = 12;
inline constexpr std::size_t kFlips = 9999;
inline constexpr double kLevel = 0.05;

/// One setting: `[seed][person]`, the person's mean.
using Setting = std::vector<std::vector<double>>;

[[nodiscard]] double mean(std::span<const double> values);
/// Of the population that the values are drawn from (n - 1); NaN of fewer than two.
[[nodiscard]] double deviation(std::span<const double> values);
/// Each person's mean over the seeds.
[[nodiscard]] std::vector<double> over_seeds(const Setting& setting);
/// Σ weight · value / Σ weight.
[[nodiscard]] double weighted(std::span<const double> weights, std::span<const double> values);

/// Each setting's figure in `kSamples` samples: `[setting][sample]`. A sample draws people with replacement, the same
/// for all settings, and then as many seeds of each setting as it has. Person p weighs `weights[p]`.
[[nodiscard]] std::vector<std::vector<double>> bootstrap(std::span<const double> weights,
                                                         std::span<const Setting> settings, std::uint64_t seed);

/// From the 2.5 to the 97.5 % point of `first - second`.
[[nodiscard]] std::pair<double, double> interval_of_difference(std::span<const double> first,
                                                               std::span<const double> second);

/// In which share of the samples each setting has the best figure; of equally good ones each gets its part.
[[nodiscard]] std::vector<double> shares_of_first(std::span<const std::vector<double>> samples, bool larger_is_better);

/// The smallest two-sided p that flips of the signs of `people` differences can give: 2 / 2^n.
[[nodiscard]] double smallest_p(std::size_t people);
/// The fewest people whose `smallest_p` is not above `kLevel`.
[[nodiscard]] std::size_t fewest_for_p();

/// Two-sided p that the differences (one a person, weighted already) add up to so much by chance: the share of sign
/// flips whose sum is as far from 0. Exact up to `kMostForAllFlips` people, then (1 + hits) / (1 + `kFlips`). Nothing
/// where `smallest_p` is above `kLevel`: no data could then say anything.
[[nodiscard]] std::optional<double> sign_flips(std::span<const double> differences, std::uint64_t seed);

/// Holm's corrected p-values. What is nothing stays nothing and is no comparison.
[[nodiscard]] std::vector<std::optional<double>> holm(std::span<const std::optional<double>> p);

}  // namespace osteon::pipeline::paired
