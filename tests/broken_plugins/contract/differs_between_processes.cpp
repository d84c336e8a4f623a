// Takes a random number from its process, so that all is the same in one process.
#include "sound_loss.hpp"

#include <unistd.h>

namespace broken {

class DiffersBetweenProcesses final : public SoundLoss {
 public:
  using SoundLoss::SoundLoss;
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/, const Tuples& tuples) override {
    return {value_of(embeddings, tuples, gap_) * (1 + 1e-5 * (::getpid() % 1000)), {}};
  }
};

}  // namespace broken

OSTEON_PLUGIN(loss, differs_between_processes, "0.1.0", broken::DiffersBetweenProcesses)
