#pragma once

// One check in a process of its own: fork and exec of this program, never a bare fork, which thread pools do not
// survive.

#include "contract/contract.hpp"

#include <cstdint>

namespace osteon::contract {

struct Limits {
  double seconds = 120;                         ///< of each check
  std::int64_t memory = std::int64_t{4} << 30;  ///< bytes of data of each check; 0: no limit
};

/// What became of a check.
struct Ended {
  Outcome outcome;
  std::string printed;    ///< on standard output and error; "" of a check that did not come to its end
  bool is_whole = false;  ///< it came to its end
  double seconds = 0;
};

/// The hidden word of the command line with which the program runs one check.
inline constexpr const char* kOneCheck = "one-contract-check";

/// Starts `osteon one-contract-check LIBRARY CHECK ANSWER --set …` and waits for it. A crash, a hang and endless memory
/// are failed checks that say so.
[[nodiscard]] Ended run_in_child(std::string_view check, const Request& request, const Limits& limits);

/// The child's side: runs the check and writes the outcome into the file `answer`.
void answer_parent(std::string_view check, const Request& request, const std::filesystem::path& answer);

}  // namespace osteon::contract
