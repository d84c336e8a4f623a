#pragma once

// One figure of all settings, gathered from their runs: in one unit, and person by person where it is a mean over
// people.

#include "pipeline/paired_statistics.hpp"
#include "pipeline/settings.hpp"

#include <map>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// What a person adds, of each seed.
struct PersonOverSeeds {
  std::vector<double> means;  ///< sum / count
  double weight = 0;          ///< mean count
};

/// A figure of one setting.
struct GatheredSetting {
  std::size_t setting = 0;
  std::vector<double> values = {};  ///< of the seeds that have the figure; NaN where it is undefined
  std::int64_t count = 0;
  std::map<std::string, PersonOverSeeds> people = {};  ///< those of whom every seed says something
};

struct GatheredFigure {
  std::string table, row, column, unit, counted;
  bool larger_is_better = true;
  bool has_one_unit = true;  ///< else `values` are not to be compared
  bool adds_up = true;       ///< else some run's people do not make its figure, and `people` are left out
  std::vector<GatheredSetting> settings = {};
};

/// All figures of the methods themselves, in order of appearance. What is "of 3" in one run and "%" in another, or "of
/// 4", is a percentage in all.
[[nodiscard]] std::vector<GatheredFigure> gathered_figures(const std::vector<RunSetting>& settings);

/// A run's value of a figure that was gathered in this unit: a number of so many as a percentage where it is "%".
[[nodiscard]] double value_in(const std::string& unit, const MetricValue& value);

/// The people whom all of `settings` know, with their weights (the mean over the settings), as `paired` takes them.
struct PairedPeople {
  std::vector<double> weights;
  std::vector<paired::Setting> settings;
};
[[nodiscard]] PairedPeople paired_people(const std::vector<const GatheredSetting*>& settings);

}  // namespace osteon::pipeline
