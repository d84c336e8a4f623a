#pragma once

// Runs an experiment file: all points of its sweep, each with a folder of its own, sharing stages.

#include "config/experiment.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// Every section of an experiment file that the framework itself declares.
[[nodiscard]] config::Sections sections();

struct RunOptions {
  config::Request request;
  std::vector<std::filesystem::path> plugin_folders;
  std::filesystem::path runs = "runs";
  std::string command{};             ///< what the user typed
  std::vector<std::string> words{};  ///< the arguments of this process
  std::filesystem::path into{};      ///< the folder that must come out, where a run is gone on with; "": any
  std::int64_t jobs = 1;             ///< points of a sweep that run at once
  double memory = 0;                 ///< GB of data of each job; 0: no limit
  std::int64_t point = 0;            ///< of a sweep, from 1; 0 is all
  bool on_slurm = false;             ///< submit the points as jobs instead of running them
  std::int64_t at_once = 0;          ///< jobs of Slurm that run at once; 0 leaves it to the cluster
};

/// `request.file` may also be the folder of a submitted experiment: then `point` of it runs as it was submitted.
/// Exit code: 0 complete (or submitted), 1 failed, 2 the user's mistake, 130 stopped. Errors are thrown.
int run_experiment(const RunOptions& options);

/// The folder of an experiment: its title and the digest of everything that it says, the sweep included.
[[nodiscard]] std::filesystem::path run_folder(const std::filesystem::path& runs, const config::Plan& plan);

/// Writes every volume of the experiment's source through a format plugin: FOLDER/SPECIMEN/acquisition-N.
std::int64_t export_volumes(const RunOptions& options, const std::string& format, const std::filesystem::path& folder);

/// Writes the bone's surface in every volume, in its patient coordinates: FOLDER/SPECIMEN/acquisition-N.ENDING. Throws
/// `Error` when the format does not know the ending (with or without the dot) or a specimen has no volume.
std::int64_t export_surfaces(const RunOptions& options, const std::string& format, const std::string& ending,
                             const std::filesystem::path& folder);

/// Why a stage of a finished run ran, or that its artifacts were reused; all stages when `stage` is "".
[[nodiscard]] std::string why(const std::filesystem::path& run, const std::string& stage);

}  // namespace osteon::pipeline
