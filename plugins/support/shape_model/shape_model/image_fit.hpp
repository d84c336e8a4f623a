#pragma once

// A shape model fitted to the outlines of a bone in X-rays: the most probable shape, pose and scale of each view, by
// Gauss–Newton steps on closest points between the model's rim and the outline (Zheng et al., "A 2D/3D correspondence
// building method for reconstruction of a patient-specific 3D bone surface model", Med Image Anal 13, 2009; Baka et
// al., "2D–3D shape reconstruction of the distal femur from stereo X-ray imaging", Med Image Anal 15, 2011). A point
// that slides along the surface where a ray grazes it moves along the outline, so only distances across the outline
// count.

#include "shape_model/outline.hpp"
#include "shape_model/shape_model.hpp"

#include <vector>

namespace osteon::shape_model {

struct View {
  Camera camera;
  Outline outline;
};

/// What is known before the images are looked at; standard deviations.
struct FitSettings {
  double noise = 1.0;                          ///< mm, of an outline point across the outline
  double independent = 10;                     ///< mm along the outline, over which its errors are alike
  double axial = 12, tilt = 8, in_plane = 12;  ///< degrees, of each view
  double ap_ml = 3;                            ///< degrees, of the angle between a pair's views
  double shift = 20;                           ///< mm
  double scale = 0.02;                         ///< relative, of each view
  double outline_offset = 0;                   ///< mm by which found outlines lie outside the true ones
};

struct ViewPose {
  Eigen::Vector3d rotation = Eigen::Vector3d::Zero();  ///< vector (tilt, axial, in-plane) in the view's axes, radians
  Eigen::Vector2d shift = Eigen::Vector2d::Zero();     ///< mm
  double log_scale = 0;
};

struct ImageFit {
  Eigen::VectorXd coefficients;
  std::vector<ViewPose> poses;  ///< of each view
  double residual = 0;          ///< mm, RMS across the outline
  Eigen::MatrixXd covariance;   ///< of the coefficients
};

/// A guess of a pair's shape and of its views' axial angle and tilt, radians.
struct PairStart {
  Eigen::VectorXd coefficients;
  Eigen::Vector2d ap, ml;
};

/// `views`: AP, ML, AP, ML, … of one bone. `starts`: one a pair, from where few steps are enough; without them several
/// axial angles are tried. Throws `Error` when an outline has nothing to do with the model.
[[nodiscard]] ImageFit fit_to_images(const ShapeModel& model, const std::vector<View>& views,
                                     const FitSettings& settings, const std::vector<PairStart>& starts = {});

/// The rotation by an axial angle, then a tilt, then an in-plane angle (radians), in a view's axes, as imaging poses
/// have it.
[[nodiscard]] Eigen::Matrix3d turn_of(const Eigen::Vector3d& angles);
[[nodiscard]] Eigen::Matrix3d rotation_matrix(const Eigen::Vector3d& vector);

/// The median distance by which an outline lies outside the rim of a surface whose place in the view is known, mm.
[[nodiscard]] double outline_offset(const View& view, const Points& points, const Connections& connections);

}  // namespace osteon::shape_model
