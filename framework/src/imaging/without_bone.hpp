#pragma once

// A CT volume with its bones taken out: the control that shows whether anything but the bone gives a bone away.

#include <osteon/mesh.hpp>
#include <osteon/volume.hpp>

namespace osteon::imaging {

/// The volume in which every voxel inside `bone`, every voxel of bone elsewhere (above 150 HU), and what lies up to 3
/// mm outside them (as far as scanner blur carries the cortex) holds the median value of the 4 mm around that (a voxel
/// at least, both). The neighbours must go too: the gap between hip socket and tibia is as long as the bone. `bone` is
/// closed, in the volume's patient coordinates. Throws `Error` when nothing of the volume is left.
[[nodiscard]] Volume without_bone(const Volume& volume, const Mesh& bone);

}  // namespace osteon::imaging
