#pragma once

// t-SNE in the plane (van der Maaten and Hinton, JMLR 9, 2008) with the Barnes–Hut approximation (van der Maaten, JMLR
// 15, 2014). It begins at the first two principal components (Kobak and Linderman, Nature Biotechnology 39, 2021),
// draws no random numbers, and gives the same points for every number of threads.

#include <ATen/core/Tensor.h>

namespace osteon::embedding {

struct TsneOptions {
  double perplexity = 30;
  std::int64_t iterations = 750;   ///< the first third of them, at most 250, exaggerated
  double early_exaggeration = 12;  ///< of the affinities, at least 1
  double angle = 0.3;              ///< of the Barnes–Hut approximation: 0 is exact, at most 0.7
};

struct Tsne {
  at::Tensor points;  ///< float32 `[n, 2]`
  double perplexity;  ///< that was used: at most a third of the other rows, so that it has neighbours to spread over
};

/// `rows` float32 `[n, d]` on the CPU, finite, or a failure; n at least 4, or an `Error`. Rows that are equal stay
/// together.
[[nodiscard]] Tsne tsne(const at::Tensor& rows, const TsneOptions& options);

}  // namespace osteon::embedding
