#pragma once

// The table beside a folder of images: a CSV file (RFC 4180, without line breaks within a field) with a row of names on
// top, which says whose bone each file shows.

#include <osteon/specimen.hpp>

#include <charconv>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace osteon::table {

/// One line. `file`, `subject`, `side` and `acquisition` are what every such table may have; sides are left, right, l,
/// r or empty.
struct Line {
  std::string file;  ///< relative to the folder of the images
  std::string subject;
  Side side = Side::unknown;
  int acquisition = 1;                        ///< from 1
  std::string where;                          ///< "subjects.csv:3", for messages
  std::map<std::string, std::string> fields;  ///< by the lower-case name of its column

  /// "" where the table has no such column, or the line ends before it.
  [[nodiscard]] std::string field(const std::string& column) const;
};

/// All lines. Throws `Error` with file and line where a column of `needed` is missing, `listed` of them as the message
/// names them, or a value is none of those allowed.
[[nodiscard]] std::vector<Line> read(const std::filesystem::path& file, std::initializer_list<const char*> needed,
                                     const std::string& listed);

[[nodiscard]] std::string lower(std::string word);

/// The whole word as a number, or false.
template <class Number>
[[nodiscard]] bool reads_as(const std::string& word, Number& number) {
  const char* const end = word.data() + word.size();
  const auto result = std::from_chars(word.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace osteon::table
