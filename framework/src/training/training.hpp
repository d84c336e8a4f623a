#pragma once

// Head, sampling, mining, trainer: from images and labels to a network that makes fingerprints.

#include "host/handles.hpp"
#include "training/augment.hpp"
#include "training/group.hpp"
#include "training/pixels.hpp"

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace osteon::training {

[[nodiscard]] Schema head_schema();      ///< [head]: d, number of (linear, L2) pairs, inner normalisation
[[nodiscard]] Schema training_schema();  ///< [training]: batches, mining, optimiser, rates, precision, seed…

/// Images of all classes; which of them train and which validate.
struct Data {
  Pixels pixels;
  std::int64_t views = 1;                          ///< pictures side by side in each image
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

/// What a training ends with, beside the weights.
struct Trained {
  std::vector<CurvePoint> curves;
  std::vector<std::string> notices;  ///< what the user should know: a collapse, an early end, which epoch was kept
};

struct Progress {
  std::int64_t batches_done, batches_total;
  double seconds_left;
  std::string detail;  ///< "epoch 4/6  loss 0.0214  active triplets 11 %  triplet accuracy 98.1 %  214 images/s"
};

/// Backbone and head: unit rows, or the backbone's features as they are where the head has no pairs and no whitening.
/// The whitening is no part of what trains: it is fitted to the trained network (training/whitening.hpp), and acts from
/// then on.
class FingerprintNetwork : public torch::nn::Module {
 public:
  FingerprintNetwork(std::shared_ptr<Network> backbone, const Parameters& head);
  /// uint8 `[N, H, W]` → `[N, d]`, of the type that the weights have.
  at::Tensor forward(const at::Tensor& pixels) { return reduce(backbone_->pool(maps(pixels))); }
  /// The last convolution's maps: uint8 `[N, H, W]` → `[N, M, h, w]`.
  at::Tensor maps(const at::Tensor& pixels);
  /// Features `[N, F]` → `[N, d]`, float32 or wider.
  at::Tensor reduce(const at::Tensor& features);
  [[nodiscard]] std::int64_t embedding_size() const;
  /// Size of what the loss sees, before any whitening.
  [[nodiscard]] std::int64_t trained_size() const;
  [[nodiscard]] Network& backbone() { return *backbone_; }
  /// Whether embeddings are unit rows.
  [[nodiscard]] bool is_normalised() const { return reductions_->size() > 0 || is_whitened_; }
  [[nodiscard]] bool is_whitened() const { return is_whitened_; }
  /// From now on embeddings are `weight` (embedding - `mean`), of unit length: float `[d, n]` and `[n]`, n the trained
  /// size. All zeros: no whitening.
  void set_whitening(const at::Tensor& mean, const at::Tensor& weight);

 private:
  std::shared_ptr<Network> backbone_;
  torch::nn::ModuleList reductions_;
  bool inner_normalisation_ = true;
  at::Tensor whitening_mean_, whitening_weight_;  ///< undefined where the head has no whitening
  bool is_whitened_ = false;
};

/// A network whose every weight is drawn from (seed, name of the parameter): He for convolutions, and so on.
[[nodiscard]] std::shared_ptr<FingerprintNetwork> make_network(const host::BackboneHandle& backbone,
                                                               const Parameters& head, const Parameters& training,
                                                               std::int64_t height, std::int64_t width);

/// Parameters and buffers by name, on the CPU, as the store keeps them; and back.
[[nodiscard]] std::map<std::string, at::Tensor> network_state(const FingerprintNetwork& network);
void load_network_state(FingerprintNetwork& network, const std::map<std::string, at::Tensor>& state);

/// Makes a loss ready for so many classes: first values of its own state, on this device.
void prepare_loss(const host::LossHandle& loss, std::int64_t classes, const FingerprintNetwork& network,
                  at::Device device, std::uint64_t seed);

struct Listener {
  std::function<void(const Progress&)> progress;
  std::function<void(const std::string&)> notice;  ///< at once, for the screen; `Trained::notices` holds it too
};

/// Trains network and loss in place. Writes a checkpoint into `work` after each epoch and continues from one found
/// there: the same final weights as without the interruption, bit for bit. Throws `Error` on NaN (the batch is saved in
/// `work`), on a class with one training image, on batches larger than the data.
///
/// Every rank of `group` calls it with the same arguments; `work` is one folder for all. Each rank computes its share
/// of every batch, rank 0 mines the triplets of the whole batch and takes the loss of all its embeddings, the gradients
/// of all shares are summed, and batch normalisation goes over the whole batch (synchronised_batch_norm.hpp): the
/// result is that of one process within rounding. Only rank 0 writes and listens; what the others return is empty. A
/// checkpoint is of the whole, so another number of ranks goes on from it. Throws `Error` on a batch that has fewer
/// images than there are ranks, and a failure when a rank is lost.
Trained train(FingerprintNetwork& network, const host::LossHandle& loss, const Data& data, const Parameters& training,
              const Parameters& augment, const std::filesystem::path& work, const Listener& listener,
              Group& group = Group::alone());

/// Fingerprints of these images in evaluation mode: float32 `[rows, d]`. A chunk at a time, so that memory is bounded
/// however many there are.
[[nodiscard]] at::Tensor embed(FingerprintNetwork& network, const Pixels& pixels, std::span<const std::int64_t> rows,
                               const Parameters& training,
                               const std::function<void(std::int64_t, std::int64_t)>& progress);
/// Changes a chunk of images, uint8 `[n, H, W]`, before the network sees them; told which rows they are.
using ChangeImages = std::function<void(at::Tensor& images, std::span<const std::int64_t> rows)>;
/// The same of images that `change` has changed.
[[nodiscard]] at::Tensor embed_changed(FingerprintNetwork& network, const Pixels& pixels,
                                       std::span<const std::int64_t> rows, const Parameters& training,
                                       const ChangeImages& change,
                                       const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace osteon::training
