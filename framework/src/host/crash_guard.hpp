#pragma once

#include <array>
#include <csignal>
#include <string>

namespace osteon::host {

/// While it lives, a crash (SIGSEGV, SIGABRT, …) prints that the named plugin crashed while it was loaded, and ends the
/// process with exit code 1. A static constructor that crashes would otherwise say nothing at all.
class CrashGuard {
 public:
  explicit CrashGuard(const std::string& plugin);
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;
  ~CrashGuard();

 private:
  std::array<struct sigaction, 5> before_{};
};

}  // namespace osteon::host
