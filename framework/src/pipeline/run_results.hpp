#pragma once

// Finished runs read again from their folders: what each was told (experiment.toml) and what it found (metrics.json).

#include <osteon/metric.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// One run, or one point of a sweep.
struct RunResult {
  std::filesystem::path folder;  ///< as it was given; of a point of a sweep, below it
  /// Dotted path → value as text, of all parameters but the title, `repeats`, the reporters and `training.seed`. Of
  /// paths the last component, as in the digest that names a run's folder.
  std::map<std::string, std::string> parameters;
  std::string training_seed;
  std::map<std::string, std::string> environment;
  std::vector<MetricValue> values;
};

struct RunResults {
  std::vector<RunResult> runs;
  std::vector<std::string> notices;  ///< what was left out, and why
};

/// The runs of `folders`, each that of a run or of a sweep (whose points are read); one that is named twice is read
/// once. Runs that are not complete or kept no figures are left out with a notice. Throws `Error` for a folder that is
/// no run's, a file that is none of Osteon's, or when nothing is left.
[[nodiscard]] RunResults read_runs(std::span<const std::filesystem::path> folders);

/// The points of a sweep's folder, in order; the folder itself where it is a single run's. Throws `Error` otherwise.
[[nodiscard]] std::vector<std::filesystem::path> points_of(const std::filesystem::path& folder);

}  // namespace osteon::pipeline
