#pragma once

// Principal components (Pearson 1901; Hotelling 1933), exact: eigenvectors of the covariance, or of the rows' inner
// products where there are fewer rows than dimensions.

#include <ATen/core/Tensor.h>

#include <vector>

namespace osteon::embedding {

struct Pca {
  at::Tensor points;  ///< float64 `[n, k]`: the rows along the first k components
  /// Share of the whole variance that each of the k components explains, 0 … 1; NaN where there is no variance.
  std::vector<double> explained;
};

/// `rows` float32 `[n, d]` on the CPU, finite, at least one, or a failure. `components` are at least 1; those beyond
/// min(n, d) are 0. Of the two signs that a component can have, the one is taken that makes its largest entry in
/// `points` positive (of equally large ones, the first).
[[nodiscard]] Pca pca(const at::Tensor& rows, std::int64_t components);

}  // namespace osteon::embedding
