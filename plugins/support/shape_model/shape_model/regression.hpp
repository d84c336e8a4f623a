#pragma once

// Shape and pose guessed from a pair's outlines at once: a linear regression learnt from outlines of random members of
// a shape model in random poses (after Cootes et al., "Active appearance models", IEEE TPAMI 23, 2001, who learn the
// step from simulated displacements; and Chaibi et al., "Fast 3D reconstruction of the lower limb using a parametric
// model and statistical inferences", CMBBE 15, 2012).

#include "shape_model/image_fit.hpp"

#include <array>
#include <cstdint>

namespace osteon::shape_model {

/// What an outline says wherever and however it lies in the image: its height, and how far it reaches to the left and
/// to the right of its own long axis at `kBands` heights, mm.
inline constexpr int kBands = 48;
[[nodiscard]] Eigen::VectorXd outline_features(const std::vector<Eigen::Vector2d>& points);

class OutlineRegression {
 public:
  /// Members are drawn from the model, poses and scales from the settings' deviations. `cameras`: AP and ML, told.
  void learn(const ShapeModel& model, const FitSettings& settings, const std::array<Camera, 2>& cameras,
             std::int64_t members, std::uint64_t seed);
  /// Of AP and ML.
  [[nodiscard]] PairStart predict(const View& ap, const View& ml) const;

 private:
  Eigen::RowVectorXd feature_mean_, target_mean_;
  Eigen::MatrixXd weights_;  ///< features → targets
};

}  // namespace osteon::shape_model
