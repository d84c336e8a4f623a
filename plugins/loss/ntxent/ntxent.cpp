// loss/ntxent: the normalised, temperature-scaled cross-entropy of finding the positive among the negatives (Chen,
// Kornblith, Norouzi, Hinton, "A simple framework for contrastive learning of visual representations", ICML 2020,
// eq. 1; Sohn, "Improved deep metric learning with multi-class N-pair loss objective", NIPS 2016, is the same
// without norm and temperature). With cosine s and temperature τ, for every positive pair (i, p) and the negatives
// N(i):
//
//     −log e^{s_ip / τ} / (e^{s_ip / τ} + Σ_{n ∈ N(i)} e^{s_in / τ})
//
// Both publications have one positive per anchor. Here bones have several: each makes a term of its own, in which the
// other positives do not appear (in loss/supcon they do). Pairs and negatives are those of the framework's triplets;
// training.mining = "batch_all" gives all of the batch. Embeddings are normalised here; τ = 0.1 is Chen et al.'s for
// ImageNet. Published scaling: the mean over the positive pairs, both directions. Left out: the projection network and
// the doubled augmentation, which are the head's and the training's; Sohn's penalty on the embeddings' lengths.
//
// Statistics: "positive distance" and "negative distance", mean squared Euclidean distances 2 − 2 s of the pairs;
// "nearest is positive", the share of anchors whose nearest chosen image shows their bone.
//
//     [loss]
//     plugin      = "ntxent"
//     temperature = 0.1

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class NtXentLoss : public Loss {
 public:
  static Schema schema() {
    return {"Normalised temperature-scaled cross-entropy of pairs (Sohn 2016; Chen et al. 2020).",
            {Parameter::real("temperature", 0.1, "What the cosines are divided by; the lower, the sharper.")
                 .at_least(0.001)
                 .at_most(100)}};
  }

  explicit NtXentLoss(const Parameters& parameters) : temperature_(parameters.real("temperature")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& tuples) override {
    if (losses::nothing_chosen(tuples)) return losses::nothing_to_learn(embeddings);
    const at::Tensor cosine = losses::cosines(embeddings), logits = cosine / temperature_;
    const at::Tensor negatives = losses::log_sum_exp(logits, tuples.negative_pairs, 1);
    const at::Tensor terms = losses::softplus(negatives.unsqueeze(1) - logits);
    return losses::of_tuples(losses::mean_of(terms, tuples.positive_pairs),
                             losses::pair_statistics(2 - 2 * cosine, tuples));
  }

 private:
  double temperature_;
};

}  // namespace

OSTEON_PLUGIN(loss, ntxent, "0.1.0", NtXentLoss)

}  // namespace osteon
