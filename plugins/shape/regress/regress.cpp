// shape/regress: shape and pose guessed at once from the two outlines, then refined by a few steps of shape/deform's
// fit to edges.
//
// A linear regression from the outlines' widths along the bone to the coefficients of shape/deform's model and the
// views' angles, learnt from outlines of random members of the model in random poses: no X-ray is needed to learn it.
// From its guess some twenty Gauss–Newton steps are enough, where shape/deform tries several poses. Where the guess
// leads to no edges, as with other bones in view, whose outlines it takes for the bone's, the fit begins as
// shape/deform's does.
//
// Parameters
//   members     random members of the model that it learns from (default 1500)
//   seed        of their random numbers (default 1)
//   global … modes   the model's, as of shape/deform
//   triangles … draws   as every method that fits edges: see `osteon describe shape/regress`
//
//     [shape.regress]
//     plugin  = "regress"
//     members = 1500

#include "shape_model/fitted_shape.hpp"

namespace osteon {

namespace {

class Regress final : public shape_model::FittedShape {
 public:
  static Schema schema() {
    std::vector<Parameter> own = {
        Parameter::integer("members", 1500, "Random members of the model that it learns from.")
            .at_least(400)
            .at_most(1'000'000),
        Parameter::integer("seed", 1, "Of their random numbers.").at_least(0)};
    for (Parameter& parameter : shape_model::process_parameters()) own.push_back(std::move(parameter));
    return shape_model::fitted_schema(
        "Shape and pose regressed from the outlines, learnt from random members of the model, then refined.",
        std::move(own));
  }

  explicit Regress(const Parameters& parameters)
      : FittedShape(parameters),
        members_(parameters.integer("members")),
        seed_(static_cast<std::uint64_t>(parameters.integer("seed"))),
        process_(shape_model::process_of(parameters)) {}

 private:
  [[nodiscard]] shape_model::ShapeModel model_of(const Mesh& pattern,
                                                 const std::vector<shape_model::Points>& shapes) const override {
    return shape_model::gaussian_process(pattern, shapes, process_);
  }
  void learn_more(const ShapeGallery& gallery, shape_model::FittedEstimator& estimator) const override {
    estimator.learn_starts(gallery, members_, seed_);
  }

  std::int64_t members_;
  std::uint64_t seed_;
  shape_model::GaussianProcess process_;
};

}  // namespace

OSTEON_PLUGIN(shape, regress, "0.1.0", Regress)

}  // namespace osteon
