#pragma once

// Where a run's trained network lies.

#include "pipeline/stages.hpp"

namespace osteon::pipeline {

struct StoredModel {
  Stored stored;
  store::Artifact artifact;  ///< tensors "network.…" and "loss.…"; facts "height" and "width" of its images
};

/// The network of a run's folder, of the first fold where there are several. Throws `Error` when the folder is not that
/// of a run that has trained, or its model is not in the store.
[[nodiscard]] StoredModel stored_model(const std::filesystem::path& run);

}  // namespace osteon::pipeline
