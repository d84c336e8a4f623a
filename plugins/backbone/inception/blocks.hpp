#pragma once

// What Inception networks are made of: units (convolution, batch normalisation, ReLU) in branches whose maps are
// joined, with or without a way around them.

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <string>
#include <utility>
#include <vector>

namespace osteon::inception {

namespace nn = torch::nn;

/// A convolution without bias, its batch normalisation (epsilon 0.001, as published) and its ReLU.
struct Unit {
  std::string name;       ///< as in the published weights; "branch1.0" is "0" within "branch1"
  std::int64_t channels;  ///< before the width factor
  std::int64_t height = 1, width = 1;
  std::int64_t stride = 1;
  bool padded = true;  ///< to its input's size; what strides has no padding
};

/// What a branch does to the block's input before its first unit: 3 × 3 pooling.
enum class Pooling {
  none,
  mean,            ///< stride 1; the zeros around the image count
  mean_of_inside,  ///< stride 1; only pixels of the image count
  maximum,         ///< stride 2, no padding
};

/// Units one after the other; then, side by side, the units of `ends`, if there are any.
struct Branch {
  std::vector<Unit> units;
  Pooling pooling = Pooling::none;
  std::vector<Unit> ends = {};
};
using Branches = std::vector<Branch>;

class UnitModuleImpl : public nn::Module {
 public:
  UnitModuleImpl(std::int64_t in, const Unit& unit, double width);
  torch::Tensor forward(const torch::Tensor& input) { return bn_(conv_(input)).relu_(); }
  [[nodiscard]] std::int64_t channels() const { return bn_->options.num_features(); }

 private:
  nn::Conv2d conv_;
  nn::BatchNorm2d bn_;
};
TORCH_MODULE(UnitModule);

/// Branches over one input; their maps in a row.
class JoinedBranches {
 public:
  /// Registers the units in `block`.
  JoinedBranches(nn::Module& block, std::int64_t in, const Branches& branches, double width);
  torch::Tensor forward(const torch::Tensor& input);
  [[nodiscard]] std::int64_t channels() const { return channels_; }

 private:
  struct Way {
    Pooling pooling;
    std::vector<UnitModule> units, ends;
  };

  std::vector<Way> ways_;
  std::int64_t channels_ = 0;
};

class MixedImpl : public nn::Module {
 public:
  MixedImpl(std::int64_t in, const Branches& branches, double width) : branches_(*this, in, branches, width) {}
  torch::Tensor forward(const torch::Tensor& input) { return branches_.forward(input); }
  [[nodiscard]] std::int64_t channels() const { return branches_.channels(); }

 private:
  JoinedBranches branches_;
};
TORCH_MODULE(Mixed);

/// input + `scale` × (a 1×1 convolution, "conv2d", of the branches' maps), then ReLU unless it is `linear`.
class ResidualImpl : public nn::Module {
 public:
  ResidualImpl(std::int64_t in, const Branches& branches, double scale, double width, bool linear = false);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  JoinedBranches branches_;
  nn::Conv2d conv2d_;
  double scale_;
  bool linear_;
};
TORCH_MODULE(Residual);

/// 3 × 3 maxima, stride 2, no padding.
[[nodiscard]] torch::Tensor halved(const torch::Tensor& maps);

}  // namespace osteon::inception
