#pragma once

// k-means: Lloyd's iteration (IEEE Trans. Inf. Theory 28:129, 1982) from centres drawn by k-means++ (Arthur and
// Vassilvitskii, SODA 2007), best of several starts.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace osteon::clustering {

struct Settings {
  std::int64_t clusters = 2;
  std::int64_t restarts = 10;     ///< the start that ends with the least sum of squared distances is kept
  std::int64_t iterations = 100;  ///< at most, of each start
  std::uint64_t seed = 0;
};

struct Clusters {
  std::vector<std::int64_t> of_point;  ///< 0 … clusters - 1
  std::int64_t centres = 0;            ///< fewer than asked for where there are fewer distinct points
  double inertia = 0;                  ///< sum of squared distances to the nearest centre
};

/// `points` float32 `[n, d]`, finite, n at least 1. The same for the same seed and number of threads.
[[nodiscard]] Clusters k_means(const at::Tensor& points, const Settings& settings);

}  // namespace osteon::clustering
