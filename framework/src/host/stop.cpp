#include "host/stop.hpp"

#include <unistd.h>

#include <csignal>

namespace osteon::host {

namespace {

volatile std::sig_atomic_t stop = 0;

extern "C" void on_stop(int number) {
  if (stop != 0) ::_exit(128 + number);
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
