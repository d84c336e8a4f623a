#pragma once

// How much each point of a set likes each other one: what t-SNE draws (van der Maaten and Hinton, JMLR 9, 2008,
// equations 1 and 2), for the nearest neighbours only (van der Maaten, JMLR 15, 2014, section 4.1).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace osteon::embedding {

/// A sparse symmetric matrix, row by row. All entries sum to 1; the diagonal is 0.
struct Affinities {
  std::vector<std::int64_t> first;  ///< `[n + 1]`: where each row begins
  std::vector<std::int32_t> other;  ///< ascending in each row
  std::vector<float> weight;
};

/// Gaussian affinities over the exact 3 × `perplexity` nearest rows (Euclidean), each row's width chosen so that its
/// distribution has that perplexity, then made symmetric. `rows` float32 `[n, d]`, finite, n at least 2;
/// 1 ≤ perplexity ≤ (n - 1) / 3 where n allows it. Rows that coincide with more others than the perplexity have a wider
/// distribution, as no width gives that perplexity.
[[nodiscard]] Affinities affinities(const at::Tensor& rows, double perplexity);

}  // namespace osteon::embedding
