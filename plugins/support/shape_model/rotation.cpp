#include "shape_model/rotation.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace osteon::shape_model {

Eigen::Matrix3d turn_of(const Eigen::Vector3d& angles) {
  return (Eigen::AngleAxisd(angles[2], Eigen::Vector3d::UnitZ()) *
          Eigen::AngleAxisd(angles[1], Eigen::Vector3d::UnitX()) *
          Eigen::AngleAxisd(angles[0], Eigen::Vector3d::UnitY()))
      .toRotationMatrix();
}

Eigen::Matrix3d rotation_matrix(const Eigen::Vector3d& vector) {
  const double angle = vector.norm();
  if (angle == 0) return Eigen::Matrix3d::Identity();
  return Eigen::AngleAxisd(angle, vector / angle).toRotationMatrix();
}

Eigen::Vector3d angles_of(const Eigen::Matrix3d& turn) {
  return {std::atan2(-turn(2, 0), turn(2, 2)), std::asin(std::clamp(turn(2, 1), -1.0, 1.0)),
          std::atan2(-turn(0, 1), turn(1, 1))};
}

Eigen::Matrix3d angle_gradient(const Eigen::Vector3d& angles) {
  const Eigen::AngleAxisd in_plane(angles[2], Eigen::Vector3d::UnitZ()), tilt(angles[1], Eigen::Vector3d::UnitX());
  Eigen::Matrix3d axes;
  axes.col(0) = in_plane * (tilt * Eigen::Vector3d::UnitY());
  axes.col(1) = in_plane * Eigen::Vector3d::UnitX();
  axes.col(2) = Eigen::Vector3d::UnitZ();
  return axes.inverse();
}

}  // namespace osteon::shape_model
