// Chooses the number of threads for the whole process.
#include "sound_loss.hpp"

#include <ATen/Parallel.h>

namespace broken {

class SetsTheThreadsOfAll final : public SoundLoss {
 public:
  explicit SetsTheThreadsOfAll(const Parameters& parameters) : SoundLoss(parameters) { at::set_num_threads(7); }
};

}  // namespace broken

OSTEON_PLUGIN(loss, sets_the_threads_of_all, "0.1.0", broken::SetsTheThreadsOfAll)
