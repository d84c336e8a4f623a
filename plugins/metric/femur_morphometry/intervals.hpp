#pragma once

// Whether methods know how far their measures may be off: 90 % intervals from the surfaces that they think possible.

#include "differences.hpp"

namespace osteon::morphometry {

/// Two tables: how often the true measure lies in the interval (90 % is right, less is too sure), and how wide that
/// is. Nothing of methods that draw no surfaces. `truths` has one entry a case.
[[nodiscard]] std::vector<MetricValue> interval_figures(const std::vector<ShapeCase>& cases,
                                                        const std::vector<femur::Morphometry>& truths);

}  // namespace osteon::morphometry
