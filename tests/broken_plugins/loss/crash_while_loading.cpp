// A static constructor that crashes.
#include <csignal>
#include "broken.hpp"
static const int crashed = std::raise(SIGSEGV);
OSTEON_PLUGIN(loss, crash_while_loading, "0.1.0", broken::Nothing)
