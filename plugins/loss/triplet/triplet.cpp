// loss/triplet: pulls two images of one bone together and pushes images of other bones away (Schroff, Kalenichenko,
// Philbin, "FaceNet", CVPR 2015, eq. 2; the study's loss, Čavojská et al. 2020, eq. 2). Over the triplets that the
// framework's miner chose, with difference = ‖a − p‖² − ‖a − n‖²:
//
//     form = "hinge":         Σ max(0, difference + margin)
//     form = "soft_margin":   Σ log(1 + exp(difference))      (Hermans, Beyer, Leibe, "In defense of the triplet loss",
//                                                              2017: it never stops pulling)
//
// The soft margin has no margin: `margin` is then not used, and accuracy is scored without an own margin.
//
// Published scaling: the study sums. A sum (and likewise the mean over all triplets) gives ever smaller gradients the
// fewer triplets still violate the margin, or ever larger ones the larger the batch; "active_mean", the default,
// divides by the number of triplets whose term is above zero (Hermans et al. 2017), so that one learning rate suits all
// batch sizes and miners. With the soft margin that is every triplet, so there it is the mean.
//
// The study also tried "the tertiary distance to compute loss (the distance between embeddings of positive and negative
// images)", found no effect, and gives no formula. Two published ones are here, in the place of ‖a − n‖²:
// "mean" takes (‖a − n‖² + ‖p − n‖²) / 2 (Zhang, Gong et al., "Deep metric learning with improved triplet loss for face
// clustering in videos", PCM 2016), "least" the smaller of the two (the anchor swap of Balntas et al., "Learning local
// feature descriptors with triplets and shallow convolutional neural networks", BMVC 2016).
//
// Statistics: "active triplets", the share above zero (soft margin: the share whose positive is not the nearer), and
// the mean distance of positives and negatives over the triplets, as the loss sees them.
//
//     [loss]
//     plugin = "triplet"
//     margin = 0.1

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class TripletLoss : public Loss {
 public:
  static Schema schema() {
    return {
        "Triplet loss (Schroff et al. 2015), the study's.",
        {Parameter::real("margin", 0.1,
                         "How much farther than the positive the negative has to be; on unit rows squared distances "
                         "end at 4. Not used by the soft margin.")
             .above(0)
             .at_most(4),
         Parameter::flag("squared", true, "Squared Euclidean distances, as published; else their roots."),
         Parameter::text("form", "hinge",
                         "No loss beyond the margin, or the soft margin log(1 + exp(difference)), which never ends.")
             .one_of(std::vector<std::string>{"hinge", "soft_margin"}),
         Parameter::text("tertiary_distance", "unused",
                         "What the distance between positive and negative does: nothing, or it is averaged with that "
                         "between anchor and negative, or the smaller of the two counts.")
             .one_of(std::vector<std::string>{"unused", "mean", "least"}),
         Parameter::text("reduction", "active_mean",
                         "Sum over the triplets, mean over all of them, or mean over those above zero.")
             .one_of(std::vector<std::string>{"sum", "mean", "active_mean"})}};
  }

  explicit TripletLoss(const Parameters& parameters)
      : margin_(parameters.real("margin")),
        squared_(parameters.flag("squared")),
        soft_margin_(parameters.text("form") == "soft_margin"),
        tertiary_distance_(parameters.text("tertiary_distance")),
        reduction_(parameters.text("reduction")) {}

  [[nodiscard]] double margin() const override { return soft_margin_ ? -1 : margin_; }

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& triplets) override {
    if (losses::nothing_chosen(triplets)) return losses::nothing_to_learn(embeddings);
    // Each pair's distance once; triplets then look it up, which is much less work than to gather embeddings.
    const at::Tensor all = (squared_ ? losses::squared_distances(embeddings) : losses::distances(embeddings)).flatten();
    const auto between = [&](const at::Tensor& a, const at::Tensor& b) {
      return all.index_select(0, a * embeddings.size(0) + b);
    };
    const at::Tensor positive = between(triplets.anchor, triplets.positive);
    at::Tensor negative = between(triplets.anchor, triplets.negative);
    if (tertiary_distance_ == "mean") negative = (negative + between(triplets.positive, triplets.negative)) / 2;
    if (tertiary_distance_ == "least") negative = at::minimum(negative, between(triplets.positive, triplets.negative));
    const at::Tensor difference = positive - negative;
    const at::Tensor terms = soft_margin_ ? losses::softplus(difference) : (difference + margin_).clamp_min(0);
    const at::Tensor active = soft_margin_ ? difference >= 0 : terms > 0;
    return losses::of_tuples(reduced(terms), {{"active triplets", active.to(terms.dtype()).mean()},
                                              {"positive distance", positive.mean()},
                                              {"negative distance", negative.mean()}});
  }

 private:
  [[nodiscard]] at::Tensor reduced(const at::Tensor& terms) const {
    if (reduction_ == "sum") return terms.sum();
    if (reduction_ == "mean" || soft_margin_) return terms.mean();
    return losses::mean_of(terms, terms > 0);
  }

  double margin_;
  bool squared_, soft_margin_;
  std::string tertiary_distance_, reduction_;
};

}  // namespace

OSTEON_PLUGIN(loss, triplet, "0.1.0", TripletLoss)

}  // namespace osteon
