#pragma once

// The body of every shape plugin that fits a model to the edges in X-rays: which model, and where a fit begins, is the
// plugin's own.

#include "shape_model/correspondences.hpp"
#include "shape_model/estimator.hpp"

namespace osteon::shape_model {

class FittedShape : public Shape {
 public:
  explicit FittedShape(const Parameters& parameters)
      : correspondences_(parameters.integer("triangles")), estimator_(parameters) {}

  void fit(const ShapeGallery& gallery) override {
    const auto bones = correspondences_.of(gallery.meshes);
    const Mesh pattern = bones.pattern->mesh();
    estimator_.learn(gallery, bones,
                     [this, pattern](const std::vector<Points>& shapes) { return model_of(pattern, shapes); });
    learn_more(gallery, estimator_);
  }

  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const override { return estimator_.predict(query); }
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> arrays() const override { return estimator_.arrays(); }
  [[nodiscard]] std::optional<Mesh> ceiling(const Mesh& truth) const override { return estimator_.ceiling(truth); }

 protected:
  /// The template's triangles, and aligned shapes whose vertices are the template's.
  [[nodiscard]] virtual ShapeModel model_of(const Mesh& pattern, const std::vector<Points>& shapes) const = 0;
  virtual void learn_more(const ShapeGallery& /*gallery*/, FittedEstimator& /*estimator*/) const {}

 private:
  Correspondences correspondences_;
  FittedEstimator estimator_;
};

}  // namespace osteon::shape_model
