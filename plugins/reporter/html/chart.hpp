#pragma once

// Learning curves as inline SVG: one panel for curves that share the words before " (", so that training and validation
// of one figure lie in one picture.

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace osteon::report {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< epoch, value; values that are not finite break the line
};

[[nodiscard]] std::string learning_curves(std::span<const Curve> curves);

/// Whether a range is that of one value: its ends differ by rounding alone, and no steps lie between them.
[[nodiscard]] bool is_one_value(double low, double high);

/// Round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high] with about `wanted` steps.
[[nodiscard]] std::vector<double> round_ticks(double low, double high, int wanted);

}  // namespace osteon::report
