#pragma once

// Line integrals by Joseph's method (IEEE Transactions on Medical Imaging 1(3), 192-196, 1982) in LibTorch operations:
// the values of a voxel plane at the points where the rays cross it are one bilinear sampling of the plane.

#include "rays.hpp"

namespace osteon::torch_renderer {

/// `fractions` `[kMaterials, K, J, I]` → `[kMaterials, N]` in mm, on the same device and of the same type,
/// differentiable with respect to the fractions and to start and direction of the rays. `bytes` bounds the memory for
/// samples: they are made in pieces, and made again for the gradient. `spacing` is the volume's, in mm.
[[nodiscard]] at::Tensor line_integrals(const at::Tensor& fractions, const Rays& rays, Vec3 spacing,
                                        std::int64_t bytes);

}  // namespace osteon::torch_renderer
