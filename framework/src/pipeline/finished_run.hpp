#pragma once

// A finished run, opened again from its folder: its experiment, its trained network, and its images.

#include "pipeline/opened.hpp"
#include "pipeline/pack.hpp"
#include "pipeline/stored_model.hpp"

namespace osteon::pipeline {

/// A run's images and what its network makes of them.
struct RunImages {
  const RunContext& run;
  Cohort cohort;
  ImageTable images;
  at::Tensor fingerprints;  ///< float32 `[N, d]`
};

class FinishedRun {
 public:
  /// Throws `Error` when the folder is not that of a run that has trained, or its network is not in the store.
  FinishedRun(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& plugin_folders);

  [[nodiscard]] const RunContext& run() const { return opened_.run(); }
  /// Of a run with several folds, the first one's.
  [[nodiscard]] const StoredModel& model() const { return model_; }
  /// The network and how X-rays are made its images, with neither gallery nor calibration.
  [[nodiscard]] Pack network() const;
  /// From the store where it has them; what it no longer has is made again. The network is taken as it was trained.
  [[nodiscard]] RunImages load() const;

 private:
  std::filesystem::path folder_;
  StoredModel model_;
  OpenedExperiment opened_;
};

}  // namespace osteon::pipeline
