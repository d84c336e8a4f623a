// Changes of training images that leave the bone the same.

#include "training/augment.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>

#include <algorithm>

namespace osteon::training {

at::Tensor shifted(const at::Tensor& pixels, std::int64_t shift, Random random) {
  const std::int64_t height = pixels.size(1), width = pixels.size(2);
  if (shift >= std::min(height, width))
    throw Error(text("training.shift = ", shift, " moves images of ", width, " × ", height,
                     " pixels out of sight; choose a few pixels"));
  const auto draw = [&] {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * shift + 1))) - shift;
  };
  at::Tensor result = at::zeros_like(pixels);
  for (std::int64_t image = 0; image < pixels.size(0); ++image) {
    const std::int64_t down = draw(), right = draw();
    const auto window = [&](const at::Tensor& of, std::int64_t top, std::int64_t left) {
      return of[image].slice(0, top, top + height - std::abs(down)).slice(1, left, left + width - std::abs(right));
    };
    window(result, std::max<std::int64_t>(0, down), std::max<std::int64_t>(0, right))
        .copy_(window(pixels, std::max<std::int64_t>(0, -down), std::max<std::int64_t>(0, -right)));
  }
  return result;
}

}  // namespace osteon::training
