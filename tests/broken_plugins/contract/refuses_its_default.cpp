// Does not take the value that it declares as its default.
#include "sound_loss.hpp"

namespace broken {

class RefusesItsDefault final : public SoundLoss {
 public:
  explicit RefusesItsDefault(const Parameters& parameters) : SoundLoss(parameters) {
    if (gap_ == 0.5) throw osteon::Error("a gap of 0.5 is too wide");
  }
};

}  // namespace broken

OSTEON_PLUGIN(loss, refuses_its_default, "0.1.0", broken::RefusesItsDefault)
