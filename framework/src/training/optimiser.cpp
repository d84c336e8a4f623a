// The rule that changes the weights, which weights it changes, and its step size over time.

#include "training/optimiser.hpp"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <numbers>

namespace osteon::training {

namespace {

constexpr const char* kBackbone = "backbone";

using Groups = std::vector<torch::optim::OptimizerParamGroup>;

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

/// From `from` to `to` along half a cosine as `share` goes from 0 to 1.
double half_cosine(double from, double to, double share) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

bool is_batch_norm(const torch::nn::Module& module) {
  return module.as<torch::nn::BatchNorm2d>() != nullptr || module.as<torch::nn::BatchNorm1d>() != nullptr;
}

std::string listed(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

}  // namespace

Schedule::Schedule(const Parameters& training, std::int64_t batches_per_epoch, std::int64_t total_steps)
    : total_(static_cast<double>(total_steps)),
      rising_(training.real("warmup") * total_),
      step_factor_(training.real("step_factor")),
      steps_between_(training.integer("step_epochs") * batches_per_epoch) {
  const std::string& name = training.text("schedule");
  shape_ = name == "constant" ? Shape::constant
           : name == "step"   ? Shape::step
           : name == "cosine" ? Shape::cosine
                              : Shape::one_cycle;
}

double Schedule::factor(std::int64_t step) const {
  constexpr double kFirst = 1.0 / 25, kLast = kFirst / 1e4;
  const double now = static_cast<double>(step), falling = std::max(1.0, total_ - rising_);
  if (shape_ == Shape::one_cycle)
    return now < rising_ ? half_cosine(kFirst, 1, now / rising_) : half_cosine(1, kLast, (now - rising_) / falling);
  if (now + 1 < rising_) return (now + 1) / rising_;
  if (shape_ == Shape::cosine) return half_cosine(1, 0, (now - rising_) / falling);
  return shape_ == Shape::step ? std::pow(step_factor_, static_cast<double>(step / steps_between_)) : 1;
}

LayerRates::LayerRates(const Network& backbone, const Parameters& training)
    : groups_(backbone.layer_groups()), rates_(training.reals("layer_rates")) {
  if (rates_.empty()) rates_.assign(groups_.size(), 1);
  if (rates_.size() != groups_.size())
    throw Error(text("training.layer_rates has ", rates_.size(), " entries and the backbone ", groups_.size(),
                     " layer groups: ", listed(groups_), "; give one for each, or none"));
  const double decay = training.real("layer_decay");
  for (std::size_t i = 0; i < rates_.size(); ++i) rates_[i] *= std::pow(decay, static_cast<double>(rates_.size() - i));
  for (const std::string& name : training.texts("frozen")) {
    bool found = false;
    for (std::size_t i = 0; i < groups_.size(); ++i)
      if (name == kBackbone || name == groups_[i]) rates_[i] = 0, found = true;
    if (!found)
      throw Error(text("training.frozen: the backbone has no layer group \"", name, "\"; expected \"", kBackbone,
                       "\" (all of it) or some of ", listed(groups_)));
  }
}

std::ptrdiff_t LayerRates::group_of(const std::string& name) const {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const std::string prefix = text(kBackbone, ".", groups_[i]);
    if (name == prefix || name.starts_with(prefix + ".")) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

double LayerRates::of(const std::string& parameter) const {
  const std::ptrdiff_t group = group_of(parameter);
  return group < 0 ? 1 : rates_[static_cast<std::size_t>(group)];
}

bool LayerRates::is_frozen(const std::string& module) const { return of(module) == 0; }

void begin_training(FingerprintNetwork& network, const LayerRates& rates, bool frozen_batch_norm) {
  network.train();
  for (const auto& module : network.named_modules(std::string(), false))
    if (is_batch_norm(*module.value()) && (frozen_batch_norm || rates.is_frozen(module.key()))) module.value()->eval();
}

Optimiser::Optimiser(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& loss_state,
                     const LayerRates& rates, const Parameters& training, const Schedule& schedule)
    : learning_rate_(training.real("learning_rate")),
      gradient_norm_(training.real("gradient_norm")),
      schedule_(schedule) {
  std::map<std::pair<double, bool>, std::vector<at::Tensor>> sorted;
  const auto add = [&](const at::Tensor& tensor, double factor) {
    if (!tensor.requires_grad()) return;
    sorted[{factor, tensor.dim() > 1}].push_back(tensor);
    parameters_.push_back(tensor);
  };
  if (training.flag("frozen_batch_norm"))
    for (const auto& module : network.modules(false))
      if (is_batch_norm(*module))
        for (at::Tensor& parameter : module->parameters()) parameter.set_requires_grad(false);
  for (auto& parameter : network.named_parameters()) {
    const double factor = rates.of(parameter.key());
    if (factor == 0) parameter.value().set_requires_grad(false);
    add(parameter.value(), factor);
  }
  for (const auto& [name, tensor] : loss_state) add(tensor, training.real("loss_rate"));
  if (parameters_.empty())
    throw Error("nothing is left to train: training.frozen freezes the whole network and the loss has no weights");
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

void Optimiser::sum_gradients(Group& group) {
  if (group.size() == 1) return;
  // One exchange: all gradients behind each other, then a flag for each that some rank has.
  std::vector<at::Tensor> parts;
  at::Tensor has = at::zeros({std::ssize(parameters_)}, at::kFloat);  // `cat` takes the widest type
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& parameter = parameters_[i];
    const bool has_one = parameter.grad().defined();
    has.data_ptr<float>()[i] = has_one ? 1 : 0;
    parts.push_back((has_one ? parameter.grad() : at::zeros_like(parameter)).detach().reshape({-1}));
  }
  parts.push_back(has.to(parts.front().device()));
  at::Tensor all = at::cat(parts);
  group.sum(all);
  has = all.slice(0, all.numel() - has.numel()).to(at::kCPU, at::kFloat);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& parameter = parameters_[i];
    const at::Tensor summed = all.slice(0, first, first + parameter.numel()).view(parameter.sizes());
    first += parameter.numel();
    if (has.data_ptr<float>()[i] == 0) continue;
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter).detach();
    parameter.mutable_grad().copy_(summed);
  }
}

void Optimiser::step(std::int64_t step) {
  if (gradient_norm_ > 0) torch::nn::utils::clip_grad_norm_(parameters_, gradient_norm_);
  const double rate = learning_rate_ * schedule_.factor(step);
  for (std::size_t group = 0; group < factors_.size(); ++group)
    rule_->param_groups()[group].options().set_lr(rate * factors_[group]);
  rule_->step();
}

}  // namespace osteon::training
