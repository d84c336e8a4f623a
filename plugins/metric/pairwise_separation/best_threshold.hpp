#pragma once

// The threshold that tells two kinds of pairs apart best.

#include <vector>

namespace osteon::separation {

struct BestThreshold {
  double distance;  ///< pairs nearer than this are called the same bone
  double accuracy;  ///< mean of the shares of both kinds that it gets right, 0.5 … 1
};

/// Of all thresholds the one with the largest mean of both shares, so that it does not depend on how many pairs there
/// are of each kind. Between two distances it lies in the middle; of equally good ones the smallest counts. NaN where a
/// kind has no pair.
[[nodiscard]] BestThreshold best_threshold(std::vector<double> same, std::vector<double> different);

}  // namespace osteon::separation
