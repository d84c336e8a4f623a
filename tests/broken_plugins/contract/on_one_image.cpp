// Sound until a batch has one image. Compiled several times: BROKEN_NAME is the plugin's name, and what it then does.
#include "sound_loss.hpp"

#include <chrono>
#include <csignal>
#include <thread>

namespace broken {

inline void crashes_on_one_image() { std::raise(SIGSEGV); }

inline void hangs_on_one_image() {
  while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
}

inline void wants_all_memory_on_one_image() {
  std::vector<std::vector<char>> all;
  while (true) all.emplace_back(std::size_t{1} << 28, 'x');
}

class OnOneImage final : public SoundLoss {
 public:
  using SoundLoss::SoundLoss;
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels, const Tuples& tuples) override {
    if (embeddings.size(0) == 1) BROKEN_NAME();
    return SoundLoss::compute(embeddings, labels, tuples);
  }
};

}  // namespace broken

#define EXPORT_UNDER(name) OSTEON_PLUGIN(loss, name, "0.1.0", broken::OnOneImage)
EXPORT_UNDER(BROKEN_NAME)
