#include "host/log.hpp"

#include <osteon/error.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace osteon::host {

namespace {

const auto kBegan = std::chrono::steady_clock::now();

LogLevel level_of(const char* word) {
  const std::string_view asked = word == nullptr ? "" : word;
  if (asked.empty()) return LogLevel::nothing;
  if (asked == "info") return LogLevel::info;
  if (asked == "debug") return LogLevel::debug;
  throw Error(text("OSTEON_LOG is \"", asked, "\": expected info or debug, or nothing"));
}

}  // namespace

LogLevel log_level() {
  static const LogLevel level = level_of(std::getenv("OSTEON_LOG"));
  return level;
}

void log(LogLevel level, const std::string& line) {
  if (level > log_level()) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - kBegan).count();
  // One call, so that lines of several processes do not mix.
  std::fprintf(stderr, "[%8.3f s, %d] %s\n", seconds, static_cast<int>(::getpid()), line.c_str());
}

}  // namespace osteon::host
