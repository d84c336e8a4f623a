#pragma once

// Cropping to the bone: what lies further away than a margin leaves the picture, so that the image shows one bone and
// not its neighbours. It needs the bone's surface alone, so it holds for every source.

#include "imaging/solid.hpp"

#include <osteon/mesh.hpp>
#include <osteon/parameters.hpp>
#include <osteon/volume.hpp>

namespace osteon::imaging {

/// The section `crop`.
[[nodiscard]] Schema crop_schema();

/// What the crop leaves of a volume. `bone` is closed and in the volume's patient coordinates. Voxels whose centre lies
/// in the bone or within `margin` mm of a voxel that does are kept; the others become air, or at most soft tissue.
[[nodiscard]] Volume cropped(const Volume& volume, const Mesh& bone, const Parameters& crop);

/// The same with the voxels to keep given.
[[nodiscard]] Volume cropped(const Volume& volume, const Mask& kept, const Parameters& crop);

}  // namespace osteon::imaging
