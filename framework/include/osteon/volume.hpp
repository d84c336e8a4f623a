#pragma once

#include <osteon/geometry.hpp>

#include <ATen/core/Tensor.h>

namespace osteon {

/// A CT volume: Hounsfield units on a grid in patient coordinates.
struct OSTEON_API Volume {
  at::Tensor hounsfield;  ///< int16 `[K, J, I]`, contiguous, on the CPU; air is -1000, water 0
  Grid grid;              ///< size (I, J, K)

  /// Throws `Error` unless the tensor is an int16 CPU tensor whose shape is the grid's and the grid is sound.
  void check() const;
};

}  // namespace osteon
