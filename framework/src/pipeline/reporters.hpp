#pragma once

#include "config/experiment.hpp"
#include "host/handles.hpp"

#include <chrono>
#include <functional>

namespace osteon::pipeline {

/// All reporters of an experiment: one event goes to each.
class Reporters {
 public:
  Reporters() = default;  ///< none
  Reporters(const config::Experiment& experiment, host::Registry& registry);

  void operator()(const Event& event) const;

 private:
  std::vector<host::ReporterHandle> reporters_;
};

/// One stage as its reporters see it: starts at construction, counts what is made and what is reused.
class StageReport {
 public:
  StageReport(const Reporters& reporters, std::string stage, std::string plugin, std::int64_t total, std::string unit);

  /// Units done so far; time left is told from the pace since the stage started.
  void progress(std::int64_t done, const std::string& detail = "");
  void progress(std::int64_t done, std::int64_t total, double seconds_left, const std::string& detail);

  /// Each with the artifact's key.
  void made(const std::string& key, const std::string& reason);
  void reused(const std::string& key);
  void lacks(const std::string& key) { lacking_.push_back(key); }
  [[nodiscard]] std::int64_t made_count() const { return made_; }

  void finish(const std::string& detail);

  /// For the run's record and `osteon why`.
  [[nodiscard]] const std::string& stage() const { return stage_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] std::int64_t reused_count() const { return reused_; }
  [[nodiscard]] double seconds() const;
  [[nodiscard]] const std::vector<std::string>& artifacts() const { return artifacts_; }
  [[nodiscard]] const std::vector<std::string>& lacking() const { return lacking_; }

 private:
  const Reporters& reporters_;
  std::string stage_;
  std::int64_t total_, made_ = 0, reused_ = 0, other_reasons_ = 0;
  std::string reason_;
  std::vector<std::string> artifacts_, lacking_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// How it stands with a run, in its folder: JSON with status (running, complete, stopped, failed), seconds, message,
/// point, process, machine and job (of Slurm).
inline constexpr const char* kStateFile = "state.json";

struct RunState {
  std::string status;  ///< running, complete, stopped, failed
  double seconds = 0;
  std::string message;
  std::string point;  ///< as in RunStarted
};

/// Writes the state file; the process is this one.
void write_state(const std::filesystem::path& folder, const RunState& state);

/// Runs `body` between RunStarted and RunFinished, whatever happens in it, and keeps the state file. Returns the exit
/// code 0, or 130 when it was stopped; errors are thrown on.
int reported(const Reporters& reporters, const RunStarted& start, const std::string& command,
             const std::function<void()>& body);

}  // namespace osteon::pipeline
