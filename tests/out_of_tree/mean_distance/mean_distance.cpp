// Pulls the positives of each triplet together and pushes the negatives apart, up to a gap: a small loss of one's own.
//
//     [loss]
//     plugin = "mean_distance"
//     gap = 0.5

#include <osteon/loss.hpp>

#include <ATen/ATen.h>

namespace osteon {
namespace {

class MeanDistance final : public Loss {
 public:
  explicit MeanDistance(const Parameters& parameters) : gap_(parameters.real("gap")) {}

  static Schema schema() {
    return {"Mean distance of positives, less that of negatives up to a gap",
            {Parameter::real("gap", 0.5, "Distance beyond which negatives are far enough.").above(0).at_most(4)}};
  }

  LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/, const Tuples& triplets) override {
    if (triplets.anchor.numel() == 0) return {embeddings.sum() * 0, {}};
    const at::Tensor anchor = embeddings.index_select(0, triplets.anchor);
    const auto distance = [&](const at::Tensor& other) {
      return (anchor - embeddings.index_select(0, other)).pow(2).sum(1);
    };
    const at::Tensor near = distance(triplets.positive).mean();
    const at::Tensor far = (gap_ - distance(triplets.negative)).clamp_min(0).mean();
    return {near + far, {{"positive distance", near.item<double>()}}};
  }

 private:
  double gap_;
};

}  // namespace

OSTEON_PLUGIN(loss, mean_distance, "0.1.0", MeanDistance)

}  // namespace osteon
