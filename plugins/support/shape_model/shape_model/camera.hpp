#pragma once

// Where a point of the bone appears in an X-ray.

#include "shape_model/points.hpp"

#include <osteon/renderer.hpp>

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

}  // namespace osteon::shape_model
