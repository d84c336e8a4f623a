#pragma once

// What a training needs to go on after a kill as if nothing had happened.

#include "training/optimiser.hpp"

namespace osteon::training {

/// The state of a training between two epochs. Tensors and optimiser are those in use: saving reads them, restoring
/// copies into them.
struct TrainingState {
  FingerprintNetwork& network;
  std::map<std::string, at::Tensor> loss_state;
  Optimiser& optimiser;
  std::int64_t epochs_done = 0;
  std::vector<CurvePoint> curves;
};

/// Writes `folder`/checkpoint.pt: complete under its name or not there. Throws a failure with the path and the system's
/// reason.
void save_checkpoint(const TrainingState& state, const std::string& identity, const std::filesystem::path& folder);

/// Restores from `folder`/checkpoint.pt; false when there is none. Throws `Error` when it is damaged or was written by
/// a training of another `identity`.
bool restore_checkpoint(TrainingState& state, const std::string& identity, const std::filesystem::path& folder);

}  // namespace osteon::training
