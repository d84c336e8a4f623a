#pragma once

// Which runs are seeds of one setting, and what a setting is called: by the parameters in which settings differ, no
// others.

#include "pipeline/run_results.hpp"

#include <string>
#include <utility>
#include <vector>

namespace osteon::pipeline {

/// Runs that differ in `training.seed` alone.
struct RunSetting {
  std::string name;                                            ///< "loss.margin = 0.1, training.epochs = 6"
  std::vector<std::pair<std::string, std::string>> differing;  ///< what the name is made of
  std::vector<RunResult> seeds;
};

/// In order of their first runs. A run of the same setting and seed as an earlier one is left out with a notice, as are
/// differences of the programs that made the runs. Parameters of a plugin count where settings use that same plugin.
[[nodiscard]] std::vector<RunSetting> settings_of(RunResults results, std::vector<std::string>& notices);

/// The setting that `wanted` means: its name or some of its parts ("loss.margin=0.1", also "margin=0.1"), or the folder
/// of one of its runs or of a sweep that has no other. Throws `Error` where there is none, with the nearest name, or
/// more than one.
[[nodiscard]] std::size_t find_setting(const std::vector<RunSetting>& settings, const std::string& wanted);

}  // namespace osteon::pipeline
