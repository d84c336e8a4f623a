#include "training/synchronised_batch_norm.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>
#include <ATen/ops/batch_norm_native.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <torch/nn/modules/batchnorm.h>

#include <set>

namespace osteon::training {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// The one that is alive. Read by every thread that computes a network, written while none does.
struct Active {
  Group* group = nullptr;
  std::set<const void*> layers;  ///< where their running means lie
};
Active& active() {
  static Active one;
  return one;
}

/// weight (x - mean) / √(variance + eps) + bias, of each channel.
at::Tensor normalised(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean,
                      const at::Tensor& variance, double eps) {
  return std::get<0>(at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false, 0, eps));
}

/// What sums are kept in: the type of the weights, which autocast's bf16 has no digits for.
at::ScalarType type_of_sums(const at::Tensor& x) { return c10::promoteTypes(x.scalar_type(), at::kFloat); }

/// Of every channel over the batches of all ranks: `[C]`, and how many values that is.
struct Moments {
  at::Tensor mean, variance;
  double count;
};

/// Each rank's own, put together by their counts (Chan, Golub, LeVeque 1983): no difference of large numbers.
Moments moments_of(const at::Tensor& x, Group& group) {
  const std::int64_t channels = x.size(1);
  // LibTorch's own kernel for one process, many times faster on a processor than its reductions. Without eps it tells
  // 1/deviation, 0 for a channel that is constant.
  const at::Tensor ones = at::ones({channels}, x.options().dtype(type_of_sums(x))), zeros = at::zeros_like(ones);
  const auto [unused, own_mean, own_scale] =
      at::native_batch_norm(x, ones, zeros, {}, {}, /*training=*/true, 0, /*eps=*/0);
  const at::Tensor own_variance = at::where(own_scale > 0, own_scale.pow(-2), at::zeros_like(own_scale));
  const at::Tensor count = at::full({1}, static_cast<double>(x.numel() / channels), own_mean.options());
  const at::Tensor all =
      group.gather(at::cat({own_mean, own_variance, count}).unsqueeze(0), group.size()).to(at::kDouble);
  const at::Tensor means = all.narrow(1, 0, channels), variances = all.narrow(1, channels, channels);
  const at::Tensor counts = all.narrow(1, 2 * channels, 1), total = counts.sum();
  const at::Tensor mean = (counts * means).sum(0) / total;
  const at::Tensor variance = (counts * (variances + (means - mean).square())).sum(0) / total;
  return {mean.to(type_of_sums(x)), variance.to(type_of_sums(x)), total.item<double>()};
}

/// y = weight x̂ + bias with x̂ = (x - mean) / √(variance + eps), and the gradient that goes through mean and variance of
/// all ranks: weight / √(variance + eps) (g - Σ g / N - x̂ Σ g x̂ / N). Those of weight and bias are this rank's share,
/// as of every other weight.
class Normalise : public torch::autograd::Function<Normalise> {
 public:
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& weight, const Variable& bias,
                          const Moments& moments, double eps) {
    context->save_for_backward({x, weight, moments.mean, moments.variance});
    context->saved_data["count"] = moments.count;
    context->saved_data["eps"] = eps;
    return normalised(x, weight, bias, moments.mean, moments.variance, eps);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const double eps = context->saved_data["eps"].toDouble(), count = context->saved_data["count"].toDouble();
    // As if mean and variance were constants: the first term, Σ g x̂ and Σ g.
    auto [input, product, sum] = at::native_batch_norm_backward(gradients[0], x, weight, mean, variance, {}, {},
                                                                /*train=*/false, eps, {true, true, true});
    at::Tensor all = at::stack({sum.to(type_of_sums(x)), product.to(type_of_sums(x))});
    active().group->sum(all);
    // What they owe to x, as another normalisation: weight / deviation (- Σ g / N - x̂ Σ g x̂ / N).
    const at::Tensor scale = (variance + eps).rsqrt();
    const at::Tensor owed = all * (weight.defined() ? weight * scale : scale) / -count;
    input += normalised(x, owed[1], owed[0], mean, variance, eps);
    return {input, weight.defined() ? product : Variable(), weight.defined() ? sum : Variable(), Variable(),
            Variable()};
  }
};

void move(const at::Tensor& running, const at::Tensor& now, double momentum) {
  running.mul_(1 - momentum).add_(now, momentum);
}

at::Tensor batch_norm(const at::Tensor& x, const c10::optional<at::Tensor>& weight,
                      const c10::optional<at::Tensor>& bias, const c10::optional<at::Tensor>& running_mean,
                      const c10::optional<at::Tensor>& running_variance, bool training, double momentum, double eps,
                      bool cudnn_enabled) {
  const bool is_ours =
      training && running_mean && running_mean->defined() && active().layers.contains(running_mean->data_ptr());
  if (!is_ours)
    return at::native::batch_norm(x, weight, bias, running_mean, running_variance, training, momentum, eps,
                                  cudnn_enabled);
  const Moments moments = [&] {
    const at::NoGradGuard no_graph;
    const Moments found = moments_of(x, *active().group);
    move(*running_mean, found.mean, momentum);
    move(*running_variance, found.variance * (found.count / (found.count - 1)), momentum);
    return found;
  }();
  return Normalise::apply(x, weight.value_or(at::Tensor()), bias.value_or(at::Tensor()), moments, eps);
}

template <class Layer>
const torch::nn::BatchNormOptions* options_of(const torch::nn::Module& module, const void*& mean) {
  const auto* const layer = module.as<Layer>();
  if (layer == nullptr) return nullptr;
  if (layer->running_mean.defined()) mean = layer->running_mean.data_ptr();
  return &layer->options;
}

}  // namespace

/// Puts `batch_norm` before LibTorch's own, on both kinds of device, for as long as it lives.
struct SynchronisedBatchNorm::Registration {
  torch::Library processor{torch::Library::IMPL, "aten", c10::DispatchKey::AutogradCPU, __FILE__, __LINE__};
  torch::Library cuda{torch::Library::IMPL, "aten", c10::DispatchKey::AutogradCUDA, __FILE__, __LINE__};

  Registration() {
    processor.impl("batch_norm", &batch_norm);
    cuda.impl("batch_norm", &batch_norm);
  }
};

SynchronisedBatchNorm::SynchronisedBatchNorm(const torch::nn::Module& network, Group& group) {
  if (group.size() == 1) return;
  Active found{&group, {}};
  for (const auto& module : network.named_modules(std::string(), false)) {
    const void* mean = nullptr;
    const bool is_one = options_of<torch::nn::BatchNorm2d>(*module.value(), mean) != nullptr ||
                        options_of<torch::nn::BatchNorm1d>(*module.value(), mean) != nullptr;
    if (is_one && mean == nullptr)
      throw Error(text("training by ", group.size(), " processes: batch normalisation \"", module.key(),
                       "\" keeps no running mean, which this needs; give it one, or train in one process"));
    if (is_one) found.layers.insert(mean);
  }
  if (found.layers.empty()) return;
  active() = std::move(found);
  registration_ = std::make_unique<Registration>();
}

SynchronisedBatchNorm::~SynchronisedBatchNorm() {
  registration_.reset();
  if (active().group != nullptr) active() = {};
}

}  // namespace osteon::training
