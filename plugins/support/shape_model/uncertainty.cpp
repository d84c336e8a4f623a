#include "shape_model/uncertainty.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <vector>

namespace osteon::shape_model {

namespace {

/// Even edges that all lie where the fit has them are no surer than this.
constexpr double kLeastMisfit = 0.01;

}  // namespace

Uncertainty::Uncertainty(const ShapeModel& model, const ImageFit& fit) : rest_(model.noise * model.noise) {
  // With prior = L Lᵀ and L⁻¹ · information · L⁻ᵀ = Q Λ Qᵀ the posterior is D (Λ + 1)⁻¹ Dᵀ, where D = L⁻ᵀ Q.
  const Eigen::LLT<Eigen::MatrixXd> root(fit.prior);
  Eigen::MatrixXd whitened = root.matrixL().solve(fit.information);
  whitened = root.matrixL().solve(Eigen::MatrixXd(whitened.transpose()));
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(0.5 * (whitened + whitened.transpose()));
  information_ = solver.eigenvalues().array().max(0) / std::max(fit.misfit, kLeastMisfit);
  directions_ = root.matrixU().solve(solver.eigenvectors()).bottomRows(model.size());

  // Distances between surfaces see the part of a displacement along the normal, less what a rigid alignment takes of
  // it: its least-squares share, to first order in the motion.
  const Points points = model.shape(fit.coefficients);
  const Points normals = vertex_normals(points, Connections(model.surface));
  const Eigen::RowVector3d centre = points.colwise().mean();
  Eigen::MatrixXd along(points.rows(), model.size());
  Eigen::MatrixXd motions(points.rows(), 6);
  for (Eigen::Index v = 0; v < points.rows(); ++v) {
    const Eigen::RowVector3d normal = normals.row(v), arm = points.row(v) - centre;
    along.row(v) = normal * model.modes.middleRows(3 * v, 3);
    motions.row(v) << arm.cross(normal), normal;
  }
  Eigen::MatrixXd seen = Eigen::MatrixXd::Zero(model.size(), model.size());
  seen.selfadjointView<Eigen::Lower>().rankUpdate(along.transpose());
  seen = Eigen::MatrixXd(seen.selfadjointView<Eigen::Lower>());
  const Eigen::MatrixXd moved = motions.transpose() * along;
  seen -= moved.transpose() * Eigen::MatrixXd(motions.transpose() * motions).ldlt().solve(moved);
  squares_ = (seen * directions_).cwiseProduct(directions_).colwise().sum().transpose().array() /
             static_cast<double>(points.rows());
}

Eigen::ArrayXd Uncertainty::variances(double noisier) const {
  return (information_ / (noisier * noisier) + 1).inverse();
}

double Uncertainty::expected_error(double noisier) const {
  return std::sqrt(std::max(0.0, (variances(noisier) * squares_).sum()) + rest_);
}

Eigen::VectorXd Uncertainty::draw(Random& random, double noisier) const {
  Eigen::ArrayXd deviates(information_.size());
  for (Eigen::Index k = 0; k < deviates.size(); ++k) deviates[k] = random.normal();
  return directions_ * (variances(noisier).sqrt() * deviates).matrix();
}

double noisier_by(std::span<const Uncertainty> fits, std::span<const double> real_errors) {
  if (fits.empty()) return 1;
  std::vector<double> each;
  for (std::size_t i = 0; i < fits.size(); ++i) {
    double low = std::log(0.25), high = std::log(16.0);
    for (int turn = 0; turn < 20; ++turn) {
      const double middle = (low + high) / 2;
      (fits[i].expected_error(std::exp(middle)) < real_errors[i] ? low : high) = middle;
    }
    each.push_back((low + high) / 2);
  }
  std::ranges::sort(each);
  return std::exp((each[(each.size() - 1) / 2] + each[each.size() / 2]) / 2);
}

}  // namespace osteon::shape_model
