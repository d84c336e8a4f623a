#pragma once

// Head, sampling, mining, trainer: from images and labels to a network that makes fingerprints.

#include "host/handles.hpp"

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace osteon::training {

[[nodiscard]] Schema head_schema();  ///< [head]: d, number of (linear, L2) pairs, inner normalisation
[[nodiscard]] Schema
training_schema();  ///< [training]: epochs, P, K, optimiser, rate, threads, precision, seed, mining…

/// Images of all classes; which of them train and which validate.
struct Data {
  at::Tensor pixels;                               ///< uint8 `[N, H, W]`
  at::Tensor labels;                               ///< int64 `[N]`, 0 … classes-1
  std::vector<std::int64_t> training, validation;  ///< rows
  std::int64_t classes = 0;
};

/// A point of a learning curve.
struct CurvePoint {
  std::string curve;
  double step;  ///< epochs
  double value;
};

struct Progress {
  std::int64_t batches_done, batches_total;
  double seconds_left;
  std::string detail;  ///< "epoch 4/6  loss 0.0214  active triplets 11 %  triplet accuracy 98.1 %  214 images/s"
};

/// Backbone and head; unit rows.
class FingerprintNetwork : public torch::nn::Module {
 public:
  FingerprintNetwork(std::shared_ptr<Network> backbone, const Parameters& head);
  /// uint8 `[N, H, W]` → float32 `[N, d]`, unit rows.
  at::Tensor forward(const at::Tensor& pixels);
  [[nodiscard]] std::int64_t embedding_size() const;
  [[nodiscard]] Network& backbone() { return *backbone_; }

 private:
  std::shared_ptr<Network> backbone_;
  torch::nn::ModuleList reductions_;
  bool inner_normalisation_ = true;
};

/// A network whose every weight is drawn from (seed, name of the parameter): He for convolutions, and so on.
[[nodiscard]] std::shared_ptr<FingerprintNetwork> make_network(const host::BackboneHandle& backbone,
                                                               const Parameters& head, const Parameters& training,
                                                               std::int64_t height, std::int64_t width);

/// Parameters and buffers by name, on the CPU, as the store keeps them; and back.
[[nodiscard]] std::map<std::string, at::Tensor> network_state(const FingerprintNetwork& network);
void load_network_state(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& state);

/// Trains in place and returns the learning curves. Writes a checkpoint into `work` after each epoch and continues from
/// one found there: the same final weights as without the interruption, bit for bit. Throws `Error` on NaN, on a class
/// with one training image, on P×K larger than the data.
std::vector<CurvePoint> train(FingerprintNetwork& network, const host::LossHandle& loss, const Data& data,
                              const Parameters& training, const std::filesystem::path& work,
                              const std::function<void(const Progress&)>& progress);

/// Fingerprints of all images in evaluation mode: float32 `[N, d]`.
[[nodiscard]] at::Tensor embed(FingerprintNetwork& network, const at::Tensor& pixels, const Parameters& training,
                               const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace osteon::training
