#include "host/stop.hpp"

#include <unistd.h>

#include <csignal>
#include <ctime>

namespace osteon::host {

namespace {

volatile std::sig_atomic_t stop = 0;
timespec first_asked{};

/// The second request ends the process at once, but one wish may arrive twice: `timeout` and job schedulers signal the
/// process and then its group. What comes within a second is the same wish.
extern "C" void on_stop(int number) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  if (stop != 0) {
    if (static_cast<double>(now.tv_sec - first_asked.tv_sec) +
            1e-9 * static_cast<double>(now.tv_nsec - first_asked.tv_nsec) >
        1)
      ::_exit(128 + number);
    return;
  }
  first_asked = now;
  stop = 1;
}

}  // namespace

void watch_for_stop() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_flag() noexcept { return stop != 0; }

void set_stop_flag(bool value) noexcept { stop = value ? 1 : 0; }

}  // namespace osteon::host
