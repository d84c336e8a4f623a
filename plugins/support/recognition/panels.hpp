#pragma once

// Sums over the rows of a table for every pair of its columns: matrix products, and squared distances in the same way.
// Each sum is added up row by row, as the plain loop `for r: sum += a[r] * b[r]` does, and so has that loop's bits on
// every processor and for every number of threads; a BLAS splits and fuses its sums as it likes. It is fast because the
// lanes of the processor's vectors hold different columns, never parts of one sum.

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::recognition {

constexpr std::int64_t kPanel = 8;                   ///< columns that lie together
constexpr std::int64_t kTileSums = kPanel * kPanel;  ///< pairs of columns of two panels

/// A table of float64 numbers, eight columns at a time: those of a row lie side by side, and the rows below one
/// another. Columns that the last panel has too many are 0.
class Panels {
 public:
  Panels() = default;
  Panels(std::int64_t rows, std::int64_t columns)
      : rows_(rows),
        columns_(columns),
        values_(static_cast<std::size_t>((columns + kPanel - 1) / kPanel * kPanel * rows), 0.0) {}

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t count() const { return (columns_ + kPanel - 1) / kPanel; }

  [[nodiscard]] double& at(std::int64_t row, std::int64_t column) {
    return values_[static_cast<std::size_t>((column / kPanel * rows_ + row) * kPanel + column % kPanel)];
  }
  [[nodiscard]] const double* panel(std::int64_t index) const { return values_.data() + index * rows_ * kPanel; }

 private:
  std::int64_t rows_ = 0, columns_ = 0;
  std::vector<double> values_;
};

enum class SumOf { product, squared_difference };

/// Compares panel `index` of `left` with the panels from `first` to before `last` of `right`, which has as many rows:
/// `sums[(p - first) * kTileSums + a * kPanel + b]` becomes Σ over all rows of x y, or of (x - y)², where x stands in
/// column a of the left panel and y in column b of panel p.
void sum_over_rows(SumOf what, const Panels& left, std::int64_t index, const Panels& right, std::int64_t first,
                   std::int64_t last, std::span<double> sums);

}  // namespace osteon::recognition
