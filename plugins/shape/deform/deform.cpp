// shape/deform: a shape model that may deform beyond what the gallery's bones have shown, fitted to the outlines in the
// two X-rays.
//
// Few bones have few modes, and a new bone is none of their mixtures. Here the prior is a Gaussian process (Lüthi et
// al., IEEE TPAMI 40, 2018): the bones' covariance, partly made local, so that a head may vary without its condyles,
// and smooth free-form deformations. The most probable shape, pose and scale of each view given the outlines is the
// prediction: where the X-rays say nothing the prior fills in, and where they do the surface follows them.
//
// Parameters
//   global      share of the bones' covariance that holds over any distance (default 0.5)
//   reach       mm, over which the rest of it holds (default 80)
//   free        mm, standard deviation of smooth deformations that no bone has shown (default 0.7)
//   free_reach  mm, over which these are alike (default 30)
//   modes       of the process that are kept (default 150)
//   triangles … scale_error   as every method that fits outlines: see `osteon describe shape/deform`
//
//     [shape.deform]
//     plugin = "deform"
//     global = 0.5
//     reach  = 80

#include "shape_model/estimator.hpp"

namespace osteon {

namespace {

class Deform : public Shape {
 public:
  static Schema schema() {
    Schema schema{"The gallery's covariance made local, and free deformations, fitted to the X-rays' outlines.",
                  shape_model::process_parameters()};
    for (Parameter& parameter : shape_model::outline_parameters()) schema.parameters.push_back(std::move(parameter));
    return schema;
  }

  explicit Deform(const Parameters& parameters)
      : process_(shape_model::process_of(parameters)),
        correspondences_(parameters.integer("triangles")),
        estimator_(parameters) {}

  void fit(const ShapeGallery& gallery) override {
    const auto bones = correspondences_.of(gallery.meshes);
    const Mesh& pattern = bones.pattern->mesh();
    estimator_.learn(gallery, bones, [this, pattern](const std::vector<shape_model::Points>& shapes) {
      return shape_model::gaussian_process(pattern, shapes, process_);
    });
  }

  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const override { return estimator_.predict(query); }
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> arrays() const override { return estimator_.arrays(); }
  [[nodiscard]] std::optional<Mesh> ceiling(const Mesh& truth) const override { return estimator_.ceiling(truth); }

 private:
  shape_model::GaussianProcess process_;
  shape_model::Correspondences correspondences_;
  shape_model::OutlineEstimator estimator_;
};

}  // namespace

OSTEON_PLUGIN(shape, deform, "0.1.0", Deform)

}  // namespace osteon
