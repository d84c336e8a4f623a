// loss/softmax: a new classification layer on the network's features, trained with cross-entropy: the transfer learning
// of the study (Čavojská et al. 2020). Scores are W x + b, the loss of an
// image of class y is
//
//     −log softmax(W x + b)_y
//
// `label_smoothing` ε gives the other classes a share of the truth (Szegedy et al., "Rethinking the Inception
// architecture for computer vision", CVPR 2016, section 7): the target is 1 − ε for the own class and ε / classes more
// for every class. The study does not smooth: 0.
//
// It compares images with classes, so it needs no pairs in a batch. Use it with a head without pairs
// (`head.pairs = 0`), as the study did, to classify the network's own features. Trained state: "weight"
// [classes, d] and "bias" [classes]. Class scores are the logits. Published scaling: the mean over the batch.
//
// Statistic: "training accuracy", the share of images whose class has the largest score.
//
//     [loss]
//     plugin = "softmax"

#include "losses/losses.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

class SoftmaxLoss : public Loss {
 public:
  static Schema schema() {
    return {"Cross-entropy of a new classification layer: transfer learning, the study's.",
            {Parameter::real("label_smoothing", 0,
                             "Share of each image's target that is spread over all classes (Szegedy et al. 2016).")
                 .at_least(0)
                 .below(1)}};
  }

  explicit SoftmaxLoss(const Parameters& parameters) : smoothing_(parameters.real("label_smoothing")) {}

  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    weight_ = at::zeros({classes, embedding_size}, at::kFloat).set_requires_grad(true);
    bias_ = at::zeros({classes}, at::kFloat).set_requires_grad(true);
  }

  [[nodiscard]] bool uses_tuples() const override { return false; }
  [[nodiscard]] std::map<std::string, at::Tensor> state() override { return {{"weight", weight_}, {"bias", bias_}}; }

  [[nodiscard]] at::Tensor class_scores(const at::Tensor& embeddings) override {
    return embeddings.matmul(weight_.to(embeddings.options()).t()) + bias_.to(embeddings.options());
  }

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const Tuples& /*tuples*/) override {
    const at::Tensor scores = class_scores(embeddings), logarithms = scores.log_softmax(1);
    const at::Tensor own = logarithms.gather(1, labels.unsqueeze(1)).mean(), all = logarithms.mean();
    return losses::with_statistics(-(1 - smoothing_) * own - smoothing_ * all,
                                   {{"training accuracy", losses::accuracy(scores, labels)}});
  }

 private:
  double smoothing_;
  at::Tensor weight_, bias_;
};

}  // namespace

OSTEON_PLUGIN(loss, softmax, "0.1.0", SoftmaxLoss)

}  // namespace osteon
