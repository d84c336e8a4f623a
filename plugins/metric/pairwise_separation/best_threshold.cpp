#include "best_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace osteon::separation {

BestThreshold best_threshold(std::vector<double> same, std::vector<double> different) {
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  if (same.empty() || different.empty()) return {kUndefined, kUndefined};
  std::ranges::sort(same);
  std::ranges::sort(different);
  // Before the first step nothing is near enough; each step goes past all pairs of the next distance.
  BestThreshold best{std::min(same.front(), different.front()), 0.5};
  std::size_t same_below = 0, different_below = 0;
  while (same_below < same.size() || different_below < different.size()) {
    const auto next = [&] {
      const double infinite = std::numeric_limits<double>::infinity();
      return std::min(same_below < same.size() ? same[same_below] : infinite,
                      different_below < different.size() ? different[different_below] : infinite);
    };
    const double passed = next();
    while (same_below < same.size() && same[same_below] == passed) ++same_below;
    while (different_below < different.size() && different[different_below] == passed) ++different_below;
    const double accuracy = (static_cast<double>(same_below) / static_cast<double>(same.size()) + 1 -
                             static_cast<double>(different_below) / static_cast<double>(different.size())) /
                            2;
    if (accuracy <= best.accuracy) continue;
    const double following = next();
    best = {std::isfinite(following) ? std::midpoint(passed, following)
                                     : std::nextafter(passed, std::numeric_limits<double>::infinity()),
            accuracy};
  }
  return best;
}

}  // namespace osteon::separation
