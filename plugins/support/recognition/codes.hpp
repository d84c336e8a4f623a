#pragma once

// A gallery in 7 or 8 bits a dimension, and how far what the codes say can be from the truth.

#include "recognition/kernels.hpp"

#include <ATen/core/Tensor.h>

#include <vector>

namespace osteon::recognition {

/// Rows x as the search compares them: x · factor, in float64. For cosine distances the factor is 1 / |x|.
struct ScaledRow {
  const float* values;
  double factor;
};

class CodedQuery;

/// Row x is coded as round((x - centre) / step), the same centre and step for all rows.
class CodeTable {
 public:
  CodeTable() = default;
  /// `factors` is empty for factors of 1.
  CodeTable(const at::Tensor& rows, const std::vector<double>& factors);

  /// False where the codes would take more memory than a quarter of a gallery should, or d is too large for them.
  [[nodiscard]] static bool fits(std::int64_t rows, std::int64_t d);

  [[nodiscard]] CodedQuery code(ScaledRow query) const;
  [[nodiscard]] std::int64_t tiles() const { return tiles_; }
  [[nodiscard]] CodeTile tile(std::int64_t index) const {
    return {codes_.data_ptr<std::uint8_t>() + index * kTileGroups * chunks_ * kGroup * 4,
            norms_.data() + index * kTileGroups * kGroup, chunks_};
  }

 private:
  double write(ScaledRow row, std::int64_t index);

  std::int64_t d_ = 0, chunks_ = 0, tiles_ = 0;
  double step_ = 1, error_ = 0, longest_ = 0;
  std::vector<double> centre_;
  std::vector<std::int32_t> norms_;
  at::Tensor codes_;
};

class CodedQuery {
 public:
  [[nodiscard]] const std::int8_t* codes() const { return codes_.data(); }
  /// What a kernel's limit must be so that no row whose true distance is at most `distance` is left out.
  [[nodiscard]] std::int32_t limit(double distance) const;

 private:
  friend class CodeTable;
  std::vector<std::int8_t> codes_;
  std::int64_t constant_ = 0;  ///< |query - row|² in steps² = the kernel's value + this
  double step_ = 1, slack_ = 0;
};

}  // namespace osteon::recognition
