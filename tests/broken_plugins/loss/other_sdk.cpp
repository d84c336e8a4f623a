// A plugin of an older SDK.
extern "C" __attribute__((visibility("default")))
const int osteon_plugin__loss__other_sdk__sdk0_9_00000000_gnu12_cxx11_torch1_13_0 = 0;
