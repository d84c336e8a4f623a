#pragma once

// First weights.

#include <torch/nn/module.h>

#include <cstdint>

namespace osteon::training {

/// Draws every parameter from (seed, its name), so that the same layer of the same shape starts alike in every network:
///   - four axes (convolutions): normal, variance 2 / (outputs × kernel area) (He et al. 2015, by outputs),
///   - two axes (linear): normal, variance 1 / inputs (LeCun et al. 1998),
///   - one axis: 1 where the name ends in "weight" (normalisation), else 0 (bias).
void draw_first_weights(torch::nn::Module& network, std::uint64_t seed);

}  // namespace osteon::training
