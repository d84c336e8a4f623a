#pragma once

// Batch normalisation over the whole batch, wherever its images are computed.

#include "training/group.hpp"

#include <torch/nn/module.h>

#include <memory>

namespace osteon::training {

/// While it lives, batch normalisation of `network` that is in training mode takes mean and variance over the batches
/// of all ranks (Ioffe and Szegedy 2015, over the images of every rank as PyTorch's SyncBatchNorm): numbers, gradients
/// and running statistics are those of one process with the whole batch, within rounding. Layers in evaluation mode
/// (frozen ones) are left as they are, and where the group is one process nothing changes at all.
///
/// Networks come compiled from plugins, so it stands at LibTorch's dispatcher, between them and `at::batch_norm`; one
/// at a time. A layer is known by its running mean: one without is refused with an `Error`.
class SynchronisedBatchNorm {
 public:
  SynchronisedBatchNorm(const torch::nn::Module& network, Group& group);
  ~SynchronisedBatchNorm();
  SynchronisedBatchNorm(const SynchronisedBatchNorm&) = delete;
  SynchronisedBatchNorm& operator=(const SynchronisedBatchNorm&) = delete;

 private:
  struct Registration;
  std::unique_ptr<Registration> registration_;
};

}  // namespace osteon::training
