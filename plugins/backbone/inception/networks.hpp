#pragma once

// The two Inception networks. `width` is the factor on every layer's channels, `stem_channels` the input's, 1 or 3.

#include <osteon/backbone.hpp>

#include <memory>

namespace osteon::inception {

[[nodiscard]] std::shared_ptr<Network> make_v3(double width, std::int64_t stem_channels);
[[nodiscard]] std::shared_ptr<Network> make_resnet_v2(double width, std::int64_t stem_channels);

}  // namespace osteon::inception
