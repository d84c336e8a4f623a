// The first layers of both Inception networks (figure 3 of Szegedy et al., "Inception-v4, Inception-ResNet and the
// impact of residual connections on learning", AAAI 2017, without its last branches: as the released weights have it).

#include "stem.hpp"

namespace osteon::inception {

Stem::Stem(nn::Module& network, const std::array<std::string, 5>& names, std::int64_t in, double width) {
  const std::array<Unit, 5> units{Unit{names[0], 32, 3, 3, 2}, Unit{names[1], 32, 3, 3, 1, false},
                                  Unit{names[2], 64, 3, 3}, Unit{names[3], 80}, Unit{names[4], 192, 3, 3, 1, false}};
  for (const Unit& unit : units) {
    units_.push_back(network.register_module(unit.name, UnitModule(in, unit, width)));
    in = units_.back()->channels();
  }
}

torch::Tensor Stem::forward(const torch::Tensor& images) {
  torch::Tensor maps = images;
  for (const std::size_t unit : {0, 1, 2}) maps = units_[unit]->forward(maps);
  maps = halved(maps);
  for (const std::size_t unit : {3, 4}) maps = units_[unit]->forward(maps);
  return halved(maps);
}

}  // namespace osteon::inception
