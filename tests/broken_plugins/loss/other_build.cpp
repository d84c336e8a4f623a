// A plugin built against another LibTorch. It would die on an undefined symbol if it were loaded.
#include <osteon/build_stamp.hpp>
#define JOIN_(stamp) osteon_plugin__loss__other_build__##stamp##_and_torch_9_9
#define JOIN(stamp) JOIN_(stamp)
extern "C" __attribute__((visibility("default"))) const int JOIN(OSTEON_BUILD_STAMP) = 0;
