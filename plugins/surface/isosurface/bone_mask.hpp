#pragma once

// From a volume to the solid of its one bone: threshold, largest connected piece, marrow cavity filled.

#include "field.hpp"

#include <osteon/volume.hpp>

namespace osteon::isosurface {

/// Where the surface lies in a field: at a density in HU, or between labelled voxels and the others.
struct Level {
  double threshold;
  bool of_labels;
};
/// One half of the 0 … 1000 that `antialiased` gives.
inline constexpr Level kLabelLevel{500, true};

/// The solid of the largest piece above the level, in a box with a margin of one voxel or more around it: one
/// face-connected piece without cavities. Gaps in the cortex up to twice `closing` mm wide don't open the cavity behind
/// them. `density` are the volume's values, smoothed or not, or an antialiased label map. Throws `Error` when there is
/// no bone or it leaves the volume.
[[nodiscard]] Mask bone_solid(const float* density, const Grid& grid, Level level, double closing);

/// The volume's values as float, smoothed with a Gaussian of standard deviation `deviation` mm (0: as they are).
[[nodiscard]] std::vector<float> smoothed(const Volume& volume, double deviation);

/// A label map (uint8, 0 elsewhere) as a field from 0 to 1000, smoothed with a Gaussian of one voxel along each axis
/// and of `deviation` mm on top. Throws `Error` when it marks no voxel.
[[nodiscard]] std::vector<float> antialiased(const at::Tensor& labels, const Grid& grid, double deviation);

}  // namespace osteon::isosurface
