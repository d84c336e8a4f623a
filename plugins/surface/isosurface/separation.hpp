#pragma once

// Bones that touch, told apart.

#include "field.hpp"
#include "morphology.hpp"

#include <osteon/geometry.hpp>

namespace osteon::isosurface {

/// Labels of the bones in a solid mask, from 1: pieces that hang together by bridges up to `bridge` mm wide alone get
/// labels of their own, and each ends where the bridge is narrowest. What is nowhere wider than 1.25 times the bridge
/// stays with its neighbour. Where the mask reaches the end of its box it counts as going on.
[[nodiscard]] Labels parted(const Mask& solid, const Vec3& spacing, double bridge);

}  // namespace osteon::isosurface
