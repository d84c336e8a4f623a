#pragma once

// All points of a sweep, each in a process of its own: one that fails or crashes does not stop the others.

#include "pipeline/runner.hpp"

#include <cstddef>

namespace osteon::pipeline {

/// The figures of a run, for whoever collects them: a JSON list of `to_json(MetricValue)`. There only when it is
/// complete.
inline constexpr const char* kValuesFile = "values.json";
/// The points of a sweep, in its folder: a JSON list of what `point_text` says.
inline constexpr const char* kPointsFile = "points.json";
/// What a point of several at once prints, in its folder.
inline constexpr const char* kOutputFile = "output.txt";

/// "loss.margin = 0.1 · seed 2 of 3 (point 4 of 12)".
[[nodiscard]] std::string point_text(const config::Plan& plan, std::size_t index);
/// "04" below the sweep's folder.
[[nodiscard]] std::filesystem::path point_folder(const std::filesystem::path& folder, std::size_t index);

/// Writes the list of points into the sweep's folder.
void write_points(const config::Plan& plan, const std::filesystem::path& folder);

/// Runs every point, as many at once as `options.jobs` says, then makes the sweep's table and report of those that are
/// complete. Exit code: 0, 1 when a point failed, 130 when stopped.
int run_sweep(const RunOptions& options, const config::Plan& plan, const std::filesystem::path& folder,
              host::Registry& registry);

/// The sweep's table and report, of the points whose figures are in their folders. `problems`: of each point why it has
/// none, "" where it is complete; with any, a failure that lists them is thrown at the end. `success`: what is said of
/// the points where there is none: "all run".
int report_sweep(const config::Plan& plan, const std::filesystem::path& folder,
                 const std::vector<std::string>& problems, const std::string& success, const std::string& command,
                 host::Registry& registry);

}  // namespace osteon::pipeline
