#pragma once

// Triplet accuracy (Čavojská et al. 2020): how often the anchor is nearer to the positive than to the negative.

#include <ATen/core/Tensor.h>

#include <optional>

namespace osteon::training {

/// Share of all triplets of rows with ‖a − p‖² + `margin` < ‖a − n‖². `embeddings` float32 `[N, d]`, `labels` int64
/// `[N]`, both on the CPU. Nothing when there is no triplet.
[[nodiscard]] std::optional<double> triplet_accuracy(const at::Tensor& embeddings, const at::Tensor& labels,
                                                     double margin);

}  // namespace osteon::training
