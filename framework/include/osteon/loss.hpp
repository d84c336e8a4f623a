#pragma once

#include <osteon/plugin.hpp>

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace osteon {

/// What the framework's miner chose in a batch, on the embeddings' device: triplets, and the same choice as pairs for
/// losses that compare two images at a time. All are empty when the batch has no valid triplet.
struct Tuples {
  at::Tensor anchor, positive, negative;  ///< int64 `[T]` each: indices into the batch's rows
  /// bool `[N, N]`: row and column stand in a chosen triplet as its anchor and positive, as its anchor and negative.
  at::Tensor positive_pairs, negative_pairs;
};

/// Tuples of a batch of `rows` images from the indices of its triplets.
OSTEON_API Tuples make_tuples(at::Tensor anchor, at::Tensor positive, at::Tensor negative, std::int64_t rows);

struct LossValue {
  at::Tensor value;  ///< scalar with a graph; a zero with a graph when there is nothing to learn
  std::map<std::string, double> statistics;  ///< named, for the learning curves
};

/// Embeddings + labels + mined tuples → what training makes small. May own trained state (class weights, proxies).
class OSTEON_API Loss : public Plugin {
 public:
  ~Loss() override;

  /// Called once before training. `embedding_size` is d.
  virtual void prepare(std::int64_t classes, std::int64_t embedding_size);

  /// `embeddings` float32 `[N, d]`, unit rows unless the experiment's head has no pairs; `labels` int64 `[N]`,
  /// 0 … classes-1. Must be differentiable in `embeddings` (in float64 too) and hold no state between calls but what
  /// `state` returns.
  [[nodiscard]] virtual LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                          const Tuples& tuples) = 0;

  /// False for a loss that compares images with the classes themselves (class weights, proxies): it is handed empty
  /// tuples, and its batches need no two images of a class. True by default.
  [[nodiscard]] virtual bool uses_tuples() const;

  /// float `[N, d]` → `[N, classes]`, larger is likelier, differentiable: what the trained state says of each class.
  /// Undefined, the default, for a loss that knows no classes.
  [[nodiscard]] virtual at::Tensor class_scores(const at::Tensor& embeddings);

  /// Trained tensors by name (those that require a gradient are given to the optimiser); empty by default. Before
  /// training the host draws those of two axes from its own generator (normal, 1/√columns wide) and sets those of one
  /// axis to 0; a scalar keeps what `prepare` gave it. A checkpoint and the stored model save them and copy them back
  /// into the same tensors.
  [[nodiscard]] virtual std::map<std::string, at::Tensor> state();

  /// The margin at which triplet accuracy is scored beside 0.1 and 0; negative when the loss has none.
  [[nodiscard]] virtual double margin() const;
};

}  // namespace osteon
