#pragma once

// `osteon bench`: Google Benchmark over any plugins, in the tree or not. Each kind has standard work (work.hpp) that is
// done through the host's handles, as an experiment calls them, at several sizes.

#include "host/registry.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace osteon::bench {

/// A plugin, with parameters as typed: "margin=0.2".
struct Wanted {
  std::string kind, name;
  std::vector<std::string> settings;
};

struct Request {
  std::string kind;                 ///< all plugins of this kind; "" for all kinds
  std::vector<Wanted> plugins;      ///< instead: the one asked for, and the one that it is held against
  std::vector<std::int64_t> sizes;  ///< the kind's own where empty
  std::string filter;               ///< regular expression that a benchmark's name has to match
  int repetitions = 0;              ///< 0: one, or nine where two plugins are compared
  double min_time = 0.1;            ///< seconds that each benchmark is repeated for at least
  int threads = 0;                  ///< 0: all cores
  bool list_only = false;
  std::filesystem::path json;  ///< Google Benchmark's JSON goes there too

  [[nodiscard]] bool is_comparison() const { return plugins.size() == 2; }
};

/// Whether this program has Google Benchmark in it; `run` throws an `Error` where it has not.
[[nodiscard]] bool is_built_in();

/// Measures and prints a table to standard output. Returns whether nothing failed. Throws `Error` for what can't be
/// run: a wrong parameter, size or filter, a plugin that needs data.
[[nodiscard]] bool run(const Request& request, host::Registry& registry);

}  // namespace osteon::bench
