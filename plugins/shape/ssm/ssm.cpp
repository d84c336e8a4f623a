// shape/ssm: a statistical shape model of the gallery, fitted to the edges in the two X-rays.
//
// The study's baseline. A template (the gallery's bone of median size, thinned) is carried onto every bone of the
// gallery, the copies are laid onto each other by rotations and translations and brought to one size (generalised
// Procrustes), and their principal components are the modes of shape (Cootes et al. 1995), beside the size, which is
// one of its own. From X-rays edges are taken alone: shape, pose and scale of each view are those that make them most
// probable. Nothing of the true mesh or pose is used beyond the nominal views.
//
// Parameters
//   variance      share of the variance that the modes carry (default 0.99)
//   triangles … draws   as every method that fits edges: see `osteon describe shape/ssm`
//
//     [shape.ssm]
//     plugin   = "ssm"
//     variance = 0.99

#include "shape_model/fitted_shape.hpp"

namespace osteon {

namespace {

class Ssm final : public shape_model::FittedShape {
 public:
  static Schema schema() {
    return shape_model::fitted_schema(
        "Principal components of the gallery's shapes, fitted to the edges in X-rays.",
        {Parameter::real("variance", 0.99, "Share of the variance that the modes carry.").at_least(0.01).at_most(1)});
  }

  explicit Ssm(const Parameters& parameters) : FittedShape(parameters), variance_(parameters.real("variance")) {}

 private:
  [[nodiscard]] shape_model::ShapeModel model_of(const Mesh& pattern,
                                                 const std::vector<shape_model::Points>& shapes) const override {
    return shape_model::principal_components(pattern, shapes, variance_);
  }

  double variance_;
};

}  // namespace

OSTEON_PLUGIN(shape, ssm, "0.1.0", Ssm)

}  // namespace osteon
