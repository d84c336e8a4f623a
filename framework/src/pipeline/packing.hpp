#pragma once

// From a finished run to its model's file.

#include "pipeline/runner.hpp"

namespace osteon::pipeline {

/// Writes the network of the run's folder, its calibration and its gallery into `file`. What the store no longer has of
/// the run's images and fingerprints is made again; the network is taken as it was trained. Of a run with several folds
/// the first one's network is packed, and the file says so. Returns what to tell. Throws `Error` when the folder is not
/// that of a run that has trained, or its network is not in the store.
[[nodiscard]] std::vector<std::string> pack_run(const std::filesystem::path& run,
                                                const std::vector<std::filesystem::path>& plugin_folders,
                                                const std::filesystem::path& file);

}  // namespace osteon::pipeline
