#pragma once

// A shape model fitted to a bone's edges in X-rays: the most probable shape, pose and scale of each view, by
// Gauss–Newton steps on the distances between the model's folds and the edges (Zheng et al., "A 2D/3D correspondence
// building method for reconstruction of a patient-specific 3D bone surface model", Med Image Anal 13, 2009; Baka et
// al., "2D–3D shape reconstruction of the distal femur from stereo X-ray imaging", Med Image Anal 15, 2011). A point
// that slides along the surface where a ray grazes it moves along its edge, so only distances across edges count.

#include "shape_model/edges.hpp"
#include "shape_model/outline.hpp"
#include "shape_model/shape_model.hpp"

#include <vector>

namespace osteon::shape_model {

struct View {
  Camera camera;
  Outline outline;  ///< of the largest thing in the image: from where an isolated bone's fit may begin
  Edges edges;
};

/// What is known before the images are looked at; standard deviations.
struct FitSettings {
  double noise = 0.5;                          ///< mm across an edge, besides what `edges` says of it
  double independent = 20;                     ///< mm along edges, over which their errors are alike
  double axial = 12, tilt = 8, in_plane = 12;  ///< degrees, of each view
  double ap_ml = 3;                            ///< degrees, of the angle between a pair's views
  double shift = 20;                           ///< mm
  double scale = 0.02;                         ///< relative, of each view
  EdgeOffsets edges;                           ///< of the template's vertices; where unknown, edges are where folds are
};

struct ViewPose {
  Eigen::Vector3d rotation = Eigen::Vector3d::Zero();  ///< vector (tilt, axial, in-plane) in the view's axes, radians
  Eigen::Vector2d shift = Eigen::Vector2d::Zero();     ///< mm
  double log_scale = 0;
};

struct ImageFit {
  Eigen::VectorXd coefficients;
  std::vector<ViewPose> poses;  ///< of each view
  double residual = 0;          ///< mm, RMS across the edges
  /// What the edges say of the unknowns, and what was known before: inverse covariances. The coefficients come last.
  Eigen::MatrixXd information, prior;
};

/// A guess of a pair's shape and of its views' axial angle and tilt, radians.
struct PairStart {
  Eigen::VectorXd coefficients;
  Eigen::Vector2d ap, ml;
};

/// `views`: AP, ML, AP, ML, … of one bone. `starts`: one a pair, from where few steps are enough, unless they lead
/// nowhere; without them each view is begun at several places. Throws `Error` when nothing in an image has to do with
/// the model.
[[nodiscard]] ImageFit fit_to_images(const ShapeModel& model, const std::vector<View>& views,
                                     const FitSettings& settings, const std::vector<PairStart>& starts = {});

/// The rotation by an axial angle, then a tilt, then an in-plane angle (radians), in a view's axes, as imaging poses
/// have it.
[[nodiscard]] Eigen::Matrix3d turn_of(const Eigen::Vector3d& angles);
[[nodiscard]] Eigen::Matrix3d rotation_matrix(const Eigen::Vector3d& vector);

}  // namespace osteon::shape_model
