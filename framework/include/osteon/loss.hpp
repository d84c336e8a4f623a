#pragma once

#include <osteon/plugin.hpp>

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace osteon {

/// The triplets that the framework's miner chose in a batch: indices into its rows, int64 `[T]` each, on the
/// embeddings' device. Empty when the batch has no valid triplet.
struct Triplets {
  at::Tensor anchor, positive, negative;
};

struct LossValue {
  at::Tensor value;  ///< scalar with a graph; a zero with a graph when there is nothing to learn
  std::map<std::string, double> statistics;  ///< named, for the learning curves
};

/// Embeddings + labels + mined triplets → what training makes small. May own trained state (class weights, proxies).
class OSTEON_API Loss : public Plugin {
 public:
  ~Loss() override;

  /// Called once before training. `embedding_size` is d.
  virtual void prepare(std::int64_t classes, std::int64_t embedding_size);

  /// `embeddings` float32 `[N, d]`, unit rows; `labels` int64 `[N]`, 0 … classes-1. Must be differentiable in
  /// `embeddings` and hold no state between calls but what `state` returns.
  [[nodiscard]] virtual LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                          const Triplets& triplets) = 0;

  /// Trained tensors by name (those that require a gradient are given to the optimiser); empty by default. A
  /// checkpoint saves them and copies them back into the same tensors.
  [[nodiscard]] virtual std::map<std::string, at::Tensor> state();

  /// The margin at which triplet accuracy is scored beside 0.1 and 0; negative when the loss has none.
  [[nodiscard]] virtual double margin() const;
};

}  // namespace osteon
