#pragma once

// Grad-CAM: where in an X-ray the network looks (Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
// gradient-based localization", ICCV 2017, eq. 1 and 2; the study's check of its data set).

#include "training/training.hpp"

namespace osteon::training {

/// What a heat map explains: embeddings float `[1, d]` → a scalar with a graph.
using Score = std::function<at::Tensor(const at::Tensor& embedding)>;

/// Heat map of one image: float32 `[h, w]`, the size of the last convolution's maps, not negative, largest 1. All zero
/// where nothing in the image speaks for the score. `pixels` uint8 `[H, W]`; the network is put into evaluation mode.
[[nodiscard]] at::Tensor grad_cam(FingerprintNetwork& network, const at::Tensor& pixels, const Score& score,
                                  at::Device device);

/// The X-ray, and beside it the same under its heat map, enlarged: uint8 `[H, 2 W, 3]`.
[[nodiscard]] at::Tensor overlay(const at::Tensor& pixels, const at::Tensor& heat);

}  // namespace osteon::training
