#pragma once

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

namespace osteon {

/// A real X-ray as read from a file.
struct Radiograph {
  at::Tensor intensity;      ///< float32 `[H, W]`, bone bright (MONOCHROME1 already inverted)
  double pixel_spacing = 0;  ///< mm at the isocentre; 0 when the file carries no calibrated spacing
};

}  // namespace osteon
