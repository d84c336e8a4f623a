#pragma once

// The X-rays of one acquisition of one bone, as stored: AP and ML side by side, 8 bit, bone bright on black.

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

#include <vector>

namespace osteon {

enum class Plane { ap, ml };

/// How one image (an AP | ML pair) was taken. Angles in degrees, as in files. Those of the ML half differ from the AP's
/// when each view was posed anew.
struct ImageRow {
  std::int64_t pose = 0;                     ///< images of one pose differ in energy only
  double axial = 0, tilt = 0, in_plane = 0;  ///< of the AP half
  double energy = 0;                         ///< keV
  double pixel_spacing = 0;                  ///< mm at the isocentre, as one is told; see the scales
  double ml_axial = 0, ml_tilt = 0, ml_in_plane = 0;
  double ap_scale = 1, ml_scale = 1;  ///< the bone's image is this many times as large as `pixel_spacing` says
  double ap_cut = 0, ml_cut = 0;      ///< share of the bone's surface beyond the detector or the image
};

struct ImageSet {
  at::Tensor pixels;  ///< uint8 `[N, H, W]`
  std::vector<ImageRow> rows;
};

}  // namespace osteon
