#pragma once

// What the network sees of X-ray pairs: as they were rendered, or changed as [training] says.

#include <osteon/parameters.hpp>

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace osteon::pipeline {

struct NetworkInput {
  bool is_upright = false;  ///< each view turned upright and centred
  std::string planes;       ///< "both", "ap", "ml": the other view is black
};
[[nodiscard]] NetworkInput network_input_of(const Parameters& training);

/// Whether the network sees the pairs as they were rendered.
[[nodiscard]] bool is_as_rendered(const NetworkInput& input);

/// uint8 `[N, H, W]`, AP | ML, → the same as the network sees it.
[[nodiscard]] at::Tensor as_seen(const at::Tensor& pairs, const NetworkInput& input);

/// What of [training] decides it, for keys: "training.upright" → "true".
[[nodiscard]] std::map<std::string, std::string> network_input_parts(const Parameters& training);

}  // namespace osteon::pipeline
