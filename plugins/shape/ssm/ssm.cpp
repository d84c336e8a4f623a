// shape/ssm: a statistical shape model of the gallery, fitted to the outlines in the two X-rays.
//
// The study's baseline. A template (the gallery's bone of median size, thinned) is carried onto every bone of the
// gallery, the copies are laid onto each other by rotations and translations, and their principal components are the
// modes of shape (Cootes et al. 1995). From X-rays the outlines are taken alone: shape, pose and scale of each view are
// those that make the outlines most probable. Nothing of the true mesh or pose is used beyond the nominal views.
//
// Parameters
//   variance      share of the variance that the modes carry (default 0.99)
//   triangles … scale_error   as every method that fits outlines: see `osteon describe shape/ssm`
//
//     [shape.ssm]
//     plugin   = "ssm"
//     variance = 0.99

#include "shape_model/estimator.hpp"

namespace osteon {

namespace {

class Ssm : public Shape {
 public:
  static Schema schema() {
    Schema schema{
        "Principal components of the gallery's shapes, fitted to the X-rays' outlines.",
        {Parameter::real("variance", 0.99, "Share of the variance that the modes carry.").at_least(0.01).at_most(1)}};
    for (Parameter& parameter : shape_model::outline_parameters()) schema.parameters.push_back(std::move(parameter));
    return schema;
  }

  explicit Ssm(const Parameters& parameters)
      : variance_(parameters.real("variance")),
        correspondences_(parameters.integer("triangles")),
        estimator_(parameters) {}

  void fit(const ShapeGallery& gallery) override {
    const auto bones = correspondences_.of(gallery.meshes);
    const Mesh& pattern = bones.pattern->mesh();
    estimator_.learn(gallery, bones, [this, pattern](const std::vector<shape_model::Points>& shapes) {
      return shape_model::principal_components(pattern, shapes, variance_);
    });
  }

  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const override { return estimator_.predict(query); }
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> arrays() const override { return estimator_.arrays(); }
  [[nodiscard]] std::optional<Mesh> ceiling(const Mesh& truth) const override { return estimator_.ceiling(truth); }

 private:
  double variance_;
  shape_model::Correspondences correspondences_;
  shape_model::OutlineEstimator estimator_;
};

}  // namespace

OSTEON_PLUGIN(shape, ssm, "0.1.0", Ssm)

}  // namespace osteon
