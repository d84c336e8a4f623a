// One of its choices lies beyond its bound, so that the host lets it pass.
#include "sound_loss.hpp"

namespace broken {

class TakesAValueBeyondItsBound final : public SoundLoss {
 public:
  explicit TakesAValueBeyondItsBound(const Parameters& parameters) : SoundLoss(parameters) {
    (void)parameters.integer("clusters");
  }
  static Schema schema() {
    Schema schema = SoundLoss::schema();
    schema.parameters.push_back(
        Parameter::integer("clusters", 1, "Clusters of each class.").one_of({1, 2, 8}).at_most(4));
    return schema;
  }
};

}  // namespace broken

OSTEON_PLUGIN(loss, takes_a_value_beyond_its_bound, "0.1.0", broken::TakesAValueBeyondItsBound)
