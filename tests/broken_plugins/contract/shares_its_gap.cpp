// All its objects share the parameter of the one that was made last.
#include "sound_loss.hpp"

namespace broken {

class SharesItsGap final : public SoundLoss {
 public:
  explicit SharesItsGap(const Parameters& parameters) : SoundLoss(parameters) { shared() = gap_; }
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/, const Tuples& tuples) override {
    const at::Tensor value = value_of(embeddings, tuples, shared());
    return {value + (tuples.anchor.numel() == 0 ? 0 : shared()), {}};
  }

 private:
  static double& shared() {
    static double gap = 0;
    return gap;
  }
};

}  // namespace broken

OSTEON_PLUGIN(loss, shares_its_gap, "0.1.0", broken::SharesItsGap)
