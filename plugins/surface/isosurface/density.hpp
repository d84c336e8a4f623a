#pragma once

// What a surface lies in: the values of a volume, or a label map without its stairs.

#include <osteon/volume.hpp>

#include <vector>

namespace osteon::isosurface {

/// Where the surface lies in a field: at a density in HU, or between labelled voxels and the others.
struct Level {
  double threshold;
  bool of_labels;
};
/// One half of the 0 … 1000 that `antialiased` gives.
inline constexpr Level kLabelLevel{500, true};

/// The volume's values as float, smoothed with a Gaussian of standard deviation `deviation` mm (0: as they are).
[[nodiscard]] std::vector<float> smoothed(const Volume& volume, double deviation);

/// A label map (uint8, 0 elsewhere) as a field from 0 to 1000, smoothed with a Gaussian of one voxel along each axis
/// and of `deviation` mm on top. Throws `Error` when it marks no voxel.
[[nodiscard]] std::vector<float> antialiased(const at::Tensor& labels, const Grid& grid, double deviation);

}  // namespace osteon::isosurface
