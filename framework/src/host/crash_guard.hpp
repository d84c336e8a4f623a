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

/// From now on a crash says which plugin was being called, and ends the process by its signal as before.
void name_crashes();

/// While it lives, this plugin is being called; of several threads' calls the last one counts.
class PluginCall {
 public:
  /// Both words must outlive it.
  PluginCall(const char* kind, const char* name);
  PluginCall(const PluginCall&) = delete;
  PluginCall& operator=(const PluginCall&) = delete;
  ~PluginCall();

 private:
  const char *outer_kind_, *outer_name_;
};

}  // namespace osteon::host
