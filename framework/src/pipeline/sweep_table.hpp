#pragma once

#include "config/experiment.hpp"

#include <osteon/metric.hpp>

#include <optional>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// Of each point its figures; nothing of one that has none.
using SweepResults = std::vector<std::optional<std::vector<MetricValue>>>;

/// The figures of a sweep: one row a setting, one column a figure of the methods themselves (not of their baselines),
/// mean over the repeats; with two repeats or more the note gives the standard deviation over seeds.
[[nodiscard]] std::vector<MetricValue> sweep_table(const config::Plan& plan, const SweepResults& results);

/// One line a point and figure, baselines too.
[[nodiscard]] std::string sweep_csv(const config::Plan& plan, const SweepResults& results);

}  // namespace osteon::pipeline
