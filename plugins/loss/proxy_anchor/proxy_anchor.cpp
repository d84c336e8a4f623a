// loss/proxy_anchor: one trained proxy per class stands for its images; each proxy is an anchor that pulls the images
// of its class and pushes all others, the hardest most (Kim, Kim, Cho, Kwak, "Proxy anchor loss for deep metric
// learning", CVPR 2020, eq. 4). With cosine s, classes P and those that occur in the batch P⁺:
//
//     1/|P⁺| Σ_{p ∈ P⁺} log(1 + Σ_{x of p} e^{−α (s(x, p) − δ)})
//     + 1/|P| Σ_{p ∈ P} log(1 + Σ_{x not of p} e^{α (s(x, p) + δ)})
//
// α = 32 and δ = 0.1 are the publication's. Embeddings and proxies are normalised here. It compares images with
// classes, so it needs no pairs in a batch. Trained state: "proxies" [classes, d]. Class scores are the cosines to the
// proxies. Published scaling. Left out: the publication's hundredfold learning rate of the proxies, which is the
// optimiser's.
//
// Statistics: "training accuracy" (the nearest proxy is the own one), and "positive distance" and "negative distance",
// mean squared Euclidean distances 2 − 2 s to the own and to the other proxies.
//
//     [loss]
//     plugin = "proxy_anchor"

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class ProxyAnchorLoss : public Loss {
 public:
  static Schema schema() {
    return {"Proxy anchor loss (Kim et al., CVPR 2020).",
            {Parameter::real("alpha", 32, "Scale of the cosines: how much more the hardest images count.").above(0),
             Parameter::real("margin", 0.1, "Cosine δ by which images must be nearer to, or farther from, a proxy.")
                 .at_least(0)
                 .below(1)}};
  }

  explicit ProxyAnchorLoss(const Parameters& parameters)
      : alpha_(parameters.real("alpha")), delta_(parameters.real("margin")) {}

  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    proxies_ = at::zeros({classes, embedding_size}, at::kFloat).set_requires_grad(true);
  }

  [[nodiscard]] bool uses_tuples() const override { return false; }
  [[nodiscard]] std::map<std::string, at::Tensor> state() override { return {{"proxies", proxies_}}; }

  [[nodiscard]] at::Tensor class_scores(const at::Tensor& embeddings) override {
    return losses::unit_rows(embeddings).matmul(losses::unit_rows(proxies_.to(embeddings.options())).t());
  }

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const Tuples& /*tuples*/) override {
    const at::Tensor cosine = class_scores(embeddings);
    const at::Tensor own = losses::own_class(labels, cosine.size(1)), other = own.logical_not();
    const at::Tensor pull = losses::softplus(losses::log_sum_exp(-alpha_ * (cosine - delta_), own, 0));
    const at::Tensor push = losses::softplus(losses::log_sum_exp(alpha_ * (cosine + delta_), other, 0));
    const at::Tensor distance = 2 - 2 * cosine.detach();
    return losses::with_statistics(losses::mean_of(pull, own.any(0)) + push.mean(),
                                   {{"training accuracy", losses::accuracy(cosine, labels)},
                                    {"positive distance", losses::mean_of(distance, own)},
                                    {"negative distance", losses::mean_of(distance, other)}});
  }

 private:
  double alpha_, delta_;
  at::Tensor proxies_;
};

}  // namespace

OSTEON_PLUGIN(loss, proxy_anchor, "0.1.0", ProxyAnchorLoss)

}  // namespace osteon
