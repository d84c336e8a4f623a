#pragma once

#include <osteon/plugin.hpp>

#include <torch/nn/module.h>

#include <string>
#include <vector>

namespace osteon {

/// Images → features: a convolutional network up to, and without, its classifier.
///
/// `make` builds a fresh network. Its parameters are named as torchvision names them. Their first values don't matter:
/// the host sets them from its own counter-based generator, or from a file.
class OSTEON_API Network : public torch::nn::Module {
 public:
  Network() = default;
  ~Network() override;

  /// float `[N, C, H, W]` in 0 … 1 → `[N, features]`. Respects `train()` and `eval()`.
  torch::Tensor forward(const torch::Tensor& images) { return pool(maps(images)); }
  /// The first half of `forward`: float `[N, C, H, W]` in 0 … 1 → the last convolution's maps `[N, M, h, w]`, after its
  /// normalisation and non-linearity; Grad-CAM looks at them.
  virtual torch::Tensor maps(const torch::Tensor& images) = 0;
  /// The second half: maps → `[N, features]`.
  virtual torch::Tensor pool(const torch::Tensor& maps) = 0;
  [[nodiscard]] virtual std::int64_t features() const = 0;
  /// Prefixes of parameter names, from the input to the output: units that may have a learning rate of their own.
  [[nodiscard]] virtual std::vector<std::string> layer_groups() const = 0;
  /// Name of the submodule whose output `maps` returns.
  [[nodiscard]] virtual std::string last_convolution() const = 0;
  /// Prefixes of what published weights of this network hold beyond it: its class layer first ("fc", "classifier.6"),
  /// then auxiliary ones ("AuxLogits"). They are left out when such weights are read; trained class weights are written
  /// under the first.
  [[nodiscard]] virtual std::vector<std::string> left_out_layers() const = 0;
};

class OSTEON_API Backbone : public Plugin {
 public:
  ~Backbone() override;

  /// A network for images of `channels` × `height` × `width`. Throws `Error` when they are too small for it.
  [[nodiscard]] virtual std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height,
                                                      std::int64_t width) const = 0;
};

}  // namespace osteon
