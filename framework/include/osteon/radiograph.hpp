#pragma once

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace osteon {

/// A real X-ray as read from a file.
struct Radiograph {
  /// float32 `[H, W]`, contiguous, on the CPU: 0 to 1 from black to white over the range that the file's pixels can
  /// have; bone bright (MONOCHROME1 already inverted).
  at::Tensor intensity;
  double pixel_spacing = 0;  ///< mm at the isocentre; 0 when the file carries no calibrated spacing
  /// Where the spacing came from ("PixelSpacing, calibrated at a marker"), or why there is none.
  std::string spacing_source = {};
  /// What was decided in reading that a person should know; without folders or names of patients.
  std::vector<std::string> notices = {};
};

/// The two X-rays of one bone, taken at right angles.
struct RadiographPair {
  Radiograph ap, ml;
};

}  // namespace osteon
