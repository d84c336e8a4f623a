#pragma once

// Standard work as benchmarks of Google Benchmark.

#include "bench/work.hpp"

#include <memory>
#include <string>
#include <vector>

namespace osteon::bench {

/// A piece of work of one plugin at all its sizes: one family of benchmarks, whose times are fitted together.
struct Family {
  std::string plugin;  ///< "loss/triplet", or longer where that would not tell two apart
  std::string size;    ///< "images"
  Work work;
  std::vector<std::int64_t> sizes;

  [[nodiscard]] std::string name() const { return plugin + "/" + work.name; }
  /// "loss/triplet/step/images:64", as Google Benchmark makes it of the argument's name.
  [[nodiscard]] std::string name(std::int64_t at_size) const;
};

/// How often a benchmark failed, and that a person stopped it.
struct Outcome {
  int failed = 0;
  bool stopped = false;
};

/// Hands the family to Google Benchmark. Inputs are made when first needed; the first call is not timed, its memory is
/// measured. `outcome` must outlive the benchmarks.
void register_family(const Family& family, Outcome& outcome);

}  // namespace osteon::bench
