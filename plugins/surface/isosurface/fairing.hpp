#pragma once

// The same surface without the voxels' steps.

#include "marching_cubes.hpp"

namespace osteon::isosurface {

/// Taubin's smoothing (1995), in which the surface does not shrink; no vertex, and so no point of the surface, ends
/// farther than `bound` mm from where it was. The surface must be closed.
[[nodiscard]] Triangulation faired(Triangulation surface, double bound);

}  // namespace osteon::isosurface
