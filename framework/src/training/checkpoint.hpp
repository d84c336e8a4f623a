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
  std::int64_t best_epoch = 0;  ///< 0: none yet
  double best_accuracy = 0;
  std::int64_t epochs_without_gain = 0;
  std::int64_t ranks = 1;  ///< processes that trained the last epoch
  std::vector<CurvePoint> curves;
  std::vector<std::string> notices;
};

/// What a checkpoint must agree with to be gone on from.
struct Identity {
  std::string architecture;  ///< names and shapes of all weights, by digest
  std::string training;      ///< parameters, images and labels, by digest
};

/// Writes `folder`/checkpoint.pt: complete under its name or not there, so that the one before survives a full disk.
/// Throws a failure with the path and the system's reason.
void save_checkpoint(const TrainingState& state, const Identity& identity, const std::filesystem::path& folder);

/// Restores from `folder`/checkpoint.pt; false when there is none. Throws `Error` when it is damaged, of a newer
/// Osteon, or was written by a training of another network or of another `identity`.
bool restore_checkpoint(TrainingState& state, const Identity& identity, const std::filesystem::path& folder);

/// The weights alone of the best epoch, in `folder`/best.pt, and back.
void save_best(const TrainingState& state, const std::filesystem::path& folder);
void restore_best(TrainingState& state, const std::filesystem::path& folder);

}  // namespace osteon::training
