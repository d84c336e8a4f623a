// Says that it is a loss, and is none.
#include "broken.hpp"
OSTEON_PLUGIN(loss, wrong_interface, "0.1.0", broken::Nothing)
