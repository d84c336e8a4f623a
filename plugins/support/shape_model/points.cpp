#include "shape_model/points.hpp"

#include <ATen/Functions.h>
#include <Eigen/Dense>

#include <algorithm>

namespace osteon::shape_model {

Points points_of(const Mesh& mesh) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, 3, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(mesh.vertices.data_ptr<float>(), mesh.vertices.size(0), 3).cast<double>();
}

Mesh with_points(const Mesh& mesh, const Points& points) {
  Mesh result{at::empty({points.rows(), 3}, at::kFloat), mesh.triangles};
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, 3, Eigen::RowMajor>;
  Eigen::Map<Rows>(result.vertices.data_ptr<float>(), points.rows(), 3) = points.cast<float>();
  return result;
}

std::vector<Vec3> as_vectors(const Points& points) {
  std::vector<Vec3> result;
  result.reserve(static_cast<std::size_t>(points.rows()));
  for (Eigen::Index i = 0; i < points.rows(); ++i) result.push_back({points(i, 0), points(i, 1), points(i, 2)});
  return result;
}

Connections::Connections(const Mesh& mesh) : neighbours(static_cast<std::size_t>(mesh.vertices.size(0))) {
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    triangles.push_back({corner[3 * t], corner[3 * t + 1], corner[3 * t + 2]});
    for (std::size_t k = 0; k < 3; ++k) {
      const std::int32_t a = triangles.back()[k], b = triangles.back()[(k + 1) % 3];
      neighbours[static_cast<std::size_t>(a)].push_back(b);
      neighbours[static_cast<std::size_t>(b)].push_back(a);
    }
  }
  for (auto& list : neighbours) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
}

Points vertex_normals(const Points& points, const Connections& connections) {
  Points normals = Points::Zero(points.rows(), 3);
  for (const auto& [a, b, c] : connections.triangles) {
    const Eigen::Vector3d origin = points.row(a);
    const Eigen::Vector3d normal = (points.row(b).transpose() - origin).cross(points.row(c).transpose() - origin);
    for (const std::int32_t v : {a, b, c}) normals.row(v) += normal.transpose();
  }
  for (Eigen::Index i = 0; i < normals.rows(); ++i) {
    const double length = normals.row(i).norm();
    if (length > 0) normals.row(i) /= length;
  }
  return normals;
}

Affine rigid_between(const Points& from, const Points& to) {
  const Eigen::RowVector3d a = from.colwise().mean(), b = to.colwise().mean();
  const Eigen::Matrix3d cross = (to.rowwise() - b).transpose() * (from.rowwise() - a);
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(cross, Eigen::ComputeFullU | Eigen::ComputeFullV);
  Eigen::Vector3d signs(1, 1, (svd.matrixU() * svd.matrixV().transpose()).determinant() < 0 ? -1 : 1);
  const Eigen::Matrix3d turn = svd.matrixU() * signs.asDiagonal() * svd.matrixV().transpose();
  Affine map;
  for (int column = 0; column < 3; ++column) map.linear.column[column] = to_vec3(turn.col(column));
  map.offset = to_vec3(b.transpose() - turn * a.transpose());
  return map;
}

Points mapped(const Points& points, const Affine& map) {
  Eigen::Matrix3d linear;
  for (int column = 0; column < 3; ++column) linear.col(column) = to_eigen(map.linear.column[column]);
  return (points * linear.transpose()).rowwise() + to_eigen(map.offset).transpose();
}

}  // namespace osteon::shape_model
