#pragma once

#include "methods.hpp"

namespace osteon::shape_error {

/// Up to `count` cases of one method, evenly from its best to its worst.
std::vector<SurfacePair> pictures(const Method& method, const Comparison& comparison, std::int64_t count);

}  // namespace osteon::shape_error
