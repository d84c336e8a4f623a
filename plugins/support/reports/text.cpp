#include "text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace osteon::reports {

namespace {

template <class Number>
std::string shortest(Number value) {
  char digits[40];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

/// Bytes of the character that `rest` begins with (Unicode, table 3-7); 0 where it begins with none.
std::size_t character_length(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : first < 0xf5 ? 4 : 0;
  if (first < 0xc2 || length == 0 || rest.size() < length) return 0;
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return length;
}

}  // namespace

std::string number_text(double value) { return shortest(value); }
std::string number_text(float value) { return shortest(value); }

std::string one_line(std::string_view words) {
  std::string line(words);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return line;
}

std::string utf8(std::string_view words) {
  std::string result;
  while (!words.empty()) {
    const std::size_t length = character_length(words);
    result += length > 0 ? words.substr(0, length) : "\xef\xbf\xbd";
    words.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string file_word(std::string_view title) {
  std::string word;
  for (const char c : title) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < 0x80 && std::isalnum(letter) != 0) {
      word += static_cast<char>(std::tolower(letter));
    } else if (!word.empty() && word.back() != '-') {
      word += '-';
    }
  }
  word.resize(std::min<std::size_t>(word.size(), 100));
  while (!word.empty() && word.back() == '-') word.pop_back();
  return word.empty() ? "map" : word;
}

}  // namespace osteon::reports
