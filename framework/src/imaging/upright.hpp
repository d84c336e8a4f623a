#pragma once

// Images turned upright: what a pose in the picture's plane, which says nothing about the bone, would otherwise add.

#include <ATen/core/Tensor.h>

namespace osteon::imaging {

/// Each of the `views` pictures side by side turned so that the long axis of what is bright runs along the columns, and
/// moved so that its centroid lies in the picture's middle. The axis is the larger principal axis of the picture's
/// brightness, where all that is as bright as thin bone counts alike, so that neither dense bone nor energy tilts it.
/// Pictures without any brightness stay as they are; the turn is at most 90°. uint8 `[N, H, W]` → the same, bilinear,
/// black from outside.
[[nodiscard]] at::Tensor upright(const at::Tensor& pixels, std::int64_t views);

}  // namespace osteon::imaging
