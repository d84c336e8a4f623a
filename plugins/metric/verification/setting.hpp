#pragma once

// One embedding set in one column, and how its figures are written down.

#include "verification/trials.hpp"

#include <osteon/metric.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace osteon::verification {

inline constexpr const char* kSection = "Verification";

struct Setting {
  const Evidence* evidence;
  const Cohort* cohort;
  const ProbeTable* table;
  std::vector<std::int64_t> people;  ///< with probes

  /// "never trained on" or "seen in training".
  [[nodiscard]] std::string name() const { return table->held_out ? "never trained on" : "seen in training"; }
  [[nodiscard]] std::int64_t pairs() const { return independent_pairs(std::ssize(people)); }
};

/// A value of `row` with what all rows of a column share: count of people, unit "%", notes on volumes and folds.
[[nodiscard]] MetricValue figure(const Setting& setting, std::string table, std::string column);
/// The same value, as the row "chance".
[[nodiscard]] MetricValue chance(MetricValue value, double by_chance);
[[nodiscard]] MetricValue undefined(MetricValue value, const std::string& reason);
void add_note(MetricValue& value, const std::string& note);

using Interval = std::optional<std::pair<double, double>>;

/// Over the people with probes; `of(times)` is handed how often each person of the cohort occurs, once those who are
/// only enrolled. Nothing below 12 people.
[[nodiscard]] Interval interval_over_people(const Setting& setting,
                                            const std::function<double(std::span<const double>)>& of);
/// The same of several figures of each draw.
[[nodiscard]] std::vector<Interval> intervals_over_people(
    const Setting& setting, std::size_t count, const std::function<std::vector<double>(std::span<const double>)>& of);
[[nodiscard]] Interval times_hundred(Interval interval);

/// The chart of this title, which is made when it is first asked for.
[[nodiscard]] Chart& chart_of(MetricResult& result, const std::string& title, const std::string& x_label,
                              const std::string& y_label);

/// What the plugin was told.
struct Options {
  std::vector<std::int64_t> ranks;
  std::vector<double> false_accept_rates;
};

// Each adds its tables and charts of one setting.
void add_ranks(const Setting& setting, const Options& options, MetricResult& result);
void add_opposite_side(const Setting& setting, MetricResult& result);
void add_error_rates(const Setting& setting, const Options& options, MetricResult& result);
void add_open_set(const Setting& setting, MetricResult& result);
void add_likelihood_ratios(const Setting& setting, MetricResult& result);

/// What calibrated classifiers did with people whom nobody has enrolled.
void add_watch_lists(const Evidence& evidence, const Cohort& cohort, MetricResult& result);

}  // namespace osteon::verification
