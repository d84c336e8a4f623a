#pragma once

// The contract suite: what every plugin of a kind promises, checked on one library, in the tree or not. A check runs in
// the calling process; `check_library` (report.hpp) gives each one a process of its own.

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::contract {

enum class Result {
  ok,
  failed,
  not_for_this_kind,  ///< the kind promises nothing of that sort
  not_checked,        ///< the kind promises it, and this suite cannot tell
  not_run,            ///< another check has found why it cannot be
  mistake             ///< the user's: a setting that the plugin does not have
};

struct Outcome {
  Result result = Result::ok;
  std::string says;    ///< what was seen; of a failed check: what, what was expected, what was found
  std::string digest;  ///< of the plugin's answers where another process must give the same
};

/// All checks but that of printing, which a process cannot see of itself, in the order in which they are told.
inline constexpr std::array<std::string_view, 11> kChecks = {"descriptor",  "parameters", "outputs", "degenerate",
                                                             "determinism", "threads",    "devices", "gradient",
                                                             "state",       "instances",  "memory"};

struct Request {
  std::filesystem::path library;
  std::vector<std::string> settings;  ///< "width=0.1": values of the plugin's parameters instead of the defaults
  double seconds_of_use = 2;          ///< over which growing memory is watched
};

/// Loads the library and runs one of `kChecks`; throws nothing that the plugin does.
[[nodiscard]] Outcome run_check(std::string_view check, const Request& request);

}  // namespace osteon::contract
