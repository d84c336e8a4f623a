#pragma once

#include <osteon/plugin.hpp>

#include <ATen/core/Tensor.h>

namespace osteon {

struct Prediction {
  at::Tensor labels;  ///< int64 `[Q]`; -1 means unknown
  at::Tensor scores;  ///< float32 `[Q]`; larger is surer, comparable within one classifier
};

/// Learns labels from gallery embeddings, then answers for queries.
class OSTEON_API Classifier : public Plugin {
 public:
  ~Classifier() override;

  /// `embeddings` float32 `[N, d]` contiguous CPU, finite; `labels` int64 `[N]`. Replaces what was fitted before.
  virtual void fit(const at::Tensor& embeddings, const at::Tensor& labels) = 0;

  /// `queries` float32 `[Q, d]`. Throws a failure when nothing was fitted or d differs.
  [[nodiscard]] virtual Prediction predict(const at::Tensor& queries) const = 0;
};

}  // namespace osteon
