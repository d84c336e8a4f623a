#pragma once

// The rule that changes the weights, and its step size over time.

#include "training/training.hpp"

#include <torch/optim/optimizer.h>

namespace osteon::training {

/// Factor on the learning rate before step `step` of `total`: rises linearly over the first `warmup` × total steps,
/// then stays 1 or falls to 0 along half a cosine.
[[nodiscard]] double schedule_factor(std::int64_t step, std::int64_t total, double warmup, bool cosine);

/// An optimiser over the network's parameters and the loss's own. Tensors of one axis (biases, normalisation) don't
/// decay.
class Optimiser {
 public:
  Optimiser(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& loss_state,
            const Parameters& training, std::int64_t total_steps);

  void zero_gradients();
  /// Changes the weights by their gradients; `step` counts from 0 over the whole training.
  void step(std::int64_t step);

  [[nodiscard]] torch::optim::Optimizer& rule() { return *rule_; }

 private:
  std::unique_ptr<torch::optim::Optimizer> rule_;
  std::vector<double> factors_;  ///< of the groups' learning rates
  std::vector<at::Tensor> parameters_;
  double learning_rate_, warmup_, gradient_norm_;
  bool cosine_;
  std::int64_t total_steps_;
};

}  // namespace osteon::training
