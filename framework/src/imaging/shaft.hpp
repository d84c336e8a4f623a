#pragma once

// A long bone's own coordinates with the line that its shaft runs along, and what its surroundings are made of: what
// the perturbations need to know where to cut, to bend and to fill.

#include "imaging/bone_frame.hpp"
#include "imaging/solid.hpp"

#include <osteon/volume.hpp>

#include <vector>

namespace osteon::imaging {

/// Heights along a bone: from its distal end (0 %) to its proximal one (100 %), in mm from its centroid.
struct Heights {
  double low = 0, length = 0;

  Heights(const Mesh& bone, const BoneFrame& frame);
  [[nodiscard]] double mm(double percent) const { return low + length * percent / 100; }
};

/// The bone's own coordinates (medial, anterior, proximal; mm from its centroid) and its centre line in them.
class Shaft {
 public:
  /// `solid`: the voxels inside the bone.
  Shaft(const Mask& solid, const Grid& grid, const Mesh& bone, const BoneFrame& frame);

  [[nodiscard]] const Heights& heights() const { return heights_; }
  [[nodiscard]] Vec3 own(Vec3 patient) const;
  [[nodiscard]] Vec3 patient(Vec3 own) const;

  /// Centroid of the cross-section at a height, averaged over 1 % of the bone's length to either side, or
  /// more where the voxels are coarser.
  [[nodiscard]] Vec3 centre(double height) const;
  /// The straight line of the shaft, through its centres at 30 and 65 % of the length.
  [[nodiscard]] Vec3 on_line(double height) const;

 private:
  BoneFrame frame_;
  Heights heights_;
  double step_;             ///< mm between entries of `line_`
  std::vector<Vec3> line_;  ///< own coordinates, from the distal end on
};

/// As far as a scanner's blur carries the cortex, mm.
inline constexpr double kBlurMargin = 3;
/// How far beyond a bone its surroundings are looked at, mm.
inline constexpr double kSurroundings = 4;

/// Median of what lies up to 4 mm outside `near`, denser than soft tissue left out, between two heights of the bone.
/// Throws `Error` when nothing is there.
[[nodiscard]] std::int16_t surroundings(const Volume& volume, const Mask& near, const Shaft& shaft, double low,
                                        double high);

/// `body(n, point)` for each voxel of the mask: its number and its centre in patient coordinates.
template <class Body>
void for_each_voxel(const Mask& mask, const Grid& grid, const Body& body) {
  std::size_t n = 0;
  for (std::int64_t k = 0; k < grid.size[2]; ++k)
    for (std::int64_t j = 0; j < grid.size[1]; ++j)
      for (std::int64_t i = 0; i < grid.size[0]; ++i, ++n)
        if (mask[n] != 0)
          body(n, grid.to_patient({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)}));
}

/// Number of the voxel nearest to an index, or -1 outside the grid.
[[nodiscard]] std::int64_t voxel_at(const Grid& grid, Vec3 index);

}  // namespace osteon::imaging
