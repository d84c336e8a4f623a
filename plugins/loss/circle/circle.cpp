// loss/circle: every similarity is pulled to its own optimum, the harder the farther it is from there, so that the
// boundary of decision becomes a circle (Sun et al., "Circle loss: a unified perspective of pair similarity
// optimization", CVPR 2020, the form for pairs with its margins Δ_p = 1 − m, Δ_n = m and optima O_p = 1 + m, O_n = −m).
// For each anchor, with the cosines s_p of its positives and s_n of its negatives:
//
//     log[1 + Σ_n e^{γ α_n (s_n − m)} · Σ_p e^{−γ α_p (s_p − 1 + m)}]
//     α_p = max(0, 1 + m − s_p),  α_n = max(0, s_n + m)
//
// The weights α are constants in the gradient, as published; `constant_weights = false` differentiates them too, which
// leaves the loss's value as it is. m = 0.4 and γ = 80 are the publication's for fine-grained retrieval; for
// faces it has 0.25 and 256. The pairs are those of the framework's triplets; training.mining = "batch_all" gives all
// of the batch. Embeddings are normalised here. Published scaling: the publication writes the loss of one anchor; this
// is the mean over the anchors. Left out: its form with class weights.
//
// Statistics: "positive distance" and "negative distance", mean squared Euclidean distances 2 − 2 s of the pairs;
// "nearest is positive", the share of anchors whose nearest chosen image shows their bone.
//
//     [loss]
//     plugin = "circle"
//     margin = 0.4
//     gamma  = 80.0

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class CircleLoss : public Loss {
 public:
  static Schema schema() {
    return {"Circle loss on pairs (Sun et al., CVPR 2020).",
            {Parameter::real("margin", 0.4, "Relaxation m: positives aim at a cosine of 1 − m, negatives at m.")
                 .above(-1)
                 .below(1),
             Parameter::real("gamma", 80, "Scale of the cosines.").above(0),
             Parameter::flag("constant_weights", true,
                             "Hold the weights of the pairs constant in the gradient, as published.")}};
  }

  explicit CircleLoss(const Parameters& parameters)
      : relaxation_(parameters.real("margin")),
        gamma_(parameters.real("gamma")),
        constant_weights_(parameters.flag("constant_weights")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& tuples) override {
    if (losses::nothing_chosen(tuples)) return losses::nothing_to_learn(embeddings);
    const at::Tensor cosine = losses::cosines(embeddings), weighing = constant_weights_ ? cosine.detach() : cosine;
    const at::Tensor pull = (1 + relaxation_ - weighing).clamp_min(0) * (1 - relaxation_ - cosine);
    const at::Tensor push = (weighing + relaxation_).clamp_min(0) * (cosine - relaxation_);
    const at::Tensor terms = losses::softplus(losses::log_sum_exp(gamma_ * pull, tuples.positive_pairs, 1) +
                                              losses::log_sum_exp(gamma_ * push, tuples.negative_pairs, 1));
    return losses::of_tuples(losses::mean_of(terms, tuples.positive_pairs.any(1)),
                             losses::pair_statistics(2 - 2 * cosine, tuples));
  }

 private:
  double relaxation_, gamma_;
  bool constant_weights_;
};

}  // namespace

OSTEON_PLUGIN(loss, circle, "0.1.0", CircleLoss)

}  // namespace osteon
