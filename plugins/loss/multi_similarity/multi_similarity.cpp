// loss/multi_similarity: weighs each pair by its own similarity and by how it compares with the anchor's other pairs
// (Wang, Han, Huang, Dong, Scott, "Multi-similarity loss with general pair weighting for deep metric learning", CVPR
// 2019). From the pairs of the framework's triplets (training.mining = "batch_all" gives all of the batch, as
// published) it first keeps, for each anchor i with cosines S, what is informative:
//
//     a negative n where  S_in > min over positives − ε          a positive p where  S_ip < max over negatives + ε
//
// and then sums over those, P_i and N_i, with m anchors:
//
//     1/m Σ_i { 1/α log[1 + Σ_{p ∈ P_i} e^{−α (S_ip − λ)}] + 1/β log[1 + Σ_{n ∈ N_i} e^{β (S_in − λ)}] }
//
// α = 2, β = 50, λ = 1 and ε = 0.1 are the publication's; ε above 2 keeps every pair. The choice has no gradient.
// Embeddings are normalised here. Published scaling; m counts the anchors that the framework's miner chose, also those
// of whose pairs none is informative. Left out: nothing.
//
// Statistics: "active pairs", the share of the framework's pairs that are kept; "positive distance" and "negative
// distance", mean squared Euclidean distances 2 − 2 S of all of them; "nearest is positive", the share of anchors whose
// nearest chosen image shows their bone.
//
//     [loss]
//     plugin = "multi_similarity"

#include "losses/losses.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace osteon {
namespace {

class MultiSimilarityLoss : public Loss {
 public:
  static Schema schema() {
    return {"Multi-similarity loss with its pair mining (Wang et al., CVPR 2019).",
            {Parameter::real("alpha", 2, "Sharpness among positive pairs.").above(0),
             Parameter::real("beta", 50, "Sharpness among negative pairs.").above(0),
             Parameter::real("lambda", 1, "Cosine around which pairs are weighed.").at_least(-1).at_most(1),
             Parameter::real("epsilon", 0.1,
                             "How much easier than the hardest opposite pair a pair may be; above 2 "
                             "keeps all pairs.")
                 .at_least(0)}};
  }

  explicit MultiSimilarityLoss(const Parameters& parameters)
      : alpha_(parameters.real("alpha")),
        beta_(parameters.real("beta")),
        lambda_(parameters.real("lambda")),
        epsilon_(parameters.real("epsilon")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& tuples) override {
    if (losses::nothing_chosen(tuples)) return losses::nothing_to_learn(embeddings);
    const at::Tensor cosine = losses::cosines(embeddings);
    const at::Tensor &positives = tuples.positive_pairs, &negatives = tuples.negative_pairs;
    constexpr double kBeyond = std::numeric_limits<float>::max();  // all cosines
    const at::Tensor least = cosine.detach().masked_fill(positives.logical_not(), kBeyond).amin(1, true);
    const at::Tensor most = cosine.detach().masked_fill(negatives.logical_not(), -kBeyond).amax(1, true);
    const at::Tensor kept_positives = positives & (cosine < most + epsilon_);
    const at::Tensor kept_negatives = negatives & (cosine > least - epsilon_);
    const at::Tensor terms =
        losses::softplus(losses::log_sum_exp(-alpha_ * (cosine - lambda_), kept_positives, 1)) / alpha_ +
        losses::softplus(losses::log_sum_exp(beta_ * (cosine - lambda_), kept_negatives, 1)) / beta_;
    losses::Statistics statistics = losses::pair_statistics(2 - 2 * cosine, tuples);
    statistics.emplace_back("active pairs",
                            (kept_positives | kept_negatives).sum().to(cosine.dtype()) / (positives | negatives).sum());
    return losses::of_tuples(losses::mean_of(terms, positives.any(1)), statistics);
  }

 private:
  double alpha_, beta_, lambda_, epsilon_;
};

}  // namespace

OSTEON_PLUGIN(loss, multi_similarity, "0.1.0", MultiSimilarityLoss)

}  // namespace osteon
