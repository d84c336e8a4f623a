// loss/plugin_name: hinge on triplets. The squared distance from an anchor to an image of another bone must be larger
// than that to an image of its own, by a margin (Schroff, Kalenichenko, Philbin, CVPR 2015, eq. 2):
//
//     mean over triplets of max(0, margin + |a − p|² − |a − n|²)
//
//     [loss]
//     plugin = "plugin_name"
//     margin = 0.1

#include <osteon/loss.hpp>

#include <ATen/ATen.h>

namespace osteon {
namespace {

class PluginName final : public Loss {
 public:
  static Schema schema() {
    return {"Hinge on triplets of squared distances (Schroff et al. 2015).",
            {Parameter::real("margin", 0.1, "Least gap between the two squared distances.").above(0).at_most(4)}};
  }

  explicit PluginName(const Parameters& parameters) : margin_(parameters.real("margin")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& tuples) override {
    // A zero that still has a graph: training goes on with the next batch.
    if (tuples.anchor.numel() == 0) return {embeddings.sum() * 0, {{"empty batches", 1}}};
    const at::Tensor anchor = embeddings.index_select(0, tuples.anchor);
    const auto squared_distance = [&](const at::Tensor& other) {
      return (anchor - embeddings.index_select(0, other)).square().sum(1);
    };
    const at::Tensor gap = squared_distance(tuples.negative) - squared_distance(tuples.positive);
    const at::Tensor hinge = (margin_ - gap).clamp_min(0);
    const double active = hinge.detach().gt(0).to(at::kDouble).mean().item<double>();
    return {hinge.mean(), {{"active triplets", active}, {"empty batches", 0}}};
  }

  [[nodiscard]] double margin() const override { return margin_; }

 private:
  double margin_;
};

}  // namespace

OSTEON_PLUGIN(loss, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
