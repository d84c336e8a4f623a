#pragma once

// The outline of the largest bright thing in an X-ray, to a fraction of a pixel.

#include "shape_model/camera.hpp"

#include <ATen/core/Tensor.h>

#include <vector>

namespace osteon::shape_model {

struct OutlinePoint {
  Eigen::Vector2d place;   ///< mm, as `Camera` has it
  Eigen::Vector2d normal;  ///< outwards
};

struct Outline {
  std::vector<OutlinePoint> points;  ///< about `step` mm apart
  double step = 0;
};

/// `picture` float32 `[H, W]` of line integrals. The level is `share` of its 95th percentile among what is not air.
/// Points at the image's border are left out: the bone goes on there. Throws `Error` when there is nothing to see.
[[nodiscard]] Outline find_outline(const at::Tensor& picture, const Camera& camera, double share, double step);

/// The view's half of a pair's image as line integrals: float32 `[H, W/2]`.
[[nodiscard]] at::Tensor half_of(const at::Tensor& image, const at::Tensor& line_integrals, bool is_ml);

}  // namespace osteon::shape_model
