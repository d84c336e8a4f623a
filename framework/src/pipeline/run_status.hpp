#pragma once

// How it stands with a run or with the points of a sweep, told from what they keep in their folders and by Slurm.

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

struct PointStatus {
  std::string point;    ///< what sets it apart; "" for a run that is no sweep
  std::string status;   ///< complete, running, stopped, failed, interrupted (its process is gone), waiting
  double seconds = 0;   ///< that it took; 0 while it isn't over
  std::string message;  ///< why it failed or stopped
  std::filesystem::path folder;
  std::string job = {};            ///< of Slurm: its last, or that which runs it on another machine; "": none
  bool is_later_than_job = false;  ///< its state was written since, by a process that was no job
  bool is_elsewhere = false;       ///< it runs on another machine as far as its folder tells
};

/// Throws `Error` when the folder is no run's.
[[nodiscard]] std::vector<PointStatus> status_of(const std::filesystem::path& run);

/// As lines for a terminal; of what failed the last lines of its output too.
[[nodiscard]] std::string status_text(const std::vector<PointStatus>& points);

}  // namespace osteon::pipeline
