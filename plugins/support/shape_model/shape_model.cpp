#include "shape_model/shape_model.hpp"

#include "open3d_support/surfaces.hpp"

#include <ATen/Functions.h>
#include <Eigen/Dense>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>

namespace osteon::shape_model {

namespace {

Eigen::VectorXd flat(const Points& points) { return Eigen::Map<const Eigen::VectorXd>(points.data(), points.size()); }

Points mean_of(const std::vector<Points>& shapes) {
  Points sum = Points::Zero(shapes.front().rows(), 3);
  for (const Points& shape : shapes) sum += shape;
  return sum / static_cast<double>(shapes.size());
}

Points about_centroid(const Points& points) { return points.rowwise() - points.colwise().mean(); }

/// What a sample of bones says of shape and of size apart (generalised Procrustes: Dryden & Mardia, "Statistical Shape
/// Analysis", 2016). A bone a few per cent larger than all others is no mixture of few others; and X-rays of uncertain
/// scale leave open nothing but the size. So it is a mode of its own, as wide as sizes vary.
struct Sample {
  Points mean;
  Eigen::MatrixXd spread;  ///< `[3V, n]`: deviations of the shapes, all of the mean's size, over √(n - 1)
  Eigen::VectorXd size;    ///< `[3V]`: the mean larger by a standard deviation of the logarithm of the centroid size
};

Sample sample_of(std::vector<Points> shapes) {
  const auto count = static_cast<double>(shapes.size());
  Eigen::VectorXd sizes(std::ssize(shapes));
  for (std::size_t i = 0; i < shapes.size(); ++i)
    sizes[static_cast<Eigen::Index>(i)] = std::log(about_centroid(shapes[i]).norm());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const double larger = std::exp(sizes.mean() - sizes[static_cast<Eigen::Index>(i)]);
    shapes[i] = (about_centroid(shapes[i]) * larger).rowwise() + shapes[i].colwise().mean();
  }
  const double root = std::sqrt(std::max(1.0, count - 1));
  Sample sample{mean_of(shapes), {}, {}};
  sample.spread.resize(sample.mean.size(), std::ssize(shapes));
  for (std::size_t i = 0; i < shapes.size(); ++i)
    sample.spread.col(static_cast<Eigen::Index>(i)) = flat(shapes[i] - sample.mean) / root;
  sample.size = flat(about_centroid(sample.mean)) * ((sizes.array() - sizes.mean()).matrix().norm() / root);
  return sample;
}

/// Vertices spread over a surface, each as far from those before as can be.
std::vector<Eigen::Index> spread_vertices(const Points& points, Eigen::Index count) {
  std::vector<Eigen::Index> chosen{0};
  Eigen::VectorXd distance = (points.rowwise() - points.row(0)).rowwise().squaredNorm();
  while (std::ssize(chosen) < std::min(count, points.rows())) {
    Eigen::Index furthest = 0;
    distance.maxCoeff(&furthest);
    chosen.push_back(furthest);
    distance = distance.cwiseMin((points.rowwise() - points.row(furthest)).rowwise().squaredNorm());
  }
  return chosen;
}

/// A matrix as LibTorch sees it, without a copy: its columns are the tensor's rows.
at::Tensor transposed(Eigen::MatrixXd& matrix) {
  return at::from_blob(matrix.data(), {matrix.cols(), matrix.rows()}, at::kDouble);
}

struct Spectrum {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;
};

/// Eigenvalues of a symmetric matrix and its eigenvectors in columns, the largest first. By LAPACK, for Eigen's solver
/// takes seven seconds for the 1,500 rows of a process, and LAPACK's below one.
Spectrum leading(Eigen::MatrixXd symmetric) {
  const auto [values, vectors] = at::linalg_eigh(transposed(symmetric));
  const at::Tensor columns = vectors.t().contiguous();
  const Eigen::Index n = symmetric.rows();
  return {Eigen::Map<const Eigen::VectorXd>(values.contiguous().data_ptr<double>(), n).reverse(),
          Eigen::Map<const Eigen::MatrixXd>(columns.data_ptr<double>(), n, n).rowwise().reverse()};
}

/// a · b, by the BLAS.
Modes product(Eigen::MatrixXd& a, Eigen::MatrixXd b) {
  const at::Tensor result = at::matmul(transposed(a).t(), transposed(b).t()).contiguous();  // row by row, as modes are
  return Eigen::Map<const Modes>(result.data_ptr<double>(), a.rows(), b.cols());
}

}  // namespace

