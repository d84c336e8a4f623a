// With q' and g' the decoded query and row, the triangle inequality says | |q - g| - |q' - g'| | ≤ |q - q'| + |g - g'|:
// the errors of coding are known, |q' - g'|² is a whole number of steps², and so the codes can leave rows out, never
// wrongly. The bound is tight where it matters, between near neighbours.

#include "recognition/codes.hpp"

#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

namespace osteon::recognition {

namespace {

constexpr std::int64_t kMostBytes = 64 << 20;
constexpr std::int64_t kMostDimensions = 32768;  ///< 4 · 127 · 255 · d fits 32 bits: no sum overflows below 33,000
constexpr int kQueryLevels = 127;

std::int64_t rounded_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

}  // namespace

bool CodeTable::fits(std::int64_t rows, std::int64_t d) {
  return d <= kMostDimensions / 4 && rows <= kMostBytes / std::max<std::int64_t>(1, d);
}

CodeTable::CodeTable(const at::Tensor& rows, const std::vector<double>& factors)
    : d_(rows.size(1)),
      chunks_(rounded_up(std::max<std::int64_t>(d_, 1), 4) / 4),
      tiles_(rounded_up(rows.size(0), kGroup * kTileGroups) / (kGroup * kTileGroups)),
      centre_(static_cast<std::size_t>(d_), 0.0) {
  const std::int64_t count = rows.size(0);
  const float* values = rows.data_ptr<float>();
  const auto row = [&](std::int64_t i) {
    return ScaledRow{values + i * d_, factors.empty() ? 1.0 : factors[static_cast<std::size_t>(i)]};
  };
  // The middle of each dimension's range makes the largest difference, and with it the step, smallest.
  std::vector<double> low(static_cast<std::size_t>(d_), INFINITY), high(static_cast<std::size_t>(d_), -INFINITY);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < low.size(); ++j) {
      const double x = row(i).values[j] * row(i).factor;
      low[j] = std::min(low[j], x);
      high[j] = std::max(high[j], x);
    }
  double range = 0;
  for (std::size_t j = 0; j < low.size(); ++j) {
    centre_[j] = low[j] / 2 + high[j] / 2;
    range = std::max(range, high[j] / 2 - low[j] / 2);
  }
  step_ = range > 0 ? range / kernels().levels : 1;
  codes_ = at::full({tiles_ * kTileGroups * kGroup * chunks_ * 4}, kernels().offset, at::kByte);
  norms_.assign(static_cast<std::size_t>(tiles_ * kTileGroups * kGroup), 0);
  std::mutex mutex;
  parallel_for(0, count, 256, [&](std::int64_t first, std::int64_t last) {
    double error = 0;
    for (std::int64_t i = first; i < last; ++i) error = std::max(error, write(row(i), i));
    const std::lock_guard lock(mutex);
    error_ = std::max(error_, error);
  });
  longest_ = range * std::sqrt(static_cast<double>(d_));
}

/// Writes the code of one row; returns how far the decoded row is from it.
double CodeTable::write(ScaledRow row, std::int64_t index) {
  std::uint8_t* group = codes_.data_ptr<std::uint8_t>() + index / kGroup * chunks_ * kGroup * 4;
  double error = 0;
  std::int32_t norm = 0;
  for (std::int64_t j = 0; j < d_; ++j) {
    const double x = (row.values[j] * row.factor - centre_[static_cast<std::size_t>(j)]) / step_;
    const double level = std::nearbyint(x);
    const int code = static_cast<int>(level);
    group[(j / 4 * kGroup + index % kGroup) * 4 + j % 4] = static_cast<std::uint8_t>(code + kernels().offset);
    norm += code * code;
    error += (x - level) * (x - level);
  }
  norms_[static_cast<std::size_t>(index)] = norm;
  return std::sqrt(error) * step_;
}

CodedQuery CodeTable::code(ScaledRow query) const {
  CodedQuery coded;
  coded.codes_.assign(static_cast<std::size_t>(chunks_ * 4), 0);
  coded.step_ = step_;
  double error = 0, length = 0;
  std::int64_t norm = 0, sum = 0;
  for (std::int64_t j = 0; j < d_; ++j) {
    const double x = (query.values[j] * query.factor - centre_[static_cast<std::size_t>(j)]) / step_;
    const double level = std::clamp(std::nearbyint(x), -1.0 * kQueryLevels, 1.0 * kQueryLevels);
    const int code = static_cast<int>(level);
    coded.codes_[static_cast<std::size_t>(j)] = static_cast<std::int8_t>(code);
    norm += code * code;
    sum += code;
    error += (x - level) * (x - level);
    length += x * x;
  }
  // Σ (g + offset) q = Σ g q + offset Σ q.
  coded.constant_ = norm + 2 * kernels().offset * sum;
  // The last terms are for rounding in float64: of differences, of the error itself, of the distances compared with.
  coded.slack_ = (std::sqrt(error) * step_ + error_) * (1 + 1e-9) + 1e-12 * (std::sqrt(length) * step_ + longest_);
  return coded;
}

std::int32_t CodedQuery::limit(double distance) const {
  constexpr auto kMost = static_cast<double>(std::numeric_limits<std::int32_t>::max());
  const double steps = (distance * (1 + 1e-9) + slack_) / step_;
  const double value = steps * steps * (1 + 1e-9) + 1 - static_cast<double>(constant_);
  return value < kMost ? static_cast<std::int32_t>(std::max(value, -kMost)) : std::numeric_limits<std::int32_t>::max();
}

}  // namespace osteon::recognition
