// What stands in for the room where Google Benchmark is missing.

#include "bench/bench.hpp"

#include <osteon/error.hpp>

namespace osteon::bench {

bool is_built_in() { return false; }

bool run(const Request&, host::Registry&) {
  throw Error(
      "osteon bench: this program was built without Google Benchmark; install libbenchmark-dev and build with "
      "-DOSTEON_BENCHMARKS=ON");
}

}  // namespace osteon::bench
