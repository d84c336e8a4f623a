#include "verification/isotonic.hpp"

namespace osteon::verification {

std::vector<double> isotonic(std::span<const double> values, std::span<const double> weights) {
  struct Block {
    double mean, weight;
    std::size_t count;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < values.size(); ++i) {
    blocks.push_back({values[i], weights[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean >= blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& kept = blocks.back();
      const double weight = kept.weight + last.weight;
      kept = {(kept.mean * kept.weight + last.mean * last.weight) / weight, weight, kept.count + last.count};
    }
  }
  std::vector<double> result;
  for (const Block& block : blocks) result.insert(result.end(), block.count, block.mean);
  return result;
}

}  // namespace osteon::verification
