// Its loss depends on how often it was asked.
#include "sound_loss.hpp"

namespace broken {

class CountsItsCalls final : public SoundLoss {
 public:
  using SoundLoss::SoundLoss;
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/, const Tuples& tuples) override {
    const double more = tuples.anchor.numel() == 0 ? 0 : 1e-5 * ++calls_;
    return {value_of(embeddings, tuples, gap_) * (1 - more), {}};
  }

 private:
  int calls_ = 0;
};

}  // namespace broken

OSTEON_PLUGIN(loss, counts_its_calls, "0.1.0", broken::CountsItsCalls)
