#include "host/crash_guard.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace osteon::host {

namespace {

constexpr std::array<int, 5> kSignals = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

// A signal handler may only write bytes that are ready: the message is made before the plugin is loaded.
std::array<char, 1024> message{};
std::size_t message_length = 0;

extern "C" void on_crash(int /*number*/) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message_length);
  ::_exit(1);
}

}  // namespace

CrashGuard::CrashGuard(const std::string& plugin) {
  const std::string words = "osteon: " + plugin + " crashed while it was being loaded; remove or rebuild it\n";
  message_length = std::min(words.size(), message.size());
  std::memcpy(message.data(), words.data(), message_length);
  struct sigaction action {};
  action.sa_handler = on_crash;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

CrashGuard::~CrashGuard() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

}  // namespace osteon::host
