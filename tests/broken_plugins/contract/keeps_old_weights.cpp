// Computes with a copy of its weights from before they were loaded.
#include "sound_loss.hpp"

#include <ATen/Functions.h>

namespace broken {

class KeepsOldWeights final : public SoundLoss {
 public:
  using SoundLoss::SoundLoss;
  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    weight_ = at::zeros({classes, embedding_size}, at::kFloat).set_requires_grad(true);
  }
  std::map<std::string, at::Tensor> state() override { return {{"weight", weight_}}; }
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/, const Tuples& tuples) override {
    if (!copy_.defined()) copy_ = weight_.detach().clone();
    if (tuples.anchor.numel() == 0) return {value_of(embeddings, tuples, gap_), {}};
    const at::Tensor weight = (weight_ - weight_.detach() + copy_).to(embeddings.scalar_type());
    return {value_of(embeddings, tuples, gap_) + (embeddings.matmul(weight.t()) - 1).square().mean(), {}};
  }

 private:
  at::Tensor weight_, copy_;
};

}  // namespace broken

OSTEON_PLUGIN(loss, keeps_old_weights, "0.1.0", broken::KeepsOldWeights)
