// How mistakes print.

#include "config/mistakes.hpp"

#include "host/registry.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <iomanip>
#include <limits>
#include <string>
#include <utility>

namespace osteon::config {

namespace {

/// Files come from outside: a control character must not reach the terminal. A tab becomes one space, so that the caret
/// below stands right.
std::string printable(std::string bytes) {
  for (char& c : bytes) {
    if (c == '\t') c = ' ';
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) c = '?';
  }
  return bytes;
}

std::string numbered(const Source& source, int line) {
  return text(std::setw(5), line, " | ", printable(source.lines[static_cast<std::size_t>(line) - 1]), "\n");
}

bool is_comment(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first != std::string::npos && line[first] == '#';
}

std::string excerpt(const Place& place, bool with_comments) {
  const Source& source = *place.source;
  if (place.line < 1 || place.line > static_cast<int>(source.lines.size())) return "";
  int first = place.line;
  while (with_comments && first > 1 && is_comment(source.lines[static_cast<std::size_t>(first) - 2])) --first;
  std::string result;
  for (int line = first; line <= place.line; ++line) result += numbered(source, line);
  const auto before = static_cast<std::size_t>(std::max(0, place.column - 1));
  const auto wave = static_cast<std::size_t>(std::max(0, place.length - 1));
  return text(result, "      | ", std::string(before, ' '), "^", std::string(wave, '~'), "\n");
}

auto order(const Place& place) {
  const int last = std::numeric_limits<int>::max();
  return std::tuple(place.source == nullptr ? last : place.source->rank, place.line == 0 ? last : place.line,
                    place.column);
}

}  // namespace

void Mistakes::add(const Place& place, std::string message, bool with_comments) {
  if (!known_.emplace(place.source.get(), place.line, place.column, message).second) return;
  mistakes_.push_back({place, std::move(message), with_comments});
}

void Mistakes::throw_if_any() const {
  if (mistakes_.empty()) return;
  std::vector<Mistake> sorted = mistakes_;
  std::ranges::stable_sort(sorted, [](const Mistake& a, const Mistake& b) { return order(a.place) < order(b.place); });
  std::string all;
  for (const Mistake& mistake : sorted) {
    const Place& place = mistake.place;
    std::string where = place.text();
    if (place.line > 0) where += text(":", place.column);
    all += printable(where + ": " + mistake.message) + "\n";
    if (place.source != nullptr) all += excerpt(place, mistake.with_comments);
  }
  const std::size_t count = sorted.size();
  throw Error(all + std::to_string(count) + (count == 1 ? " mistake" : " mistakes") + ", nothing was run");
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       const std::string& otherwise) {
  const std::string nearest = host::nearest_word(word, candidates);
  return nearest.empty() ? otherwise : "; did you mean \"" + nearest + "\"?";
}

}  // namespace osteon::config
