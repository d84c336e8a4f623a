#pragma once

// The study's threshold classifier (Čavojská et al., Commun. Biol. 3:337, 2020, Results): a query x is of class C if
// |µ - x| < f σ in most dimensions, µ and σ being the mean and the standard deviation of each dimension in C.

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace osteon::recognition {

/// Mean and standard deviation (over n) of each chosen dimension in one class.
struct ClassDeviation {
  std::int64_t label = 0;
  std::vector<double> mean, deviation;
};

/// The dimensions in which at most `sparse_share` of the `rows`, float32 `[N, d]` contiguous, are zero: |x| of at most
/// `zero_below` counts as zero. Ascending; empty where all are sparse.
[[nodiscard]] std::vector<std::int64_t> dense_dimensions(const at::Tensor& rows, double zero_below,
                                                         double sparse_share);

/// One entry a label, ascending. `rows` float32 `[N, d]` contiguous, `labels` int64 `[N]` contiguous.
[[nodiscard]] std::vector<ClassDeviation> class_deviations(const at::Tensor& rows, const at::Tensor& labels,
                                                           std::span<const std::int64_t> dimensions);

struct ClassAnswer {
  std::int64_t label = -1;  ///< -1: unknown
  std::size_t inside = 0;   ///< dimensions of the class with most of them
};

/// The class in more than half of whose dimensions |µ - x| < factor · σ; of several the one with the most. A tie for
/// the most, or no such class, is unknown. A dimension in which a class has only one value (σ = 0) never counts.
/// `query` has a value for each of all d dimensions.
[[nodiscard]] ClassAnswer class_within(const float* query, std::span<const ClassDeviation> classes,
                                       std::span<const std::int64_t> dimensions, double factor);

}  // namespace osteon::recognition
