#pragma once

// A closed surface becomes a CT volume: cortical shell, trabecular ends, marrow, the thigh around it with parts of the
// neighbouring bones, air outside, then the scanner's blur, gain and noise. Each acquisition of a bone has a grid, a
// pose, a blur, a noise and a thigh of its own; what fills the bone is drawn once per bone and never from its surface.
//
// Cortex 1200 to 1900 HU, thickest at mid-shaft; trabecular bone 150 to 500 HU; marrow -50 to 50 HU; muscle about 40
// HU, fat about -100 HU. Partial volumes are shares of a voxel across the surface (a box filter along its normal).

#include <osteon/parameters.hpp>
#include <osteon/specimen.hpp>

#include <cstdint>
#include <vector>

namespace osteon::voxeliser {

/// How volumes are made; the same for all bones of a source. Millimetres, degrees, HU.
struct Settings {
  std::uint64_t seed = 0;
  double scale = 1;            ///< lengths of cortex, thigh and pose relative to a human femur's
  double spacing = 2;          ///< mean distance of voxels; each acquisition's own lies within 10 % of it
  double blur = 0.5;           ///< scanner blur, standard deviation in voxels; each acquisition's own within 20 % of it
  double noise = 15;           ///< standard deviation; each acquisition's own within 30 % of it
  double surface_error = 0.4;  ///< smooth error of the surface, standard deviation at scale 1; own within 25 %
  double tilt = 10;            ///< largest rotation of patient and grid about each axis
};

/// The parameters that every source which voxelises has: `spacing` (0: `standard_spacing` of the settings), `blur`,
/// `noise`, `surface_error`, `tilt`.
[[nodiscard]] std::vector<Parameter> parameters(std::string spacing_sentence);
[[nodiscard]] Settings read_settings(const Parameters& parameters, std::uint64_t seed, double scale,
                                     double standard_spacing);

/// What a bone is made of, by the bone's number alone.
struct Tissue {
  double cortical;         ///< HU
  double shaft_thickness;  ///< of the cortex at its thickest, mm
  double end_thickness;    ///< of the cortex at both ends, mm
  double thickest_at;      ///< share of the length from the distal end
  double trabecular;       ///< HU
  double marrow;           ///< HU
};

[[nodiscard]] Tissue draw_tissue(const Settings& settings, std::uint64_t bone);

/// One acquisition of a bone. `mesh` must be closed and outward, lying as in a supine patient (z towards the head);
/// `bone` names its streams of random numbers, `acquisition` this one's. The truth is `mesh` in the acquisition's
/// patient coordinates. Throws `Error` when the volume would have more than 200 million voxels.
[[nodiscard]] Acquisition voxelise(const Mesh& mesh, const Settings& settings, std::uint64_t bone, int acquisition);

/// Share of each voxel that lies in the solid (box filter along the surface's normal): float32 `[K, J, I]`.
[[nodiscard]] at::Tensor coverage(const Mesh& mesh, const Grid& grid);

}  // namespace osteon::voxeliser
