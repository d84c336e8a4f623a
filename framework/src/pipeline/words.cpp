#include "pipeline/words.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace osteon::pipeline {

std::string fixed(double value, int decimals) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
  std::string result = digits;
  if (result.find_first_of("123456789") == std::string::npos && result.starts_with('-')) result.erase(0, 1);  // -0.0
  return result;
}

std::string lower_case(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

}  // namespace osteon::pipeline
