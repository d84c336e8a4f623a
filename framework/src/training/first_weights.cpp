// First weights.

#include "training/first_weights.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace osteon::training {

namespace {

double deviation(const at::Tensor& weight) {
  if (weight.dim() == 2) return std::sqrt(1.0 / static_cast<double>(weight.size(1)));
  return std::sqrt(2.0 / static_cast<double>(weight.numel() / weight.size(1)));
}

at::Tensor normals(const at::Tensor& like, std::uint64_t seed, const std::string& name) {
  constexpr std::int64_t kBlock = 1 << 15;  // numbers of one stream: threads share the largest tensors
  at::Tensor values = at::empty(like.sizes(), at::kFloat);
  float* first = values.data_ptr<float>();
  const std::int64_t count = values.numel();
  const double sigma = deviation(like);
  parallel_for(0, (count + kBlock - 1) / kBlock, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      Random random(seed, "weights:" + name, static_cast<std::uint64_t>(block));
      for (std::int64_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i)
        first[i] = static_cast<float>(random.normal(0, sigma));
    }
  });
  return values;
}

}  // namespace

void draw_first_weights(torch::nn::Module& network, std::uint64_t seed) {
  const at::NoGradGuard no_graph;
  for (auto& parameter : network.named_parameters()) {
    at::Tensor& value = parameter.value();
    if (value.dim() >= 2) {
      value.copy_(normals(value, seed, parameter.key()));
    } else {
      value.fill_(parameter.key().ends_with("weight") ? 1 : 0);
    }
  }
}

void draw_loss_state(const std::map<std::string, at::Tensor>& state, std::uint64_t seed) {
  const at::NoGradGuard no_graph;
  for (const auto& [name, tensor] : state) {
    at::Tensor value = tensor;
    if (value.dim() >= 2) value.copy_(normals(value, seed, "loss." + name));
    if (value.dim() == 1) value.zero_();
  }
}

}  // namespace osteon::training
