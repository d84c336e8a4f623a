#pragma once

// What of this machine matters to Osteon, what is wrong with it or slow about it, and the remedy.

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

struct Finding {
  std::string topic;   ///< "BLAS"
  std::string says;    ///< "OpenBLAS 0.3.21 …, 92 GFLOP/s with 2 threads"
  std::string remedy;  ///< what to do; "" where nothing is wrong
};

/// Looks at programs, processor, memory, matrix products (half a second of them), GPU, plugins, store and load. Throws
/// nothing of what it finds.
[[nodiscard]] std::vector<Finding> examine_machine(const std::vector<std::filesystem::path>& plugin_folders);

}  // namespace osteon::pipeline
