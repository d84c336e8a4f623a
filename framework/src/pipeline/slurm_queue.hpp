#pragma once

// What was submitted to Slurm, and what Slurm says of it.

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// One job array, or the one job of an experiment that is no sweep.
struct Submission {
  std::string job;  ///< its id
  bool is_array = true;
  std::size_t offset = 0;            ///< a point's number is its array index plus this
  std::vector<std::size_t> numbers;  ///< of its points, from 1
};

/// In the run's folder, the oldest first.
inline constexpr const char* kSubmissionsFile = "slurm.json";

/// None where nothing was submitted.
[[nodiscard]] std::vector<Submission> read_submissions(const std::filesystem::path& folder);
void write_submissions(const std::filesystem::path& folder, const std::vector<Submission>& submissions);

/// The job of a point in the last submission that has it, "4711_4"; "" when none has.
[[nodiscard]] std::string job_of(const std::vector<Submission>& submissions, std::size_t number);

/// "4711" of "4711_4".
[[nodiscard]] std::set<std::string> arrays_of(const std::set<std::string>& jobs);

struct SlurmJob {
  std::string state;   ///< Slurm's word: PENDING, RUNNING, COMPLETED, NODE_FAIL, …
  std::string detail;  ///< why it waits, or the node

  [[nodiscard]] bool is_waiting() const;
  [[nodiscard]] bool is_running() const;
  /// "job 4711_4 ran out of memory on node07: raise slurm.memory"
  [[nodiscard]] std::string text(const std::string& job) const;
};

struct SlurmAnswer {
  std::string problem;                   ///< why Slurm said nothing; "" when it answered
  std::map<std::string, SlurmJob> jobs;  ///< those that it still knows, by id ("4711_4")
};

/// Asks squeue about jobs ("4711_4"), and sacct about those that it has forgotten, where the cluster keeps accounts.
[[nodiscard]] SlurmAnswer ask_slurm(const std::set<std::string>& jobs);

/// The cluster's MaxArraySize; nothing where scontrol does not say.
[[nodiscard]] std::optional<std::size_t> max_array_size();

}  // namespace osteon::pipeline
