// What the convolutional backbones share.

#include "convnet/convnet.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace osteon::convnet {

Parameter width_parameter() {
  return Parameter::real("width", 1, "Factor on the number of channels of every layer; below 1 for small machines.")
      .at_least(0.125)
      .at_most(2);
}

Parameter channels_parameter() {
  return Parameter::integer("channels", 1,
                            "Input channels of the first layer; with 3 the grey image is repeated and normalised as "
                            "published weights, which were trained on ImageNet, expect.")
      .one_of(std::vector<std::int64_t>{1, 3});
}

std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

void check_images(std::string_view network, std::int64_t stem_channels, std::int64_t channels, std::int64_t height,
                  std::int64_t width, std::int64_t least) {
  if (channels != 1 && channels != stem_channels)
    throw Error(text("the images have ", channels, " channels; ", network,
                     " takes 1 or as many as its parameter channels = ", stem_channels, " says"));
  if (height < least || width < least)
    throw Error(text("images of ", width, " × ", height, " pixels are too small for ", network,
                     ", which needs at least ", least, " × ", least, "; make larger images"));
}

at::Tensor stem_input(const at::Tensor& images, std::int64_t stem_channels, const Normalisation& normalisation) {
  if (stem_channels == 1) return images / 0.25;
  const auto row = [&](const std::array<double, 3>& values) {
    return at::tensor(values, images.options()).view({1, 3, 1, 1});
  };
  return ((images - row(normalisation.mean)) / row(normalisation.deviation)).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace osteon::convnet
