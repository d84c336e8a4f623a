// Text as it stands in columns; see the header.

#include "words.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace osteon::terminal {

namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

std::int64_t width_of(std::string_view words) { return std::ranges::count_if(words, begins_character); }

std::string repeated(std::string_view words, std::int64_t times) {
  std::string result;
  for (std::int64_t i = 0; i < times; ++i) result += words;
  return result;
}

std::string padded(std::string words, std::int64_t width, bool to_the_right) {
  const std::string blanks = repeated(" ", width - width_of(words));
  return to_the_right ? blanks + words : words + blanks;
}

std::string column(std::string words, std::int64_t width) { return padded(std::move(words) + " ", width); }

std::string cut(std::string_view words, std::int64_t width) {
  if (width_of(words) <= width) return std::string(words);
  std::size_t end = 0;
  for (std::int64_t characters = 0; end < words.size(); ++end)
    if (begins_character(words[end]) && ++characters == std::max<std::int64_t>(width, 1)) break;
  return std::string(words.substr(0, end)) + "…";
}

std::string harmless(std::string_view words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto byte = static_cast<unsigned char>(words[i]);
    const auto next = static_cast<unsigned char>(i + 1 < words.size() ? words[i + 1] : ' ');
    const bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;  // U+0080 … U+009F
    if (is_c1) ++i;
    result += byte < 0x20 || byte == 0x7f || is_c1 ? '?' : words[i];
  }
  return result;
}

std::string thousands(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') result += ',';
    result += digits[i];
  }
  return result;
}

std::string duration(double seconds) {
  char words[64];
  const auto whole = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  if (seconds < 59.95) {
    std::snprintf(words, sizeof words, "%.1f s", std::max(seconds, 0.0));
  } else if (whole < 3600) {
    std::snprintf(words, sizeof words, "%lld min %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(words, sizeof words, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
  }
  return words;
}

std::string time_left(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "";
  const auto whole = static_cast<long long>(std::ceil(seconds));
  char words[64];
  if (whole < 3600) {
    std::snprintf(words, sizeof words, "%lld:%02lld left", whole / 60, whole % 60);
  } else {
    std::snprintf(words, sizeof words, "%lld:%02lld:%02lld left", whole / 3600, whole % 3600 / 60, whole % 60);
  }
  return words;
}

std::string amount(std::int64_t number, const std::string& plural) {
  std::string word = plural;
  if (number == 1 && word == "people") {
    word = "person";
  } else if (number == 1 && word.ends_with("s")) {
    word.pop_back();
  }
  return thousands(number) + " " + word;
}

std::string bar(double fraction, int cells) {
  static constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::int64_t>(std::clamp(fraction, 0.0, 1.0) * cells * 8);
  return padded(repeated("█", eighths / 8) + std::string(kEighths[static_cast<std::size_t>(eighths % 8)]), cells);
}

}  // namespace osteon::terminal
