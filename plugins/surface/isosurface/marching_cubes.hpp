#pragma once

// The surface between the voxels inside a solid and those outside, at subvoxel accuracy: closed, oriented outwards,
// every edge in exactly two triangles.

#include "field.hpp"

#include <osteon/mesh.hpp>

namespace osteon::isosurface {

struct Triangulation {
  std::vector<Vec3> vertices;
  std::vector<std::array<std::int32_t, 3>> triangles;
};

/// Between an inside voxel and its outside neighbour the surface lies where the density, linear in between, is
/// `threshold`. Where a voxel lies on the wrong side of the threshold for its place (a filled cavity, a neighbouring
/// bone), its value counts as mirrored at the threshold. `density` are the whole volume's values; vertices in patient
/// coordinates.
[[nodiscard]] Triangulation marching_cubes(const Mask& solid, const float* density, const Grid& grid, double threshold);

}  // namespace osteon::isosurface
