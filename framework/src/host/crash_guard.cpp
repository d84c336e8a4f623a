#include "host/crash_guard.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
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

std::atomic<const char*> called_kind{nullptr}, called_name{nullptr};

void say(const char* words) { [[maybe_unused]] const auto written = ::write(STDERR_FILENO, words, std::strlen(words)); }

extern "C" void on_crash_while_running(int number) {
  const char *kind = called_kind.load(), *name = called_name.load();
  say("osteon: ");
  if (kind != nullptr && name != nullptr) {
    say(kind);
    say("/");
    say(name);
  } else {
    say("the host, outside any plugin,");
  }
  say(number == SIGSEGV   ? " crashed (SIGSEGV)\n"
      : number == SIGABRT ? " crashed (SIGABRT)\n"
      : number == SIGBUS  ? " crashed (SIGBUS)\n"
      : number == SIGFPE  ? " crashed (SIGFPE)\n"
                          : " crashed (SIGILL)\n");
  std::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

void name_crashes() {
  static std::array<char, 1 << 16> stack;  // a crash may be that the other one is full
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash_while_running;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

PluginCall::PluginCall(const char* kind, const char* name)
    : outer_kind_(called_kind.exchange(kind)), outer_name_(called_name.exchange(name)) {}

PluginCall::~PluginCall() {
  called_kind = outer_kind_;
  called_name = outer_name_;
}

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
