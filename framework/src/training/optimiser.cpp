// The rule that changes the weights, and its step size over time.

#include "training/optimiser.hpp"

#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <numbers>

namespace osteon::training {

namespace {

using Groups = std::vector<torch::optim::OptimizerParamGroup>;

/// How many layer groups lie between a parameter and the head, itself included; 0 for what belongs to none.
std::int64_t groups_to_head(const std::string& name, const std::vector<std::string>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (name.starts_with("backbone." + layers[i] + ".")) return static_cast<std::int64_t>(layers.size() - i);
  return 0;
}

/// One rule for SGD, Adam and AdamW, whose options differ in names only.
template <class Rule, class Options>
std::unique_ptr<torch::optim::Optimizer> make_rule(
    const std::map<std::pair<double, bool>, std::vector<at::Tensor>>& sorted, Options options, double weight_decay) {
  Groups groups;
  for (const auto& [key, tensors] : sorted) {
    options.weight_decay(key.second ? weight_decay : 0);
    groups.emplace_back(tensors, std::make_unique<Options>(options));
  }
  return std::make_unique<Rule>(groups, options);
}

}  // namespace

double schedule_factor(std::int64_t step, std::int64_t total, double warmup, bool cosine) {
  const double rising = warmup * static_cast<double>(total), now = static_cast<double>(step);
  if (now + 1 < rising) return (now + 1) / rising;
  if (!cosine) return 1;
  return 0.5 * (1 + std::cos(std::numbers::pi * (now - rising) / std::max(1.0, static_cast<double>(total) - rising)));
}

Optimiser::Optimiser(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& loss_state,
                     const Parameters& training, std::int64_t total_steps)
    : learning_rate_(training.real("learning_rate")),
      warmup_(training.real("warmup")),
      gradient_norm_(training.real("gradient_norm")),
      cosine_(training.text("schedule") == "cosine"),
      total_steps_(total_steps) {
  const std::vector<std::string> layers = network.backbone().layer_groups();
  const double decay = training.real("layer_decay");
  std::map<std::pair<double, bool>, std::vector<at::Tensor>> sorted;
  const auto add = [&](const at::Tensor& tensor, double factor) {
    if (!tensor.requires_grad()) return;
    sorted[{factor, tensor.dim() > 1}].push_back(tensor);
    parameters_.push_back(tensor);
  };
  for (const auto& parameter : network.named_parameters())
    add(parameter.value(), std::pow(decay, static_cast<double>(groups_to_head(parameter.key(), layers))));
  for (const auto& [name, tensor] : loss_state) add(tensor, 1);
  for (const auto& [key, tensors] : sorted) factors_.push_back(key.first);

  const std::string& name = training.text("optimiser");
  const double momentum = training.real("momentum"), weight_decay = training.real("weight_decay");
  constexpr double kSecondBeta = 0.999;
  if (name == "sgd") {
    rule_ =
        make_rule<torch::optim::SGD>(sorted, torch::optim::SGDOptions(learning_rate_).momentum(momentum), weight_decay);
  } else if (name == "adam") {
    rule_ = make_rule<torch::optim::Adam>(
        sorted, torch::optim::AdamOptions(learning_rate_).betas({momentum, kSecondBeta}), weight_decay);
  } else {
    rule_ = make_rule<torch::optim::AdamW>(
        sorted, torch::optim::AdamWOptions(learning_rate_).betas({momentum, kSecondBeta}), weight_decay);
  }
}

void Optimiser::zero_gradients() { rule_->zero_grad(); }

void Optimiser::step(std::int64_t step) {
  if (gradient_norm_ > 0) torch::nn::utils::clip_grad_norm_(parameters_, gradient_norm_);
  const double rate = learning_rate_ * schedule_factor(step, total_steps_, warmup_, cosine_);
  for (std::size_t group = 0; group < factors_.size(); ++group)
    rule_->param_groups()[group].options().set_lr(rate * factors_[group]);
  rule_->step();
}

}  // namespace osteon::training
