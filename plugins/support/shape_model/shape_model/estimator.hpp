#pragma once

// What the methods that fit a model to X-rays do alike: learn how edges lie beside true folds, fit, and say how sure
// they are.

#include "shape_model/cross_validation.hpp"
#include "shape_model/regression.hpp"

#include <osteon/shape.hpp>

#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::shape_model {

/// A summary, a plugin's own parameters, and those that every fit to X-rays has.
[[nodiscard]] Schema fitted_schema(std::string summary, std::vector<Parameter> own);

/// Those of a Gaussian process.
[[nodiscard]] std::vector<Parameter> process_parameters();
[[nodiscard]] GaussianProcess process_of(const Parameters& parameters);

class FittedEstimator {
 public:
  explicit FittedEstimator(const Parameters& parameters);

  /// Builds the model, and learns from the gallery's images, whose exposures are known, where edges are found beside a
  /// bone's folds; and by trying itself on known bones how the fit is set best, if that is wished, and what edges are
  /// worth.
  void learn(const ShapeGallery& gallery, const Correspondences::Result& bones, Builder builder);
  /// Learns, from so many random members of the model, to guess where a fit begins.
  void learn_starts(const ShapeGallery& gallery, std::int64_t members, std::uint64_t seed);
  /// How far off it may be is said where it could be tried on known bones.
  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const;
  [[nodiscard]] Mesh ceiling(const Mesh& truth) const;
  /// Mean, triangles and modes; and what the model is worth: compactness, generalisation (each bone left out by itself,
  /// though the other one of its person stays) and specificity.
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> arrays() const;

 private:
  static constexpr double kUntried = std::numeric_limits<double>::quiet_NaN();

  [[nodiscard]] View view_of(const at::Tensor& image, const at::Tensor& line_integrals, const Projection& projection,
                             bool is_ml) const;
  /// What trying the fit on known bones tells: how it should be set, and how sure it may be.
  struct Trial {
    double noise, independent, noisier_alone, noisier_together;
  };
  [[nodiscard]] Trial tried_on_known(const ShapeGallery& gallery, const Correspondences::Result& bones) const;
  /// Of everything that `tried_on_known` looks at.
  [[nodiscard]] std::string digest_of_trial(const ShapeGallery& gallery, const Correspondences::Result& bones) const;
  /// Where the fit of one of a query's pairs begins; kept, for a bone's pairs are asked for one by one and together.
  [[nodiscard]] Placement beginning(const ShapeQuery& query, std::size_t q, const std::vector<View>& pair) const;
  /// `scale` is what is told when the parameters leave it open.
  [[nodiscard]] FitSettings settings_for(double told_scale_error) const;

  double level_, step_;
  bool tunes_;
  std::int64_t draws_;
  FitSettings given_, settings_;
  double noisier_alone_ = kUntried, noisier_together_ = kUntried;  ///< as known bones say: see `noisier_by`
  Builder builder_;
  std::vector<Points> shapes_;  ///< aligned
  std::vector<Mesh> bones_;
  ShapeModel model_;
  std::optional<OutlineRegression> regression_;  ///< where starts are guessed
  mutable std::mutex beginning_;
  mutable std::map<std::string, Placement> beginnings_;
};

}  // namespace osteon::shape_model
