// Needs a function that nobody has.
#include "broken.hpp"
extern "C" int a_function_that_nobody_has();
extern "C" __attribute__((visibility("default"))) int caller() { return a_function_that_nobody_has(); }
OSTEON_PLUGIN(loss, undefined_symbol, "0.1.0", broken::Nothing)
