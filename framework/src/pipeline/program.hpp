#pragma once

// Another program, run to its end.

#include <optional>
#include <string>
#include <vector>

namespace osteon::pipeline {

struct ProgramEnd {
  int code = 0;  ///< exit code; 128 + n where signal n ended it
  std::string out, err;
};

/// Runs `words[0]`, looked for on the PATH, with the other words; nothing where there is no such program. Throws a
/// failure when it cannot be started for another reason.
[[nodiscard]] std::optional<ProgramEnd> run_program(const std::vector<std::string>& words);

}  // namespace osteon::pipeline
