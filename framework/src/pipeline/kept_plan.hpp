#pragma once

// A sweep as it was when it was submitted, in its folder: its points run and its table is made from there, whatever
// becomes of the experiment's file while they wait.

#include "config/experiment.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// In the sweep's folder: title, swept paths, what sets each point apart, the command.
inline constexpr const char* kPlanFile = "plan.json";
/// The experiment, resolved: in the sweep's folder that before the sweep, in each point's folder its own.
inline constexpr const char* kExperimentFile = "experiment.toml";

struct KeptPlan {
  config::Plan plan;    ///< its points have no experiments, but for one that `load_point` has read
  std::string command;  ///< that submitted it
};

/// Writes the plan, and the experiments of `numbers` (from 1) into their folders.
void keep_plan(const config::Plan& plan, const std::string& command, const std::filesystem::path& folder,
               const std::vector<std::size_t>& numbers);

/// Throws `Error` when the folder is not that of a submitted experiment.
[[nodiscard]] KeptPlan kept_plan(const std::filesystem::path& folder, host::Registry& registry);

/// Reads a point's experiment into the plan.
void load_point(KeptPlan& kept, std::size_t index, const std::filesystem::path& folder, host::Registry& registry);

/// The folder of a point: the plan's own where it has only one.
[[nodiscard]] std::filesystem::path folder_of(const config::Plan& plan, const std::filesystem::path& folder,
                                              std::size_t index);

}  // namespace osteon::pipeline
