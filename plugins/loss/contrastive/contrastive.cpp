// loss/contrastive: pulls pairs of images of one bone together and pushes pairs of different bones apart until they are
// a margin away (Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR 2006,
// eq. 4), on Euclidean distances D:
//
//     positive pairs:   ½ max(0, D − positive_margin)²
//     negative pairs:   ½ max(0, negative_margin − D)²
//
// The publication has no positive margin (0, the default: pairs of one bone are pulled together until they are one
// point) and leaves the other one open; 1 is customary on unit rows, whose distances end at 2. The pairs are those of
// the framework's triplets, anchor → positive and anchor → negative, each direction that was chosen counted once;
// training.mining = "batch_all" gives all pairs of the batch.
//
// Published scaling: "sum", over all pairs. There are far more negative than positive pairs in a batch, so "mean" takes
// the mean of each kind and adds the two, and "active_mean", the default, divides each kind by the number of its pairs
// above zero, as loss/triplet does. Left out: nothing.
//
// Statistics: "active pairs", the share above zero; mean distance of positive and negative pairs; "nearest is
// positive", the share of anchors whose nearest chosen image shows their bone.
//
//     [loss]
//     plugin          = "contrastive"
//     negative_margin = 1.0

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class ContrastiveLoss : public Loss {
 public:
  static Schema schema() {
    return {"Contrastive loss on pairs (Hadsell, Chopra, LeCun 2006).",
            {Parameter::real("positive_margin", 0, "Distance below which a positive pair is near enough.").at_least(0),
             Parameter::real("negative_margin", 1,
                             "Distance beyond which a negative pair is far enough; on unit rows distances end at 2.")
                 .above(0),
             Parameter::text("reduction", "active_mean",
                             "Sum over the pairs; or the means of positive and negative pairs, added; or those of the "
                             "pairs above zero.")
                 .one_of(std::vector<std::string>{"sum", "mean", "active_mean"})}};
  }

  explicit ContrastiveLoss(const Parameters& parameters)
      : positive_margin_(parameters.real("positive_margin")),
        negative_margin_(parameters.real("negative_margin")),
        reduction_(parameters.text("reduction")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& tuples) override {
    if (losses::nothing_chosen(tuples)) return losses::nothing_to_learn(embeddings);
    const at::Tensor distances = losses::distances(embeddings);
    const at::Tensor pull = (distances - positive_margin_).clamp_min(0).square() / 2;
    const at::Tensor push = (negative_margin_ - distances).clamp_min(0).square() / 2;
    const at::Tensor pulled = tuples.positive_pairs & (pull > 0), pushed = tuples.negative_pairs & (push > 0);
    const at::Tensor pairs = tuples.positive_pairs.sum() + tuples.negative_pairs.sum();
    losses::Statistics statistics = losses::pair_statistics(distances, tuples);
    statistics.emplace_back("active pairs", (pulled.sum() + pushed.sum()).to(distances.dtype()) / pairs);
    return losses::of_tuples(
        reduced(pull, tuples.positive_pairs, pulled) + reduced(push, tuples.negative_pairs, pushed), statistics);
  }

 private:
  [[nodiscard]] at::Tensor reduced(const at::Tensor& terms, const at::Tensor& pairs, const at::Tensor& active) const {
    if (reduction_ == "sum") return terms.masked_fill(pairs.logical_not(), 0).sum();
    return losses::mean_of(terms, reduction_ == "mean" ? pairs : active);
  }

  double positive_margin_, negative_margin_;
  std::string reduction_;
};

}  // namespace

OSTEON_PLUGIN(loss, contrastive, "0.1.0", ContrastiveLoss)

}  // namespace osteon
