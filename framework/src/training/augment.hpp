#pragma once

// Changes of training images that leave the bone the same.

#include <osteon/random.hpp>

#include <ATen/core/Tensor.h>

namespace osteon::training {

/// uint8 `[N, H, W]` → the same, each image moved by up to ±`shift` pixels along each axis; black comes in at the
/// edges. Throws `Error` when images are not larger than the shift.
[[nodiscard]] at::Tensor shifted(const at::Tensor& pixels, std::int64_t shift, Random random);

}  // namespace osteon::training
