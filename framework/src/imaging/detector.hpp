#pragma once

// The detector's edge: what falls beside it is not exposed, and how much of the bone that is.

#include "imaging/views.hpp"

#include <osteon/mesh.hpp>

#include <span>
#include <string>

namespace osteon::imaging {

/// Blackens the pixels of AP | ML images `[N, H, W]` whose rays pass beside the detector.
void cut_to_detector(at::Tensor& pixels, const BoneFrame& frame, const Parameters& views);

/// Enters into each row which share of the bone's surface lies beyond the detector or the image. Returns a warning with
/// the numbers when the bone is missed altogether in some of the views, else "".
[[nodiscard]] std::string note_truncation(std::vector<ImageRow>& rows, std::span<const Pose> poses, const Mesh& bone,
                                          const BoneFrame& frame, const Parameters& views);

}  // namespace osteon::imaging
