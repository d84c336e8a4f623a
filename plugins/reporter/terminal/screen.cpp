// Standard output, a terminal or not; see the header. Escape sequences: ECMA-48.

#include "screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace osteon::terminal {

namespace {

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool obeys_sequences() {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

const char* sequence(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::bold:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::good:
      return "\x1b[32m";
    case Style::warning:
      return "\x1b[33m";
    case Style::bad:
      return "\x1b[31m";
  }
  return "";
}

}  // namespace

Screen::Screen(const std::string& colour)
    : is_terminal_(obeys_sequences()),
      has_colour_(colour == "always" || (colour == "auto" && is_terminal_ && !is_set("NO_COLOR"))) {}

Screen::~Screen() { erase_transient(); }

std::int64_t Screen::width() const {
  winsize size{};
  if (is_terminal_ && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return is_terminal_ ? 80 : 100;
}

std::string Screen::painted(Style style, const std::string& words) const {
  if (!has_colour_ || style == Style::plain || words.empty()) return words;
  return sequence(style) + words + "\x1b[0m";
}

void Screen::line(std::string words) {
  erase_transient();
  words.erase(words.find_last_not_of(' ') + 1);
  words += '\n';
  std::fputs(words.c_str(), stdout);
  std::fflush(stdout);
}

void Screen::transient(const std::string& words) {
  if (!is_terminal_) return;
  std::fputs(("\r" + words + "\x1b[K").c_str(), stdout);
  std::fflush(stdout);
  has_transient_ = true;
}

void Screen::erase_transient() {
  if (!has_transient_) return;
  std::fputs("\r\x1b[K", stdout);
  std::fflush(stdout);
  has_transient_ = false;
}

}  // namespace osteon::terminal
