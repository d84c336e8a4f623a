#pragma once

// How far a map can be trusted: whether the neighbours that it shows are neighbours (Venna and Kaski, ICANN 2001).

#include <ATen/core/Tensor.h>

namespace osteon::embedding {

/// 1 - 2 / (n k (2n - 3k - 1)) · Σᵢ Σⱼ max(0, r(i, j) - k), where j runs over the k nearest of i on the map and r is
/// j's place among the neighbours of i in `rows`. 1: all neighbours shown are true; about 0.5: a random map. `rows`
/// float32 `[n, d]`, `points` float32 `[n, 2]`; NaN unless k < n / 2. Of equally near ones the smaller index is nearer.
[[nodiscard]] double trustworthiness(const at::Tensor& rows, const at::Tensor& points, std::int64_t k);

}  // namespace osteon::embedding
