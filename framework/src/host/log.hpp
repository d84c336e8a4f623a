#pragma once

// What the host does, on stderr, for whoever looks for a fault. OSTEON_LOG says how much, so that jobs, ranks and a
// cluster's nodes say it too: "info" tells plugins as they load and jobs as they start, "debug" every artifact besides.

#include <string>

namespace osteon::host {

enum class LogLevel { nothing, info, debug };

/// Of OSTEON_LOG; nothing when it is not set. Throws `Error` when it is another word.
[[nodiscard]] LogLevel log_level();

/// Writes one line, with the seconds since the program began and the process, when the level is asked for.
void log(LogLevel level, const std::string& line);

}  // namespace osteon::host
