#pragma once

// How many dimensions embeddings really use (Roy and Vetterli, "The effective rank: a measure of effective
// dimensionality", EUSIPCO 2007).

#include <ATen/core/Tensor.h>

namespace osteon::embedding {

/// The exponential of the Shannon entropy of the singular values divided by their sum: k where k of them are equal and
/// the others 0. Of `rows` less their mean, float32 `[n, d]` on the CPU, finite; 1 … min(n - 1, d). NaN where all rows
/// are equal.
[[nodiscard]] double effective_rank(const at::Tensor& rows);

}  // namespace osteon::embedding
