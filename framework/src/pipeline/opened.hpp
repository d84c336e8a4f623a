#pragma once

// An experiment file with all that its stages need: plugins, plan, store, reporters.

#include "pipeline/runner.hpp"
#include "pipeline/stages.hpp"

namespace osteon::pipeline {

/// Of a sweep, the first point.
class OpenedExperiment {
 public:
  explicit OpenedExperiment(const RunOptions& options);
  OpenedExperiment(const OpenedExperiment&) = delete;
  OpenedExperiment& operator=(const OpenedExperiment&) = delete;

  [[nodiscard]] const RunContext& run() const { return run_; }

 private:
  host::Registry registry_;
  config::Plan plan_;
  store::Store store_;
  Reporters reporters_;
  RunContext run_;
};

/// Makes a folder and those above it. Throws a failure that names it.
void make_folder(const std::filesystem::path& folder);

}  // namespace osteon::pipeline