Points ShapeModel::shape(const Eigen::VectorXd& coefficients) const {
  const Eigen::VectorXd x = mean + modes * coefficients;
  return Eigen::Map<const Points>(x.data(), x.size() / 3, 3);
}

std::vector<Points> aligned(std::vector<Points> shapes) {
  constexpr int kTurns = 5;
  for (int turn = 0; turn < kTurns; ++turn) {
    const Points mean = turn == 0 ? shapes.front() : mean_of(shapes);
    for (Points& shape : shapes) shape = mapped(shape, rigid_between(shape, mean));
  }
  return shapes;
}

ShapeModel principal_components(const Mesh& pattern, const std::vector<Points>& shapes, double share) {
  const Sample sample = sample_of(shapes);
  ShapeModel model{with_points(pattern, sample.mean), flat(sample.mean), Modes(sample.mean.size(), 0), 0};
  if (shapes.size() < 2) return model;
  Eigen::MatrixXd spread(sample.spread.rows(), sample.spread.cols() + 1);
  spread << sample.spread, sample.size;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(spread.transpose() * spread);
  const Eigen::VectorXd variance = solver.eigenvalues().reverse().cwiseMax(0);
  Eigen::Index count = 0;
  for (double carried = 0; count < variance.size() - 1 && (count == 0 || carried < share * variance.sum()); ++count)
    carried += variance[count];
  // A mode of unit coefficient is the covariance's eigenvector times its standard deviation.
  model.modes = spread * solver.eigenvectors().rowwise().reverse().leftCols(count);
  model.noise = std::sqrt(variance.tail(variance.size() - count).sum() / static_cast<double>(spread.rows()));
  return model;
}

ShapeModel gaussian_process(const Mesh& pattern, const std::vector<Points>& shapes, const GaussianProcess& settings) {
  constexpr Eigen::Index kVertices = 500;
  const auto& [mean, spread, size] = sample_of(shapes);
  ShapeModel model{with_points(pattern, mean), flat(mean), {}, 0};
  const auto some = spread_vertices(mean, kVertices);
  const auto m = std::ssize(some);
  Eigen::MatrixXd part(3 * m, spread.cols());
  for (Eigen::Index j = 0; j < m; ++j)
    part.middleRows(3 * j, 3) = spread.middleRows(3 * some[static_cast<std::size_t>(j)], 3);

  Eigen::MatrixXd covariance = spread * part.transpose();  // [3V, 3m]
  for (Eigen::Index j = 0; j < m; ++j) {
    const Eigen::Index at = some[static_cast<std::size_t>(j)];
    const Eigen::RowVector3d place = mean.row(at), larger = size.segment<3>(3 * at).transpose();
    for (Eigen::Index v = 0; v < mean.rows(); ++v) {
      const double squared = (mean.row(v) - place).squaredNorm();
      const double near = std::exp(-squared / (2 * settings.reach * settings.reach));
      auto block = covariance.block<3, 3>(3 * v, 3 * j);
      block *= settings.global + (1 - settings.global) * near;
      block.diagonal().array() +=
          settings.free * settings.free * std::exp(-squared / (2 * settings.free_reach * settings.free_reach));
      block += size.segment<3>(3 * v) * larger;  // over any distance
    }
  }
  Eigen::MatrixXd within(3 * m, 3 * m);
  for (Eigen::Index j = 0; j < m; ++j)
    within.middleRows(3 * j, 3) = covariance.middleRows(3 * some[static_cast<std::size_t>(j)], 3);
  const auto [variance, vectors] = leading(0.5 * (within + within.transpose()));
  Eigen::Index count = 0;
  while (count < std::min<Eigen::Index>(settings.modes, variance.size()) && variance[count] > 1e-6 * variance[0])
    ++count;
  const Eigen::VectorXd scale = variance.head(count).cwiseSqrt().cwiseInverse();
  model.modes = product(covariance, vectors.leftCols(count) * scale.asDiagonal());
  model.noise = std::sqrt(std::max(0.0, variance.tail(variance.size() - count).sum()) / static_cast<double>(3 * m));
  return model;
}

}  // namespace osteon::shape_model
