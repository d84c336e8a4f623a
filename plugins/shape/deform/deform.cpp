// shape/deform: a shape model that may deform beyond what the gallery's bones have shown, fitted to the edges in the
// two X-rays.
//
// Few bones have few modes, and a new bone is none of their mixtures. Here the prior is a Gaussian process (Lüthi et
// al., IEEE TPAMI 40, 2018): the bones' covariance, partly made local, so that a head may vary without its condyles,
// and smooth free-form deformations; beside these the size, which varies as the bones' sizes do. The most probable
// shape, pose and scale of each view given the edges is the prediction: where the X-rays say nothing the prior fills
// in, and where they do the surface follows them. Edges are those of the outline and those within it, wherever rays
// graze the surface; what else is in the X-ray (soft tissue, the pelvis) may have edges of its own.
//
// Parameters
//   global      share of the bones' covariance that holds over any distance (default 0.5)
//   reach       mm, over which the rest of it holds (default 80)
//   free        mm, standard deviation of smooth deformations that no bone has shown (default 0.7)
//   free_reach  mm, over which these are alike (default 30)
//   modes       of the process that are kept (default 150)
//   triangles … draws   as every method that fits edges: see `osteon describe shape/deform`
//
//     [shape.deform]
//     plugin = "deform"
//     global = 0.5
//     reach  = 80

#include "shape_model/fitted_shape.hpp"

namespace osteon {

namespace {

class Deform final : public shape_model::FittedShape {
 public:
  static Schema schema() {
    return shape_model::fitted_schema(
        "The gallery's covariance made local, and free deformations, fitted to the edges in X-rays.",
        shape_model::process_parameters());
  }

  explicit Deform(const Parameters& parameters)
      : FittedShape(parameters), process_(shape_model::process_of(parameters)) {}

 private:
  [[nodiscard]] shape_model::ShapeModel model_of(const Mesh& pattern,
                                                 const std::vector<shape_model::Points>& shapes) const override {
    return shape_model::gaussian_process(pattern, shapes, process_);
  }

  shape_model::GaussianProcess process_;
};

}  // namespace

OSTEON_PLUGIN(shape, deform, "0.1.0", Deform)

}  // namespace osteon
