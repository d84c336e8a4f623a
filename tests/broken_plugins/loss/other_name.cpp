// A plugin whose file is not named after it.
#include "broken.hpp"
OSTEON_PLUGIN(loss, renamed, "0.1.0", broken::Nothing)
