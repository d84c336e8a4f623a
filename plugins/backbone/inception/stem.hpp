#pragma once

// The first seven layers, the same in both Inception networks but for their names: an eighth of the image's size.

#include "blocks.hpp"

#include <array>

namespace osteon::inception {

class Stem {
 public:
  /// Registers its five convolutions in `network` under `names`.
  Stem(nn::Module& network, const std::array<std::string, 5>& names, std::int64_t in, double width);

  [[nodiscard]] torch::Tensor forward(const torch::Tensor& images);
  [[nodiscard]] std::int64_t channels() const { return units_.back()->channels(); }

 private:
  std::vector<UnitModule> units_;
};

}  // namespace osteon::inception
