#pragma once

// What the methods that fit a model to outlines do alike: carry a template onto the gallery's bones, learn how found
// outlines lie beside true ones, fit, and say how sure they are.

#include "shape_model/image_fit.hpp"
#include "shape_model/registration.hpp"
#include "shape_model/regression.hpp"
#include "shape_model/shape_model.hpp"

#include <osteon/shape.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::shape_model {

/// Bones described by one template. Kept by what the meshes hold, so that a bone that many folds know is carried once.
class Correspondences {
 public:
  explicit Correspondences(std::int64_t triangles) : triangles_(triangles) {}

  struct Result {
    const Template* pattern = nullptr;
    std::vector<Points> shapes;  ///< of each mesh, in its own coordinates
  };
  /// The template is the bone of median size.
  [[nodiscard]] Result of(const std::vector<Mesh>& meshes);

 private:
  std::int64_t triangles_;
  std::map<std::string, std::unique_ptr<Template>> templates_;
  std::map<std::pair<std::string, std::string>, Points> shapes_;  ///< by template and bone
};

/// The parameters of a fit to outlines, which every method that has one declares.
[[nodiscard]] std::vector<Parameter> outline_parameters();

/// Those of a Gaussian process.
[[nodiscard]] std::vector<Parameter> process_parameters();
[[nodiscard]] GaussianProcess process_of(const Parameters& parameters);

class OutlineEstimator {
 public:
  explicit OutlineEstimator(const Parameters& parameters);

  using Builder = std::function<ShapeModel(const std::vector<Points>& aligned_shapes)>;
  /// Builds the model, and learns from the gallery's images, whose exposures are known, how far outside a bone's rim
  /// outlines are found.
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
  [[nodiscard]] double expected_error(const ImageFit& fit) const;

  double level_, step_;
  FitSettings settings_;
  Builder builder_;
  std::vector<Points> shapes_;  ///< aligned
  std::vector<Mesh> bones_;
  ShapeModel model_;
  std::optional<OutlineRegression> regression_;  ///< where starts are guessed
};

}  // namespace osteon::shape_model
