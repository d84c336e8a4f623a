#pragma once

// A statistical shape model: a mean surface and modes of its variation (Cootes et al., "Active shape models", CVIU 61,
// 1995). Few bones know few modes, so a model may also be a Gaussian process (Lüthi et al., "Gaussian process morphable
// models", IEEE TPAMI 40, 2018): the bones' covariance, the same covariance with what lies far apart made independent,
// and smooth deformations that no bone has shown.

#include "shape_model/points.hpp"

#include <osteon/mesh.hpp>

#include <Eigen/Core>

#include <vector>

namespace osteon::shape_model {

/// A vertex's three rows lie together in memory, which is how fits read them.
using Modes = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// x = mean + modes · b, with b of independent standard normal deviates; vertices' coordinates one behind the other.
struct ShapeModel {
  Mesh surface;          ///< the mean, with its triangles
  Eigen::VectorXd mean;  ///< `[3V]` mm
  Modes modes;           ///< `[3V, K]` mm, a standard deviation each, the largest first
  double noise = 0;      ///< mm, standard deviation of a coordinate that the modes leave

  [[nodiscard]] Eigen::Index size() const { return modes.cols(); }
  [[nodiscard]] Points shape(const Eigen::VectorXd& coefficients) const;
};

/// Shapes whose vertices correspond, laid onto their mean by rotations and translations in turn (generalised Procrustes
/// analysis, Gower 1975; size stays). The first has the mean's place.
[[nodiscard]] std::vector<Points> aligned(std::vector<Points> shapes);

/// Principal components of aligned shapes brought to one size, and of size; those that carry `share` of the variance
/// together, at least one where there are two shapes. One shape has no modes.
[[nodiscard]] ShapeModel principal_components(const Mesh& pattern, const std::vector<Points>& shapes, double share);

/// A prior of shapes: the bones' covariance at one size, partly made local, and free deformations. Their size varies
/// as the bones' does.
struct GaussianProcess {
  double global = 0.5;     ///< share of the bones' covariance that holds over any distance
  double reach = 80;       ///< mm, over which the rest of it holds
  double free = 0.7;       ///< mm, standard deviation of smooth deformations that no bone has shown
  double free_reach = 30;  ///< mm, over which these are alike
  std::int64_t modes = 150;
};

/// The process's leading modes (Nyström's method on a part of the vertices).
[[nodiscard]] ShapeModel gaussian_process(const Mesh& pattern, const std::vector<Points>& shapes,
                                          const GaussianProcess& settings);

/// The member of the model that is nearest to a surface: coefficients and place in turn, closest points both ways.
/// `deviation`: mm that a point of the surface may lie off, which says how strongly the prior counts.
struct SurfaceFit {
  Eigen::VectorXd coefficients;
  Points points;  ///< in the surface's coordinates
};
[[nodiscard]] SurfaceFit fit_to_surface(const ShapeModel& model, const Mesh& surface, double deviation);

}  // namespace osteon::shape_model
