#pragma once

// From a volume to the solid of its one bone: threshold, neighbours parted, largest piece, marrow cavity filled.

#include "density.hpp"
#include "field.hpp"

namespace osteon::isosurface {

struct BoneSettings {
  double closing;     ///< mm: gaps in the cortex up to twice this wide don't open the cavity behind them
  double separation;  ///< mm: bridges up to this wide between bones are cut; 0 for none
  bool skip_cut;      ///< a piece that the volume's edge cuts is not the bone
};

/// The solid of the bone above the level, in a box with a margin of one voxel or more around it: one face-connected
/// piece without cavities. `density` are the volume's values, smoothed or not, or an antialiased label map, in which
/// nothing is parted. Throws `Error` when there is no bone, it leaves the volume or two could be meant.
[[nodiscard]] Mask bone_solid(const float* density, const Grid& grid, const Level& level, const BoneSettings& settings);

}  // namespace osteon::isosurface
