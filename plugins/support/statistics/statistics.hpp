#pragma once

// Intervals over people. Images of one bone, and the two bones of one person, are no independent observations: what is
// resampled is the person (cluster bootstrap; Davison and Hinkley, "Bootstrap methods and their application", 1997,
// section 3.8). Below `kFewestPeople` a percentile interval covers far less than it claims, so there is none.

#include <osteon/metric.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace osteon::statistics {

inline constexpr std::size_t kFewestPeople = 12;
inline constexpr int kDraws = 2000;

/// What one person contributes to a share: `hits` of `total`.
struct Contribution {
  double hits = 0, total = 0;
};

/// 95 % percentile interval of Σhits / Σtotal when people are drawn with replacement. Nothing for fewer than
/// `kFewestPeople` people. The same seed draws the same people, so rows of one table are resampled alike.
[[nodiscard]] std::optional<std::pair<double, double>> share_interval(std::span<const Contribution> people,
                                                                      std::uint64_t seed);

/// Fills `value.people`, and `value.interval` by `share_interval`, of a figure that is a mean over `people`, both times
/// `scale` (100: shares in percent).
void set_people(MetricValue& value, const std::map<std::string, Contribution>& people, std::uint64_t seed,
                double scale = 1);

/// What `MetricValue::people` holds of `people[i]`, who contributes `contributions[i]`, times `scale`.
[[nodiscard]] std::vector<PersonPart> parts(std::span<const std::string> people,
                                            std::span<const Contribution> contributions, double scale = 1);

/// The same for any figure: `figure(times)` gets how often each person was drawn and gives the figure of that sample,
/// or NaN where it is undefined. Nothing for fewer than `kFewestPeople` people.
[[nodiscard]] std::optional<std::pair<double, double>> interval(
    std::size_t people, std::uint64_t seed, const std::function<double(std::span<const double> times)>& figure);

/// The intervals of `count` figures that are made of the same samples, as `interval` would give each.
[[nodiscard]] std::vector<std::optional<std::pair<double, double>>> intervals(
    std::size_t people, std::uint64_t seed, std::size_t count,
    const std::function<std::vector<double>(std::span<const double> times)>& figures);

}  // namespace osteon::statistics
