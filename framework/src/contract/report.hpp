#pragma once

// The contract suite over one library, told so that it can be pasted into an issue.

#include "contract/child.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace osteon::contract {

struct CheckLine {
  std::string check;
  Outcome outcome;
  double seconds = 0;
};

struct LibraryReport {
  std::string plugin;                              ///< "loss/triplet"
  std::filesystem::path library;                   ///< as the user named it
  std::map<std::string, std::string> environment;  ///< versions, processor, memory, limits
  std::vector<CheckLine> lines;

  [[nodiscard]] int count(Result result) const;
  [[nodiscard]] bool is_sound() const { return count(Result::failed) == 0; }
};

/// Runs every check, or those of `only` after the descriptor's, in a process of its own, one after the other, and tells
/// of each as it ends. Throws `Error` for the user's mistakes: no such file, no plugin in it, a setting that the plugin
/// does not have, no such check.
[[nodiscard]] LibraryReport check_library(const Request& request, const Limits& limits,
                                          const std::vector<std::string>& only,
                                          const std::function<void(const CheckLine&)>& on_line);

/// Runs one check in this process, where a debugger sees it: a crash is one. Throws as `check_library` does.
[[nodiscard]] CheckLine check_here(const Request& request, const std::string& check);

/// "ok", "FAILED", "not for this kind", "not checked for this kind", "not run"
[[nodiscard]] std::string to_text(Result result);
/// What stands above the checks, and one check's line.
[[nodiscard]] std::string heading_of(const LibraryReport& report);
[[nodiscard]] std::string line_of(const CheckLine& line);
/// "10 checks passed, 1 failed, 2 not for this kind"
[[nodiscard]] std::string summary_of(const LibraryReport& report);
[[nodiscard]] std::string json_of(const LibraryReport& report);
/// The plugin and the machine, before any check has run.
[[nodiscard]] LibraryReport begun_report(const Request& request, const Limits& limits);

}  // namespace osteon::contract
