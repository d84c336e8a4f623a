// LibFuzzer for GCC: Clang 14 cannot compile LibTorch's headers as C++20, and GCC has no fuzzer of its own but calls
// __sanitizer_cov_trace_pc in front of every basic block (-fsanitize-coverage=trace-pc). Here these calls become the
// counters that libFuzzer reads: each block gets the next free one when it is reached first, so no two blocks share
// one. Comparisons (trace-cmp) go to libFuzzer as they are. Linked with --wrap, because libFuzzer has an empty function
// of that name.

#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {
extern const char __executable_start, etext;  // the linker's
void __sanitizer_cov_8bit_counters_init(std::uint8_t* begin, std::uint8_t* end);
void __sanitizer_cov_pcs_init(const std::uintptr_t* begin, const std::uintptr_t* end);
// GCC reports comparisons of real numbers too, libFuzzer has no use for them.
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}
void __wrap___sanitizer_cov_trace_pc();
}

namespace {

constexpr std::size_t kMostBlocks = 1 << 16;
std::array<std::uint8_t, kMostBlocks> counters;
std::array<std::uintptr_t, 2 * kMostBlocks> blocks;  // address and flags, as libFuzzer wants them
std::uint32_t* number_of = nullptr;                  // by the block's place in the program; 0: not reached yet
std::uint32_t reached = 0;

__attribute__((constructor)) void begin() {
  const auto places = static_cast<std::size_t>(&etext - &__executable_start);
  void* const memory = ::mmap(nullptr, places * sizeof(std::uint32_t), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  number_of = static_cast<std::uint32_t*>(memory);
  __sanitizer_cov_8bit_counters_init(counters.data(), counters.data() + counters.size());
  __sanitizer_cov_pcs_init(blocks.data(), blocks.data() + blocks.size());
}

}  // namespace

void __wrap___sanitizer_cov_trace_pc() {
  if (number_of == nullptr) return;  // a constructor that runs before `begin`
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  std::uint32_t& number = number_of[place - reinterpret_cast<std::uintptr_t>(&__executable_start)];
  if (number == 0) {
    if (reached + 1 < kMostBlocks) ++reached;
    number = reached;
    blocks[2 * number] = place;
  }
  ++counters[number];
}
