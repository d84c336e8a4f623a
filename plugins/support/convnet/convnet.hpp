#pragma once

// What the convolutional backbones share: X-rays in 0 … 1 become the network's input, and a width factor scales
// channels.

#include <osteon/parameters.hpp>

#include <ATen/core/Tensor.h>

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

/// float `[N, 1, H, W]` or `[N, 3, H, W]` in 0 … 1 → the stem's input, channels last.
///
/// A stem of three channels gets the grey image three times, less ImageNet's mean and over its standard deviation, as
/// weights trained on ImageNet expect. A stem of one channel gets the image over 0.25: the black background stays zero,
/// as the convolutions' padding is, so that the image has no frame.
[[nodiscard]] at::Tensor stem_input(const at::Tensor& images, std::int64_t stem_channels);

}  // namespace osteon::convnet
