#pragma once

// Which of the pieces that were found is the bone, and whether all of it is there.

#include "density.hpp"
#include "field.hpp"
#include "morphology.hpp"

namespace osteon::isosurface {

/// One piece of a labelled box: voxels that are above the level and inside the volume, and where they lie.
struct Piece {
  std::size_t voxels = 0;
  std::array<std::int64_t, 3> low{}, high{};  ///< indices of the volume
  Vec3 sum;                                   ///< of the indices

  [[nodiscard]] bool cut_by(const Grid& grid) const;
};

/// The pieces by label; none has label 0. `box` tells where the labels lie.
[[nodiscard]] std::vector<Piece> pieces_of(const Labels& labels, const Mask& box, const float* density,
                                           const Grid& grid, double threshold);

/// The label of the bone: the piece with most voxels, or with `skip_cut` the one with most among those that the
/// volume's edge does not cut. Throws `Error` when two are of about equal size, when none is whole or when the bone is
/// cut.
[[nodiscard]] std::uint32_t bone_among(const std::vector<Piece>& pieces, const Grid& grid, const Level& level,
                                       bool skip_cut);

}  // namespace osteon::isosurface
