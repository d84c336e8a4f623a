#pragma once

// Voxels of a closed surface's solid, and all that lies near it.

#include <osteon/geometry.hpp>
#include <osteon/mesh.hpp>

#include <cstdint>
#include <vector>

namespace osteon::imaging {

/// One byte a voxel, i fastest: 1 on what is meant, 0 elsewhere.
using Mask = std::vector<std::uint8_t>;

/// Voxels whose centre lies inside the closed surface (patient coordinates), by scan lines along i: a line is inside
/// between its odd and even crossings.
[[nodiscard]] Mask voxels_inside(const Mesh& surface, const Grid& grid);

/// Voxels no further than `margin` mm from one of `mask`, those included (the separable distance transform of
/// Felzenszwalb and Huttenlocher, 2012, with a bounded window).
[[nodiscard]] Mask within(const Mask& mask, const Grid& grid, double margin);

}  // namespace osteon::imaging
