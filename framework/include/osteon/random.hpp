#pragma once

// Counter-based random numbers (Philox 4×32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// A stream is named by (seed, purpose, index): the same name gives the same numbers whatever ran before, in whichever
// thread. Normal deviates are Box–Muller's; nothing here depends on the standard library's distributions.

#include <osteon/export.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace osteon {

class OSTEON_API Random {
 public:
  Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  std::uint32_t bits();
  /// Uniform in [0, 1).
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Mean 0, standard deviation 1.
  double normal();
  double normal(double mean, double deviation) { return mean + deviation * normal(); }
  /// Uniform in 0 … n-1, without bias; n at least 1.
  std::uint64_t below(std::uint64_t n);
  /// 0 … n-1 in random order (Fisher–Yates).
  std::vector<std::int64_t> permutation(std::int64_t n);

 private:
  void refill();

  std::array<std::uint32_t, 2> key_{};
  std::array<std::uint32_t, 4> counter_{};
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace osteon
