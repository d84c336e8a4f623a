// loss/arcface: cross-entropy over the angles θ between an image and one trained direction per class, with an angle
// added for the own class, so that training makes classes narrower than classification needs (Deng, Guo, Xue,
// Zafeiriou, "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019, eq. 3):
//
//     −log e^{s cos(θ_y + m)} / (e^{s cos(θ_y + m)} + Σ_{j ≠ y} e^{s cos θ_j})
//
// cos(θ + m) rises again beyond θ = π − m, where it would push an image away from its class. As in the authors' code it
// is continued there by cos θ − m sin m, which falls; with `easy_margin` the margin is applied only to images less than
// 90° from their class and the others are scored by cos θ. Scale and margin are the publication's. Embeddings and
// class directions are normalised here. Near θ = 0 and π the sine is held at 3e-4 or more, to keep gradients finite.
//
// It compares images with classes, so it needs no pairs in a batch. Trained state: "weight" [classes, d]. Class scores
// are the scaled cosines, without the margin. Published scaling: the mean over the batch. Left out: the several centres
// per class of its successor.
//
// Statistics: "training accuracy" (largest score is the own class's), and "positive distance" and "negative distance",
// mean squared Euclidean distances 2 − 2 cos θ to the own and to the other classes' directions.
//
//     [loss]
//     plugin = "arcface"
//     margin = 0.5

#include "losses/losses.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace osteon {
namespace {

class ArcFaceLoss : public Loss {
 public:
  static Schema schema() {
    return {"Softmax with an additive angular margin (Deng et al., CVPR 2019).",
            {Parameter::real("scale", 64, "Factor on the cosines; the larger, the sharper the softmax.").above(0),
             Parameter::real("margin", 0.5, "Angle added between an image and its class.")
                 .unit("radians")
                 .at_least(0)
                 .below(1.5),
             Parameter::flag("easy_margin", false, "Apply the margin only to images within 90° of their class.")}};
  }

  explicit ArcFaceLoss(const Parameters& parameters)
      : scale_(parameters.real("scale")),
        angle_(parameters.real("margin")),
        easy_margin_(parameters.flag("easy_margin")) {}

  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    weight_ = at::zeros({classes, embedding_size}, at::kFloat).set_requires_grad(true);
  }

  [[nodiscard]] bool uses_tuples() const override { return false; }
  [[nodiscard]] std::map<std::string, at::Tensor> state() override { return {{"weight", weight_}}; }

  [[nodiscard]] at::Tensor class_scores(const at::Tensor& embeddings) override { return scale_ * cosines(embeddings); }

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const Tuples& /*tuples*/) override {
    const at::Tensor cosine = cosines(embeddings), own = losses::own_class(labels, cosine.size(1));
    const at::Tensor logits = scale_ * at::where(own, with_margin(cosine), cosine);
    const at::Tensor distance = 2 - 2 * cosine.detach();
    return losses::with_statistics(-losses::mean_of(logits.log_softmax(1), own),
                                   {{"training accuracy", losses::accuracy(cosine, labels)},
                                    {"positive distance", losses::mean_of(distance, own)},
                                    {"negative distance", losses::mean_of(distance, own.logical_not())}});
  }

 private:
  [[nodiscard]] at::Tensor cosines(const at::Tensor& embeddings) const {
    return losses::unit_rows(embeddings).matmul(losses::unit_rows(weight_.to(embeddings.options())).t());
  }

  /// cos(θ + m), and what continues it where that would rise again.
  [[nodiscard]] at::Tensor with_margin(const at::Tensor& cosine) const {
    constexpr double kLeastSquaredSine = 1e-7;
    const at::Tensor sine = (1 - cosine.square()).clamp_min(kLeastSquaredSine).sqrt();
    const at::Tensor moved = cosine * std::cos(angle_) - sine * std::sin(angle_);
    if (easy_margin_) return at::where(cosine > 0, moved, cosine);
    return at::where(cosine > std::cos(std::numbers::pi - angle_), moved, cosine - angle_ * std::sin(angle_));
  }

  double scale_, angle_;
  bool easy_margin_;
  at::Tensor weight_;
};

}  // namespace

OSTEON_PLUGIN(loss, arcface, "0.1.0", ArcFaceLoss)

}  // namespace osteon
