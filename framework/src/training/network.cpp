// Backbone and head, and their state as named tensors.

#include "training/first_weights.hpp"
#include "training/runtime.hpp"
#include "training/training.hpp"

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

#include <cmath>

namespace osteon::training {

namespace {

at::Tensor unit_rows(const at::Tensor& rows) { return rows / rows.norm(2, {1}, true).clamp_min(1e-12); }

/// Convolutions are about a third faster when weights, like the images, lie channels last.
void lay_channels_last(torch::nn::Module& network) {
  for (at::Tensor& parameter : network.parameters())
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
}

std::map<std::string, at::Tensor> named_tensors(const torch::nn::Module& network) {
  std::map<std::string, at::Tensor> result;
  for (const auto& parameter : network.named_parameters()) result[parameter.key()] = parameter.value();
  for (const auto& buffer : network.named_buffers()) result[buffer.key()] = buffer.value();
  return result;
}

std::string shape_text(const at::Tensor& tensor) {
  std::string result;
  for (const std::int64_t size : tensor.sizes()) result += (result.empty() ? "" : " × ") + std::to_string(size);
  return result.empty() ? "scalar" : result;
}

}  // namespace

FingerprintNetwork::FingerprintNetwork(std::shared_ptr<Network> backbone, const Parameters& head)
    : backbone_(register_module("backbone", std::move(backbone))),
      reductions_(register_module("reductions", torch::nn::ModuleList())),
      inner_normalisation_(head.flag("inner_normalisation")) {
  const std::int64_t pairs = head.integer("pairs"), dimensions = head.integer("dimensions");
  const auto features = static_cast<double>(backbone_->features());
  const double ratio = static_cast<double>(dimensions) / features;
  if (pairs > 0 && dimensions > backbone_->features())
    throw Error(text("head.dimensions = ", dimensions, " is more than the ", backbone_->features(),
                     " features of the backbone; lower it, or widen the backbone"));
  std::int64_t in = backbone_->features();
  for (std::int64_t pair = 1; pair <= pairs; ++pair) {
    const std::int64_t out =
        pair == pairs
            ? dimensions
            : std::llround(features * std::pow(ratio, static_cast<double>(pair) / static_cast<double>(pairs)));
    reductions_->push_back(torch::nn::Linear(in, out));
    in = out;
  }
  if (!head.flag("whitening")) return;
  whitening_mean_ = register_buffer("whitening_mean", at::zeros({in}));
  whitening_weight_ = register_buffer("whitening_weight", at::zeros({dimensions, in}));
}

at::Tensor FingerprintNetwork::maps(const at::Tensor& pixels) {
  const std::vector<at::Tensor> weights = backbone_->parameters();
  const at::ScalarType type = weights.empty() ? at::kFloat : weights.front().scalar_type();
  return backbone_->maps(pixels.unsqueeze(1).to(type).div_(255));
}

at::Tensor FingerprintNetwork::reduce(const at::Tensor& features) {
  at::Tensor rows = features.to(c10::promoteTypes(features.scalar_type(), at::kFloat));
  const FullPrecisionScope float32(features.device());
  for (std::size_t pair = 0; pair < reductions_->size(); ++pair) {
    rows = reductions_[pair]->as<torch::nn::Linear>()->forward(rows);
    if (inner_normalisation_ || pair + 1 == reductions_->size()) rows = unit_rows(rows);
  }
  return is_whitened_ ? unit_rows((rows - whitening_mean_).matmul(whitening_weight_.t())) : rows;
}

void FingerprintNetwork::set_whitening(const at::Tensor& mean, const at::Tensor& weight) {
  if (!whitening_weight_.defined()) throw failure("training: a whitening for a head without one");
  if (mean.sizes() != whitening_mean_.sizes() || weight.sizes() != whitening_weight_.sizes())
    throw failure(text("training: a whitening of ", shape_text(weight), " numbers where the head has ",
                       shape_text(whitening_weight_)));
  const at::NoGradGuard no_graph;
  whitening_mean_.copy_(mean);
  whitening_weight_.copy_(weight);
  is_whitened_ = whitening_weight_.count_nonzero().item<std::int64_t>() > 0;
}

std::int64_t FingerprintNetwork::embedding_size() const {
  return is_whitened_ ? whitening_weight_.size(0) : trained_size();
}

std::int64_t FingerprintNetwork::trained_size() const {
  if (reductions_->is_empty()) return backbone_->features();
  return reductions_->children().back()->as<torch::nn::Linear>()->options.out_features();
}

std::shared_ptr<FingerprintNetwork> make_network(const host::BackboneHandle& backbone, const Parameters& head,
                                                 const Parameters& training, std::int64_t height, std::int64_t width) {
  const ThreadScope threads(resolved_threads(training));
  auto network = std::make_shared<FingerprintNetwork>(backbone.make(1, height, width), head);
  draw_first_weights(*network, static_cast<std::uint64_t>(training.integer("seed")));
  lay_channels_last(*network);
  return network;
}

std::map<std::string, at::Tensor> network_state(const FingerprintNetwork& network) {
  std::map<std::string, at::Tensor> state = named_tensors(network);
  for (auto& [name, tensor] : state) tensor = tensor.detach().to(at::kCPU).contiguous().clone();
  return state;
}

void load_network_state(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& state) {
  const at::NoGradGuard no_graph;
  std::map<std::string, at::Tensor> own = named_tensors(network);
  for (const auto& [name, tensor] : state)
    if (!own.contains(name))
      throw Error(text("weights: the network has no \"", name, "\"; they belong to another one"));
  for (auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found == state.end()) throw Error(text("weights: \"", name, "\" is missing; they belong to another network"));
    if (found->second.sizes() != tensor.sizes())
      throw Error(text("weights: \"", name, "\" is ", shape_text(found->second), " and the network's is ",
                       shape_text(tensor), "; they belong to another network"));
    tensor.copy_(found->second);
  }
  if (own.contains("whitening_weight")) network.set_whitening(state.at("whitening_mean"), state.at("whitening_weight"));
}

}  // namespace osteon::training
