// loss/supcon: each positive of an anchor shall be the most similar of all images that the anchor is compared with
// (Khosla et al., "Supervised contrastive learning", NeurIPS 2020, eq. 2: L_out, the better of their two). With cosine
// s, temperature τ, and an anchor i's positives P(i) and all it is compared with, A(i):
//
//     −1/|P(i)| Σ_{p ∈ P(i)} log e^{s_ip / τ} / Σ_{a ∈ A(i)} e^{s_ia / τ}
//
// P(i) and A(i) are the pairs of the framework's triplets; training.mining = "batch_all" gives the publication's, all
// other images of the batch. Other positives stay in the sum below the line, which is what keeps loss/ntxent from being
// the same. Embeddings are normalised here; τ = 0.1 is the publication's. Published scaling: eq. 2 sums over the
// anchors; this is their mean, as in the authors' code, so that the batch size does not act as a learning rate. Left
// out: L_in (eq. 3), which they found inferior; the factor τ / base temperature of their code; the projection network
// and the doubled augmentation, which are the head's and the training's.
//
// Statistics: "positive distance" and "negative distance", mean squared Euclidean distances 2 − 2 s of the pairs;
// "nearest is positive", the share of anchors whose nearest chosen image shows their bone.
//
//     [loss]
//     plugin      = "supcon"
//     temperature = 0.1

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class SupConLoss : public Loss {
 public:
  static Schema schema() {
    return {"Supervised contrastive loss, L_out (Khosla et al. 2020).",
            {Parameter::real("temperature", 0.1, "What the cosines are divided by; the lower, the sharper.")
                 .at_least(0.001)
                 .at_most(100)}};
  }

  explicit SupConLoss(const Parameters& parameters) : temperature_(parameters.real("temperature")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& tuples) override {
    if (losses::nothing_chosen(tuples)) return losses::nothing_to_learn(embeddings);
    const at::Tensor cosine = losses::cosines(embeddings), logits = cosine / temperature_;
    const at::Tensor& positives = tuples.positive_pairs;
    const at::Tensor all = losses::log_sum_exp(logits, positives | tuples.negative_pairs, 1);
    const at::Tensor own = logits.masked_fill(positives.logical_not(), 0).sum(1) / positives.sum(1).clamp_min(1);
    return losses::of_tuples(losses::mean_of(all - own, positives.any(1)),
                             losses::pair_statistics(2 - 2 * cosine, tuples));
  }

 private:
  double temperature_;
};

}  // namespace

OSTEON_PLUGIN(loss, supcon, "0.1.0", SupConLoss)

}  // namespace osteon
