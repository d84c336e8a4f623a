#pragma once

// What the convolutional backbones share: X-rays in 0 … 1 become the network's input, and a width factor scales
// channels.

#include <osteon/parameters.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <string_view>

namespace osteon::convnet {

/// The parameters "width" and "channels", which every convolutional backbone has.
Parameter width_parameter();
Parameter channels_parameter();

/// `channels` × `width`, rounded to the nearest whole number; at least 1.
[[nodiscard]] std::int64_t scaled(std::int64_t channels, double width);

/// Throws `Error` unless a stem of `stem_channels` can take images of `channels` × `height` × `width` of at least
/// `least` × `least` pixels. `network` is what the message calls it: "ResNet-18".
void check_images(std::string_view network, std::int64_t stem_channels, std::int64_t channels, std::int64_t height,
                  std::int64_t width, std::int64_t least);

/// What weights that were trained on ImageNet expect: the colours less `mean`, over `deviation`.
struct Normalisation {
  std::array<double, 3> mean, deviation;
};
/// Of torchvision's VGG and residual networks: ImageNet's own mean and standard deviation.
inline constexpr Normalisation kOfImageNet{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
/// Of the Inception networks: from -1 to 1.
inline constexpr Normalisation kToMinusOneAndOne{{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};

/// float `[N, 1, H, W]` or `[N, 3, H, W]` in 0 … 1 → the stem's input, channels last.
///
/// A stem of three channels gets the grey image three times, or the image of three channels, normalised. A stem of one
/// channel gets the image over 0.25: the black background stays zero, as the convolutions' padding is, so that the
/// image has no frame.
[[nodiscard]] at::Tensor stem_input(const at::Tensor& images, std::int64_t stem_channels,
                                    const Normalisation& normalisation);

}  // namespace osteon::convnet
