// Keeps a kilobyte of every batch.
#include "sound_loss.hpp"

namespace broken {

class Leaks final : public SoundLoss {
 public:
  using SoundLoss::SoundLoss;
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels, const Tuples& tuples) override {
    kept_.push_back(std::vector<char>(1024));
    return SoundLoss::compute(embeddings, labels, tuples);
  }

 private:
  std::vector<std::vector<char>> kept_;
};

}  // namespace broken

OSTEON_PLUGIN(loss, leaks, "0.1.0", broken::Leaks)
