#pragma once

// The outline of the largest bright thing in an X-ray, to a fraction of a pixel, and the geometry that says where it
// would lie.

#include "shape_model/points.hpp"

#include <osteon/renderer.hpp>

#include <ATen/core/Tensor.h>

#include <vector>

namespace osteon::shape_model {

/// One exposure's geometry, in the axes of its view: x to the right and y up in the image, z towards the source; places
/// in an image are mm at the isocentre, from where the bone frame's origin appears.
struct Camera {
  Eigen::Matrix3d axes;        ///< columns: right, up and towards the source, in the bone's own frame
  double distance = 0;         ///< from the source to the origin, mm; 0 for parallel rays
  bool slot = false;           ///< rays are parallel along the image's height
  double pixel = 0;            ///< mm between pixels at the isocentre
  double column = 0, row = 0;  ///< of the origin's image

  /// Throws `Error` unless the source lies in front of the origin on the image's normal.
  explicit Camera(const Projection& projection);

  [[nodiscard]] Eigen::Vector2d to_mm(double at_column, double at_row) const {
    return {(at_column - column) * pixel, (row - at_row) * pixel};
  }
  /// Where a point of the view's axes appears.
  [[nodiscard]] Eigen::Vector2d shadow(const Eigen::Vector3d& point) const;
  /// The derivative of `shadow`.
  [[nodiscard]] Eigen::Matrix<double, 2, 3> shadow_gradient(const Eigen::Vector3d& point) const;
  /// From the source to a point.
  [[nodiscard]] Eigen::Vector3d ray(const Eigen::Vector3d& point) const;
  /// The exposure whose bone was turned by `turn` and shifted (view axes, mm), and whose image is `scale` times as
  /// large.
  [[nodiscard]] Projection moved(const Projection& told, const Eigen::Matrix3d& turn, const Eigen::Vector2d& shift,
                                 double scale) const;
};

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

/// Where rays graze a surface given in the view's axes: on edges between what faces the source and what does not.
struct RimPoint {
  std::int32_t a = 0, b = 0;      ///< vertices
  double toward_b = 0;            ///< 0 … 1
  Eigen::Vector2d place, normal;  ///< in the image
};
[[nodiscard]] std::vector<RimPoint> rim_of(const Points& points, const Points& normals, const Connections& connections,
                                           const Camera& camera);

}  // namespace osteon::shape_model
