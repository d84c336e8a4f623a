#pragma once

// A gallery as the machines see it: shifted, scaled, in float64, and its kernels.

#include "recognition/panels.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::svm {

/// What is done to each dimension before anything else: (x - shift) · factor.
struct Scale {
  std::vector<double> shift, factor;
};

/// Inner products of rows x and y, or exp(-gamma |x - y|²).
struct Kernel {
  bool linear;
  double gamma;
};

/// Embeddings after scaling, one after the other.
class Rows {
 public:
  Rows() = default;
  /// `embeddings` float32 `[n, d]`.
  Rows(const at::Tensor& embeddings, const Scale& scale);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t dimensions() const { return dimensions_; }
  [[nodiscard]] const double* row(std::int64_t i) const { return values_.data() + i * dimensions_; }
  /// The chosen rows as columns of panels.
  [[nodiscard]] recognition::Panels gathered(std::span<const std::int32_t> chosen) const;

 private:
  std::int64_t size_ = 0, dimensions_ = 0;
  std::vector<double> values_;
};

}  // namespace osteon::svm
