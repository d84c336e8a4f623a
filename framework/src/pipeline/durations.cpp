#include "pipeline/durations.hpp"

#include <cstdio>

namespace osteon::pipeline {

std::string duration_text(double seconds) {
  char words[48];
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) {
    std::snprintf(words, sizeof words, "%.1f s", seconds);
  } else if (whole < 3600) {
    std::snprintf(words, sizeof words, "%ld min %02ld s", whole / 60, whole % 60);
  } else {
    std::snprintf(words, sizeof words, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  }
  return words;
}

}  // namespace osteon::pipeline
