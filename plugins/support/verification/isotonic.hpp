#pragma once

#include <span>
#include <vector>

namespace osteon::verification {

/// The non-decreasing sequence nearest to `values` in weighted least squares, by pool adjacent violators (Ayer et al.,
/// Ann. Math. Stat. 26, 1955). `weights` are above 0.
[[nodiscard]] std::vector<double> isotonic(std::span<const double> values, std::span<const double> weights);

}  // namespace osteon::verification
