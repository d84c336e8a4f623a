#pragma once

// Ctrl-C: the first asks the run to stop at the next safe place, the second ends the program at once. Nothing is lost
// either way: artifacts appear under their names only when complete.

namespace osteon::host {

/// Thrown by `throw_if_stopped`. Not an `std::exception`, so that nothing mistakes it for an error.
struct Stopped {};

/// Installs the handlers of SIGINT and SIGTERM.
void watch_for_stop();

[[nodiscard]] bool stop_flag() noexcept;

/// For tests.
void set_stop_flag(bool stop) noexcept;

}  // namespace osteon::host
