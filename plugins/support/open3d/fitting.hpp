#pragma once

// The least-squares step that rigid and similarity alignment and the affine part of the mean shape share.

#include "open3d_support/closest_points.hpp"

#include <osteon/geometry.hpp>

#include <vector>

namespace osteon::open3d_support {

/// Two surfaces and points on each, from which symmetric mean squares are taken.
struct FitProblem {
  const ClosestPoints& moving;
  const ClosestPoints& fixed;
  std::vector<Vec3> on_moving, on_fixed;
};

/// A similarity is a rotation, a translation and one scale.
enum class Motion { rigid, similarity, affine };

struct Fit {
  Affine map;              ///< moving → fixed
  double mean_square = 0;  ///< mm², mean of both directions
};

/// `map` with the mean square distance that it leaves.
Fit rated(const FitProblem& problem, const Affine& map);

/// Levenberg–Marquardt steps from `start` until the RMS distance falls by less than `tolerance` mm a step.
Fit refined(const FitProblem& problem, const Affine& start, Motion motion, int iterations, double tolerance);

/// The inverse of any invertible map.
Affine inverse(const Affine& map);

}  // namespace osteon::open3d_support
