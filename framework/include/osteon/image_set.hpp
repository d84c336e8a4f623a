#pragma once

// The X-rays of one acquisition of one bone, as stored: AP and ML side by side, 8 bit, bone bright on black.

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

#include <vector>

namespace osteon {

enum class Plane { ap, ml };

/// How one image was taken. Angles in degrees, as in files.
struct ImageRow {
  std::int64_t pose = 0;  ///< images of one pose differ in energy only
  double axial = 0, tilt = 0, in_plane = 0;
  double energy = 0;         ///< keV
  double pixel_spacing = 0;  ///< mm at the isocentre
};

struct ImageSet {
  at::Tensor pixels;  ///< uint8 `[N, H, W]`
  std::vector<ImageRow> rows;
};

}  // namespace osteon
