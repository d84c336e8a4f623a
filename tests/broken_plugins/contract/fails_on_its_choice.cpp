// Declares a choice for which it has no code.
#include "sound_loss.hpp"

#include <map>

namespace broken {

class FailsOnItsChoice final : public SoundLoss {
 public:
  explicit FailsOnItsChoice(const Parameters& parameters) : SoundLoss(parameters) {
    const std::map<std::string, double> factors = {{"mean", 1}};
    gap_ *= factors.at(parameters.text("reduction"));
  }
  static Schema schema() {
    Schema schema = SoundLoss::schema();
    schema.parameters.push_back(Parameter::text("reduction", "mean", "Over triplets.").one_of({"mean", "sum"}));
    return schema;
  }
};

}  // namespace broken

OSTEON_PLUGIN(loss, fails_on_its_choice, "0.1.0", broken::FailsOnItsChoice)
