#pragma once

// The rule that changes the weights, which weights it changes, and its step size over time.

#include "training/training.hpp"

#include <torch/optim/optimizer.h>

namespace osteon::training {

/// Step size over time, as a factor on the learning rate.
class Schedule {
 public:
  Schedule(const Parameters& training, std::int64_t batches_per_epoch, std::int64_t total_steps);

  /// Before step `step`, from 0. Rises linearly over the warm-up's share of all steps, then
  ///   - constant: stays 1,
  ///   - step: is multiplied by `step_factor` after every `step_epochs` epochs,
  ///   - cosine: falls to 0 along half a cosine (Loshchilov and Hutter, ICLR 2017).
  /// One cycle (Smith and Topin 2018, as PyTorch's OneCycleLR) rises over the warm-up from 1/25 and falls to 1/250,000,
  /// both along half a cosine; its momentum stays.
  [[nodiscard]] double factor(std::int64_t step) const;

 private:
  enum class Shape { constant, step, cosine, one_cycle };
  Shape shape_;
  double total_, rising_;  ///< steps
  double step_factor_;
  std::int64_t steps_between_;
};

/// Factor on the learning rate of each trained tensor, by its name in the network. 0: frozen.
class LayerRates {
 public:
  /// Throws `Error` that lists the layer groups where [training] names one that the network hasn't or gives another
  /// number of rates than it has groups.
  LayerRates(const Network& backbone, const Parameters& training);

  [[nodiscard]] double of(const std::string& parameter) const;
  /// Whether a module of the network ("backbone.layer1.0.bn1") lies in a frozen group.
  [[nodiscard]] bool is_frozen(const std::string& module) const;

 private:
  [[nodiscard]] std::ptrdiff_t group_of(const std::string& name) const;  ///< -1: none, as the head

  std::vector<std::string> groups_;
  std::vector<double> rates_;
};

/// Puts the network into training mode, except batch normalisation that is frozen ([training] frozen,
/// frozen_batch_norm): that keeps its running mean and variance.
void begin_training(FingerprintNetwork& network, const LayerRates& rates, bool frozen_batch_norm);

/// An optimiser over the network's parameters that aren't frozen and over the loss's own. Tensors of one axis (biases,
/// normalisation) don't decay.
class Optimiser {
 public:
  /// Frozen parameters stop asking for gradients.
  Optimiser(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& loss_state, const LayerRates& rates,
            const Parameters& training, const Schedule& schedule);

  void zero_gradients();
  /// Adds up the gradients that the ranks have of their shares. The loss is rank 0's alone, and so are the gradients of
  /// its own weights.
  void sum_gradients(Group& group);
  /// Changes the weights by their gradients; `step` counts from 0 over the whole training.
  void step(std::int64_t step);

  [[nodiscard]] torch::optim::Optimizer& rule() { return *rule_; }

 private:
  std::unique_ptr<torch::optim::Optimizer> rule_;
  std::vector<double> factors_;  ///< of the groups' learning rates
  std::vector<at::Tensor> parameters_;
  double learning_rate_, gradient_norm_;
  Schedule schedule_;
};

}  // namespace osteon::training
