#pragma once

// What the methods that fit a model to outlines do alike: learn how found outlines lie beside true ones, fit, and say
// how sure they are.

#include "shape_model/cross_validation.hpp"
#include "shape_model/regression.hpp"

#include <osteon/shape.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::shape_model {

/// A summary, a plugin's own parameters, and those that every fit to outlines has.
[[nodiscard]] Schema outline_schema(std::string summary, std::vector<Parameter> own);

/// Those of a Gaussian process.
[[nodiscard]] std::vector<Parameter> process_parameters();
[[nodiscard]] GaussianProcess process_of(const Parameters& parameters);

class OutlineEstimator {
 public:
  explicit OutlineEstimator(const Parameters& parameters);

  /// Builds the model, and learns from the gallery's images, whose exposures are known, how far outside a bone's rim
  /// outlines are found; and by trying itself on known bones how the fit is set best, if that is wished, and how much
  /// surer of itself than right it is.
  void learn(const ShapeGallery& gallery, const Correspondences::Result& bones, Builder builder);
  /// Learns, from so many random members of the model, to guess where a fit begins.
  void learn_starts(const ShapeGallery& gallery, std::int64_t members, std::uint64_t seed);
  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const;
  [[nodiscard]] Mesh ceiling(const Mesh& truth) const;
  /// Mean, triangles and modes; and what the model is worth: compactness, generalisation (each bone left out by itself,
  /// though the other one of its person stays) and specificity.
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> arrays() const;

 private:
  [[nodiscard]] View view_of(const at::Tensor& image, const at::Tensor& line_integrals, const Projection& projection,
                             bool is_ml) const;
  void try_on_known(const ShapeGallery& gallery, const Correspondences::Result& bones);
  /// `scale` is what is told when the parameters leave it open.
  [[nodiscard]] FitSettings settings_for(double told_scale_error) const;
  [[nodiscard]] std::vector<Mesh> draws_from(const ImageFit& fit, double surer) const;

  double level_, step_;
  bool tunes_;
  std::int64_t draws_;
  FitSettings given_, settings_;
  double surer_alone_ = 1, surer_together_ = 1;  ///< real errors of known bones beside those expected
  Builder builder_;
  std::vector<Points> shapes_;  ///< aligned
  std::vector<Mesh> bones_;
  ShapeModel model_;
  std::optional<OutlineRegression> regression_;  ///< where starts are guessed
};

}  // namespace osteon::shape_model
