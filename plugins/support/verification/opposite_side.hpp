#pragma once

// Is a person known by the other femur? The gallery holds one bone a person, all of the side that the probe does not
// show; right is the person's own. Sides are mirrored into one frame before any image is made.

#include "verification/ranks.hpp"

namespace osteon::verification {

struct OppositeSide {
  std::vector<RankedProbe> ranked;  ///< probes whose person's other bone is enrolled
  std::int64_t unknown_sides = 0;   ///< enrolled bones or bones of probes that are left out, as their side is unknown
};

/// Of several enrolled bones of one person and side the first stands in the gallery.
[[nodiscard]] OppositeSide ranks_of_opposite_side(const std::vector<Probe>& probes, const Cohort& cohort);

}  // namespace osteon::verification
