#pragma once

// From a volume to the solid of its one bone: threshold, largest connected piece, marrow cavity filled.

#include "field.hpp"

#include <osteon/volume.hpp>

namespace osteon::isosurface {

/// The solid of the largest piece above `threshold` HU, in a box with a margin of one voxel or more around it: one
/// face-connected piece without cavities. Gaps in the cortex up to twice `closing` mm wide don't open the cavity behind
/// them. `density` are the volume's values, smoothed or not. Throws `Error` when there is no bone or it leaves the
/// volume.
[[nodiscard]] Mask bone_solid(const float* density, const Grid& grid, double threshold, double closing);

/// The volume's values as float, smoothed with a Gaussian of standard deviation `deviation` mm (0: as they are).
[[nodiscard]] std::vector<float> smoothed(const Volume& volume, double deviation);

}  // namespace osteon::isosurface
