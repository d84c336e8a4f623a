#pragma once

// Rotations of a bone in a view's axes, and the angles that imaging poses have.

#include <Eigen/Core>

namespace osteon::shape_model {

/// The rotation by an axial angle, then a tilt, then an in-plane angle (radians), in a view's axes, as imaging poses
/// have it.
[[nodiscard]] Eigen::Matrix3d turn_of(const Eigen::Vector3d& angles);
[[nodiscard]] Eigen::Matrix3d rotation_matrix(const Eigen::Vector3d& vector);

/// Axial, tilt and in-plane angle of a rotation Rz(in-plane) · Rx(tilt) · Ry(axial): what `turn_of` was given.
[[nodiscard]] Eigen::Vector3d angles_of(const Eigen::Matrix3d& turn);

/// How the angles change with a small turning after the rotation.
[[nodiscard]] Eigen::Matrix3d angle_gradient(const Eigen::Vector3d& angles);

}  // namespace osteon::shape_model
