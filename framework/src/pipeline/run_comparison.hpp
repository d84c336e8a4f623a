#pragma once

// Finished runs beside each other: each of the methods' own figures of every setting, over its seeds; how far it lies
// from that of a baseline setting, person by person; and in which order the settings come.

#include "pipeline/settings.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::pipeline {

/// One figure of one setting.
struct ComparedValue {
  std::size_t setting = 0;  ///< index into `RunComparison::settings`
  std::size_t seeds = 0;    ///< in which the figure is defined
  double mean = std::numeric_limits<double>::quiet_NaN();
  double deviation = std::numeric_limits<double>::quiet_NaN();  ///< over seeds; NaN of one
  std::int64_t count = 0;                                       ///< of `ComparedFigure::counted`, of the first seed
  std::size_t people = 0;                                       ///< whose parts are known in every seed
  std::size_t paired = 0;                                       ///< of them also in the baseline
  std::optional<double> difference;                             ///< from the baseline, over the people paired
  std::optional<std::pair<double, double>> interval;            ///< 95 %
  std::optional<double> p, corrected;                           ///< of sign flips; after Holm
  std::size_t rank = 0;                                         ///< 1 is best; equal means share it; 0: not defined
  std::optional<double> first;                                  ///< share of samples in which it is best
  std::vector<std::string> notes;                               ///< why something is not there, or how it was had
};

struct ComparedFigure {
  std::string row, column, unit, counted;
  bool larger_is_better = true;
  std::vector<ComparedValue> values;  ///< of the settings that have the figure
};

struct ComparedTable {
  std::string name;
  std::size_t comparisons = 0;  ///< p-values that Holm's correction is over
  std::vector<ComparedFigure> figures;
};

struct RunComparison {
  std::vector<RunSetting> settings;
  std::size_t baseline = 0;
  std::vector<ComparedTable> tables;  ///< in order of appearance
  std::vector<std::string> notices;
};

/// Reads and compares. `baseline` as `find_setting` takes it, and a folder also where it is none of `folders`; "": the
/// first setting. Keeps of the tables those whose name contains one of `wanted`, all when that is empty. Throws `Error`
/// when two settings have no figure in common, or no table is wanted.
[[nodiscard]] RunComparison compare_runs(std::vector<std::filesystem::path> folders, const std::string& baseline,
                                         const std::vector<std::string>& wanted);

/// The comparison of settings that were read already.
[[nodiscard]] std::vector<ComparedTable> compared_tables(const std::vector<RunSetting>& settings, std::size_t baseline);

}  // namespace osteon::pipeline
