#pragma once

// How sure a fit to X-rays may be of the shape that it found: its posterior, to first order. Edges are as noisy as they
// lie off the fitted folds (the a posteriori variance of unit weight of least squares), times what known bones have
// shown that to be worth; what was known before, of the X-rays' scale among it, counts in full. So a shape whose edges
// are plain may still be of uncertain size.

#include "shape_model/image_fit.hpp"

#include <osteon/random.hpp>

#include <span>

namespace osteon::shape_model {

class Uncertainty {
 public:
  Uncertainty(const ShapeModel& model, const ImageFit& fit);

  /// The root mean square of the surface's displacements across itself, mm, after a rigid alignment. `noisier`: so many
  /// times as noisy are the edges as its misfit says.
  [[nodiscard]] double expected_error(double noisier = 1) const;
  /// A random deviation of the coefficients.
  [[nodiscard]] Eigen::VectorXd draw(Random& random, double noisier = 1) const;

 private:
  [[nodiscard]] Eigen::ArrayXd variances(double noisier) const;

  // In directions in which what the edges say and what was known before are independent.
  Eigen::ArrayXd information_;  ///< of each direction, beside 1 of the prior
  Eigen::MatrixXd directions_;  ///< coefficients of each, a standard deviation of the prior long
  Eigen::ArrayXd squares_;      ///< mm²: what each does to the surface
  double rest_ = 0;             ///< mm²: what the model's modes leave
};

/// How much noisier edges are than misfits say, so that half of the real errors are larger than expected:
/// between a quarter and sixteen times. By the middle one, for a bone unlike all others says nothing of the rest. 1 for
/// no fits.
[[nodiscard]] double noisier_by(std::span<const Uncertainty> fits, std::span<const double> real_errors);

}  // namespace osteon::shape_model
