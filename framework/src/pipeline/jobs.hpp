#pragma once

// Several runs of this program at once, each in a process of its own: what one of them does to itself, the others do
// not notice.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace osteon::pipeline {

struct Job {
  std::vector<std::string> arguments;  ///< of this program
  std::filesystem::path output;        ///< where what it prints goes; "": where this program's goes
};

struct JobEnd {
  bool started = false;  ///< false where a stop came before its turn
  int code = 0;          ///< exit code
  int signal = 0;        ///< that ended it; 0: none did
  double seconds = 0;

  [[nodiscard]] bool is_success() const { return started && code == 0 && signal == 0; }
};

struct JobLimits {
  int at_once = 1;
  int threads = 0;          ///< of each; 0 leaves it to the job
  std::int64_t memory = 0;  ///< bytes of data of each; 0: no limit
};

/// Runs all jobs in order, so many at once, and tells of each end as it comes. When this process is asked to stop, no
/// further job begins and those that run are asked to stop too.
std::vector<JobEnd> run_jobs(const std::vector<Job>& jobs, const JobLimits& limits,
                             const std::function<void(std::size_t job, const JobEnd& end)>& on_end);

/// "exit code 1", "ended by SIGSEGV".
[[nodiscard]] std::string reason(const JobEnd& end);

}  // namespace osteon::pipeline
