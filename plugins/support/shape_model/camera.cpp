#include "shape_model/camera.hpp"

#include <osteon/error.hpp>

#include <Eigen/Dense>

namespace osteon::shape_model {

Camera::Camera(const Projection& projection) {
  const Eigen::Vector3d across = to_eigen(projection.column_step), down = to_eigen(projection.row_step);
  axes.col(0) = across.normalized();
  axes.col(1) = -down.normalized();
  const Eigen::Vector3d normal = axes.col(0).cross(axes.col(1)).normalized();
  const Eigen::Vector3d back =
      projection.parallel ? Eigen::Vector3d(-to_eigen(projection.direction)) : to_eigen(projection.source);
  axes.col(2) = normal.dot(back) < 0 ? Eigen::Vector3d(-normal) : normal;
  const Eigen::Vector3d source = axes.transpose() * back, first = axes.transpose() * to_eigen(projection.first_pixel);
  double larger = 1;
  if (!projection.parallel) {
    distance = source.z();
    if (!(distance > first.z()) || !(distance > 0)) throw Error("the X-ray's source does not lie in front of the bone");
    larger = (distance - first.z()) / distance;
  }
  pixel = across.norm() / larger;
  slot = !projection.parallel && down.norm() < 0.75 * across.norm();
  // The origin's image on the detector's plane.
  const Eigen::Vector2d origin =
      projection.parallel ? Eigen::Vector2d(0, 0) : Eigen::Vector2d(source.head<2>() * (1 - larger));
  column = (origin.x() - first.x()) / across.norm();
  row = (first.y() - (slot ? source.y() : origin.y())) / down.norm();
}

Eigen::Vector2d Camera::shadow(const Eigen::Vector3d& point) const {
  if (distance == 0) return point.head<2>();
  const double larger = distance / (distance - point.z());
  return {point.x() * larger, point.y() * (slot ? 1 : larger)};
}

Eigen::Matrix<double, 2, 3> Camera::shadow_gradient(const Eigen::Vector3d& point) const {
  Eigen::Matrix<double, 2, 3> result = Eigen::Matrix<double, 2, 3>::Zero();
  const double larger = distance == 0 ? 1 : distance / (distance - point.z());
  const double deeper = distance == 0 ? 0 : larger / (distance - point.z());
  result(0, 0) = larger;
  result(0, 2) = point.x() * deeper;
  result(1, 1) = slot ? 1 : larger;
  result(1, 2) = slot ? 0 : point.y() * deeper;
  return result;
}

Eigen::Vector3d Camera::ray(const Eigen::Vector3d& point) const {
  if (distance == 0) return {0, 0, -1};
  return {point.x(), slot ? 0 : point.y(), point.z() - distance};
}

Projection Camera::moved(const Projection& told, const Eigen::Matrix3d& turn, const Eigen::Vector2d& shift,
                         double scale) const {
  // Moving the bone is moving the exposure the other way.
  const Eigen::Matrix3d back = axes * turn.transpose() * axes.transpose();
  const Eigen::Vector3d offset = axes * Eigen::Vector3d(shift.x(), shift.y(), 0);
  const auto place = [&](Vec3 p) { return to_vec3(back * (to_eigen(p) - offset)); };
  const auto vector = [&](Vec3 v) { return to_vec3(back * to_eigen(v)); };
  Projection result = told;
  // A larger image is one of finer pixels about the origin's image.
  const Vec3 middle = told.first_pixel + told.column_step * column + told.row_step * row;
  result.column_step = vector(told.column_step * (1 / scale));
  result.row_step = vector(told.row_step * (1 / scale));
  result.first_pixel = place(middle) - result.column_step * column - result.row_step * row;
  result.source = place(told.source);
  result.direction = vector(told.direction);
  return result;
}

}  // namespace osteon::shape_model
