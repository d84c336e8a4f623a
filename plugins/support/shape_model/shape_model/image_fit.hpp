#pragma once

// A shape model fitted to a bone's edges in X-rays: the most probable shape, pose and scale of each view, by
// Gauss–Newton steps on the distances between the model's folds and the edges (Zheng et al., "A 2D/3D correspondence
// building method for reconstruction of a patient-specific 3D bone surface model", Med Image Anal 13, 2009; Baka et
// al., "2D–3D shape reconstruction of the distal femur from stereo X-ray imaging", Med Image Anal 15, 2011). A point
// that slides along the surface where a ray grazes it moves along its edge, so only distances across edges count.

#include "shape_model/edges.hpp"
#include "shape_model/outline.hpp"
#include "shape_model/rotation.hpp"
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
  std::int64_t beginnings = 4;                 ///< of those by edges alone, how many are followed in a view
  EdgeOffsets edges;                           ///< of the template's vertices; where unknown, edges are where folds are
};

struct ViewPose {
  Eigen::Matrix3d turn = Eigen::Matrix3d::Identity();  ///< of the bone, in the view's axes
  Eigen::Vector2d shift = Eigen::Vector2d::Zero();     ///< mm
  double log_scale = 0;
};

/// A shape, and how each view sees it.
struct Placement {
  Eigen::VectorXd coefficients;
  std::vector<ViewPose> poses;
};

struct ImageFit : Placement {
  double residual = 0;  ///< mm, RMS across the edges; folds that found none count as if theirs were just out of reach
  double misfit = 1;    ///< mean square of the same, over what was expected of it
  /// What the edges say of the unknowns, and what was known before: inverse covariances. The coefficients come last.
  Eigen::MatrixXd information, prior;
};

/// A guess of a pair's shape and of its views' axial angle and tilt, radians.
struct PairStart {
  Eigen::VectorXd coefficients;
  Eigen::Vector2d ap, ml;
};

/// Of each pair of views (AP, ML, AP, ML, … of one bone) a placement from which steps lead to the edges: from `starts`,
/// one a pair, where those do; else from the outlines or, where these do not, from where the folds agree best with an
/// image's slopes. Throws `Error` when nothing in an image has to do with the model.
[[nodiscard]] std::vector<Placement> begin_fit(const ShapeModel& model, const std::vector<View>& views,
                                               const FitSettings& settings, const std::vector<PairStart>& starts = {});

/// All views together, from the pairs' beginnings.
[[nodiscard]] ImageFit refined(const ShapeModel& model, const std::vector<View>& views, const FitSettings& settings,
                               const std::vector<Placement>& beginnings);

}  // namespace osteon::shape_model
