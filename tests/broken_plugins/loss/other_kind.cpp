// A classifier in the folder of the losses.
#include "broken.hpp"
OSTEON_PLUGIN(classifier, other_kind, "0.1.0", broken::Nothing)
