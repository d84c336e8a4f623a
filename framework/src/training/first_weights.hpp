#pragma once

// First weights.

#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <string>

namespace osteon::training {

/// Draws every parameter from (seed, its name), so that the same layer of the same shape starts alike in every network:
///   - four axes (convolutions): normal, variance 2 / (outputs × kernel area) (He et al. 2015, by outputs),
///   - two axes (linear): normal, variance 1 / inputs (LeCun et al. 1998),
///   - one axis: 1 where the name ends in "weight" (normalisation), else 0 (bias).
void draw_first_weights(torch::nn::Module& network, std::uint64_t seed);

/// The same for the tensors that a loss owns (see `Loss::state`).
void draw_loss_state(const std::map<std::string, at::Tensor>& state, std::uint64_t seed);

}  // namespace osteon::training
