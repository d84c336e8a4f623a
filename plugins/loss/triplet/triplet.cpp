// loss/triplet: pulls two images of one bone together and pushes images of other bones away (Schroff, Kalenichenko,
// Philbin, "FaceNet", CVPR 2015, eq. 2; the study's loss, Čavojská et al. 2020):
//
//     Σ max(0, ‖a − p‖² − ‖a − n‖² + margin)        over the triplets that the framework's miner chose
//
// The study sums. A sum (and likewise the mean over all triplets) gives ever smaller gradients the fewer triplets still
// violate the margin, or ever larger ones the larger the batch; "active_mean", the default, divides by the number of
// triplets that are above zero (Hermans, Beyer, Leibe, "In defense of the triplet loss", 2017), so that one learning
// rate suits all batch sizes and miners. Statistics: share of triplets above zero, mean distance of positive and of
// negative pairs (as the loss sees them, squared or not).
//
//     [loss]
//     plugin = "triplet"
//     margin = 0.1

#include <osteon/loss.hpp>

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
                         "end at 4.")
             .above(0)
             .at_most(4),
         Parameter::flag("squared", true, "Squared Euclidean distances, as published; else their roots."),
         Parameter::text("reduction", "active_mean",
                         "Sum over the triplets, mean over all of them, or mean over those above zero.")
             .one_of(std::vector<std::string>{"sum", "mean", "active_mean"})}};
  }

  explicit TripletLoss(const Parameters& parameters)
      : margin_(parameters.real("margin")),
        squared_(parameters.flag("squared")),
        reduction_(parameters.text("reduction")) {}

  [[nodiscard]] double margin() const override { return margin_; }

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& triplets) override {
    const std::int64_t count = triplets.anchor.numel(), rows = embeddings.size(0);
    if (count == 0) return {embeddings.sum() * 0, {}};
    // Each pair's distance once; triplets then look it up, which is much less work than to gather embeddings.
    const at::Tensor distances = pair_distances(embeddings).flatten();
    const at::Tensor positive = distances.index_select(0, triplets.anchor * rows + triplets.positive);
    const at::Tensor negative = distances.index_select(0, triplets.anchor * rows + triplets.negative);
    const at::Tensor terms = (positive - negative + margin_).clamp_min(0);
    const double active = static_cast<double>(at::count_nonzero(terms).item<std::int64_t>());
    at::Tensor value = terms.sum();
    if (reduction_ == "mean") value = value / static_cast<double>(count);
    if (reduction_ == "active_mean") value = value / std::max(active, 1.0);
    return {value,
            {{"active triplets", active / static_cast<double>(count)},
             {"positive distance", positive.mean().item<double>()},
             {"negative distance", negative.mean().item<double>()}}};
  }

 private:
  /// ‖x − y‖² = ‖x‖² + ‖y‖² − 2 x·y, or its root; `[N, N]`. The root's gradient at distance 0 is 0 instead of infinite.
  [[nodiscard]] at::Tensor pair_distances(const at::Tensor& embeddings) const {
    const at::Tensor squares = embeddings.square().sum(1);
    const at::Tensor distances = squares.unsqueeze(0) + squares.unsqueeze(1) - 2 * embeddings.matmul(embeddings.t());
    return squared_ ? distances : distances.clamp_min(1e-12).sqrt();
  }

  double margin_;
  bool squared_;
  std::string reduction_;
};

}  // namespace

OSTEON_PLUGIN(loss, triplet, "0.1.0", TripletLoss)

}  // namespace osteon
