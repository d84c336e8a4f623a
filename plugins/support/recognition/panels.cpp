#include "recognition/panels.hpp"

#include "recognition/kernels.hpp"

#include <algorithm>

namespace osteon::recognition {

namespace {

constexpr std::int64_t kBlock = 256;  ///< rows of two panels that fit the first cache together

}  // namespace

void sum_over_rows(SumOf what, const Panels& left, std::int64_t index, const Panels& right, std::int64_t first,
                   std::int64_t last, std::span<double> sums) {
  const auto add = what == SumOf::product ? kernels().add_products : kernels().add_squared_differences;
  std::fill(sums.begin(), sums.end(), 0.0);
  for (std::int64_t row = 0; row < left.rows(); row += kBlock)
    for (std::int64_t p = first; p < last; ++p)
      add(left.panel(index) + row * kPanel, right.panel(p) + row * kPanel, std::min(kBlock, left.rows() - row),
          sums.data() + (p - first) * kTileSums);
}

}  // namespace osteon::recognition
