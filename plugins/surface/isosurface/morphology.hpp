#pragma once

// Connected components, closings and fillings of masks.

#include "field.hpp"

#include <osteon/geometry.hpp>

#include <memory>

namespace osteon::isosurface {

/// One label a voxel of a mask's box, from 1; 0 where the mask is not.
using Labels = std::shared_ptr<std::uint32_t[]>;

/// The face-connected pieces of a mask.
[[nodiscard]] Labels components(Mask& mask);

/// Keeps the piece with most voxels (the first of equals).
void keep_largest(Mask& mask);

/// Fills what the outside, entered at the first corner of the box that the mask leaves free, does not reach.
void fill(Mask& mask);

/// A ball in voxels, as rows along i.
struct Ball {
  struct Row {
    std::int64_t j, k, reach;
  };
  std::vector<Row> rows;
  std::array<std::int64_t, 3> radius{};

  Ball(double millimetres, const Vec3& spacing);
};

/// Fills the cavities that the shell encloses once gaps up to twice the ball's radius are sealed, reaching into the
/// seals. The mask needs a margin of the ball's radius and one voxel.
void fill_sealed(Mask& bone, const Ball& ball);

}  // namespace osteon::isosurface
