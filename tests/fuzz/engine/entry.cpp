// libFuzzer's way into the one harness that a program of scripts/fuzz has.

#include "../harness.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const osteon::fuzz::Harness harness = osteon::fuzz::harnesses().front();
  (void)harness.read({reinterpret_cast<const char*>(bytes), count});
  return 0;
}
