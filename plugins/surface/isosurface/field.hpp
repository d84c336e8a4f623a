#pragma once

// A box of voxels cut out of a volume, as bytes: which of them belong to the bone.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace osteon::isosurface {

/// Voxels `low` … `low + size - 1` of a volume, along i, j, k; `inside` is 0 or 1, i fastest.
struct Mask {
  std::array<std::int64_t, 3> low{}, size{};
  std::vector<std::uint8_t> inside;

  [[nodiscard]] std::size_t at(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return static_cast<std::size_t>((k * size[1] + j) * size[0] + i);
  }
};

}  // namespace osteon::isosurface
