#pragma once

// Predicted against true bones as pictures: seen from the front (AP) and from the lateral side (ML), the true bone, the
// predicted one coloured by its distance from the true one, and the silhouettes of both over each other.

#include "rasteriser.hpp"

#include <osteon/metric.hpp>

#include <span>
#include <string>

namespace osteon::report {

/// matplotlib's viridis (van der Walt and Smith, 2015): even steps to the eye, also without colour vision. 0 … 1.
[[nodiscard]] Colour viridis(double share);

/// HTML figures of all pairs, on one colour scale, with its bar. `height` of a picture in pixels.
[[nodiscard]] std::string surface_figures(std::span<const SurfacePair> pairs, int height);

}  // namespace osteon::report
