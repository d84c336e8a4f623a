// The nearest member of a model to a surface: Gauss–Newton on distances along normals, closest points both ways.

#include "shape_model/shape_model.hpp"

#include "open3d_support/surfaces.hpp"

#include <Eigen/Dense>

#include <algorithm>

namespace osteon::shape_model {

namespace {

using open3d_support::ClosestPoints;

constexpr int kTurns = 40;
constexpr int kMotion = 6;  // turning, then shift
constexpr std::int64_t kFitSamples = 3000;
constexpr std::uint64_t kFitSeed = 0x5F17;

/// One linearisation: row · (turning, shift, coefficients) = how far is missing along the normal.
class Rows {
 public:
  Rows(const ShapeModel& model, const Affine& place, Eigen::Index count)
      : model_(model), jacobian_(count, kMotion + model.size()), missing_(count) {
    for (int column = 0; column < 3; ++column) turned_.col(column) = to_eigen(place.linear.column[column]);
  }

  void add(const Eigen::Vector3d& point, const Eigen::Vector3d& normal, const Eigen::Vector3d& target,
           Eigen::Index vertex) {
    jacobian_.row(next_).head<3>() = point.cross(normal).transpose();
    jacobian_.row(next_).segment<3>(3) = normal.transpose();
    jacobian_.row(next_).tail(model_.size()) =
        (turned_.transpose() * normal).transpose() * model_.modes.middleRows(3 * vertex, 3);
    missing_[next_++] = normal.dot(target - point);
  }

  /// The most probable step from `coefficients`, whose prior is the standard normal one.
  [[nodiscard]] Eigen::VectorXd step(const Eigen::VectorXd& coefficients, double deviation) const {
    const double weight = 1 / (deviation * deviation);
    Eigen::MatrixXd normal = Eigen::MatrixXd::Zero(jacobian_.cols(), jacobian_.cols());
    normal.selfadjointView<Eigen::Lower>().rankUpdate(jacobian_.transpose(), weight);
    Eigen::VectorXd gradient = weight * jacobian_.transpose() * missing_;
    normal.diagonal().tail(model_.size()).array() += 1;
    gradient.tail(model_.size()) -= coefficients;
    return normal.selfadjointView<Eigen::Lower>().ldlt().solve(gradient);
  }

 private:
  const ShapeModel& model_;
  Eigen::Matrix3d turned_;
  Eigen::MatrixXd jacobian_;
  Eigen::VectorXd missing_;
  Eigen::Index next_ = 0;
};

/// Distances from the model's vertices to the surface, and from samples of the surface to the model.
Rows rows_at(const ShapeModel& model, const Connections& connections, const Affine& place, const Points& points,
             const ClosestPoints& target, const std::vector<Vec3>& samples) {
  Rows rows(model, place, points.rows() + std::ssize(samples));
  const auto partners = target.find(as_vectors(points));
  for (Eigen::Index v = 0; v < points.rows(); ++v) {
    const auto& partner = partners[static_cast<std::size_t>(v)];
    rows.add(points.row(v), to_eigen(target.normal(partner.triangle)), to_eigen(partner.point), v);
  }
  const ClosestPoints now(with_points(model.surface, points));
  const auto found = now.find(samples);
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const auto& corners = connections.triangles[static_cast<std::size_t>(found[s].triangle)];
    const Eigen::Vector3d on = to_eigen(found[s].point);
    const std::int32_t nearest = *std::min_element(corners.begin(), corners.end(), [&](auto a, auto b) {
      return (points.row(a).transpose() - on).squaredNorm() < (points.row(b).transpose() - on).squaredNorm();
    });
    rows.add(on, to_eigen(now.normal(found[s].triangle)), to_eigen(samples[s]), nearest);
  }
  return rows;
}

/// `place` followed by a small motion.
Affine moved(const Affine& place, const Eigen::VectorXd& step) {
  const Vec3 axis = to_vec3(step.head<3>());
  const Mat3 turning = norm(axis) > 0 ? rotation(normalised(axis), norm(axis)) : Mat3{};
  return {turning * place.linear, turning * place.offset + to_vec3(step.segment<3>(3))};
}

}  // namespace

SurfaceFit fit_to_surface(const ShapeModel& model, const Mesh& surface, double deviation) {
  constexpr double kSmall = 1e-3;  // standard deviations
  const ClosestPoints target(surface);
  const auto samples = open3d_support::sample_surface(surface, kFitSamples, kFitSeed);
  const Connections connections(model.surface);
  SurfaceFit fit{Eigen::VectorXd::Zero(model.size()), {}};
  Affine place = open3d_support::align_rigid(model.surface, surface);
  for (int turn = 0; turn < kTurns; ++turn) {
    fit.points = mapped(model.shape(fit.coefficients), place);
    const Eigen::VectorXd step =
        rows_at(model, connections, place, fit.points, target, samples).step(fit.coefficients, deviation);
    fit.coefficients += step.tail(model.size());
    place = moved(place, step);
    if (model.size() == 0 || step.tail(model.size()).cwiseAbs().maxCoeff() < kSmall) break;
  }
  fit.points = mapped(model.shape(fit.coefficients), place);
  return fit;
}

}  // namespace osteon::shape_model
