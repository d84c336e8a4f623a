// CSV as RFC 4180 has it, without line breaks within a field.

#include "table.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace osteon::radiographs {

namespace {

std::string trimmed(const std::string& word) {
  const std::size_t first = word.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : word.substr(first, word.find_last_not_of(" \t\r") - first + 1);
}

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t c = 0; c < line.size(); ++c) {
    if (line[c] == '"' && quoted && c + 1 < line.size() && line[c + 1] == '"')
      fields.back() += line[++c];
    else if (line[c] == '"')
      quoted = !quoted;
    else if (line[c] == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += line[c];
  }
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

using Columns = std::map<std::string, std::size_t>;

Columns columns_of(const std::string& line, const std::string& name) {
  Columns columns;
  const auto names = fields_of(line);
  for (std::size_t c = 0; c < names.size(); ++c) columns.try_emplace(lower(names[c]), c);
  for (const char* needed : {"file", "subject", "side", "view", "spacing"})
    if (!columns.contains(needed))
      throw Error(text(name, ":1: no column \"", needed,
                       "\"; the first line must name the columns file, subject, side, view and spacing, separated by "
                       "commas"));
  return columns;
}

/// The whole word as a number, or nothing.
template <class Number>
bool reads_as(const std::string& word, Number& number) {
  const auto end = word.data() + word.size();
  const auto result = std::from_chars(word.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

Row row_of(const std::vector<std::string>& fields, const Columns& columns, const std::string& where) {
  const auto field = [&](const std::string& column) {
    const auto found = columns.find(column);
    return found != columns.end() && found->second < fields.size() ? fields[found->second] : std::string();
  };
  Row row;
  row.where = where;
  row.file = field("file");
  row.subject = field("subject");
  if (row.file.empty() || row.subject.empty()) throw Error(text(where, ": a row needs a file and a subject"));
  const std::string side = lower(field("side")), view = lower(field("view"));
  if (!side.empty() && side != "left" && side != "l" && side != "right" && side != "r" && side != "unknown")
    throw Error(text(where, ": side is \"", field("side"), "\"; it must be left, right or empty"));
  row.side = side.starts_with('l') ? Side::left : side.starts_with('r') ? Side::right : Side::unknown;
  if (view != "ap" && view != "ml") throw Error(text(where, ": view is \"", field("view"), "\"; it must be ap or ml"));
  row.is_ap = view == "ap";
  if (const std::string spacing = field("spacing");
      !spacing.empty() && (!reads_as(spacing, row.spacing) || !(row.spacing > 0) || row.spacing > 100))
    throw Error(text(where, ": spacing is \"", spacing, "\"; it must be mm above 0, or empty"));
  if (const std::string number = field("acquisition");
      !number.empty() && (!reads_as(number, row.acquisition) || row.acquisition < 1 || row.acquisition > 1000))
    throw Error(text(where, ": acquisition is \"", number, "\"; it must be 1, 2, …"));
  return row;
}

}  // namespace

std::vector<Row> read_table(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  std::string bytes = read_file(file);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.erase(0, 3);
  std::istringstream lines(bytes);
  std::string line;
  std::getline(lines, line);
  const Columns columns = columns_of(line, name);
  std::vector<Row> rows;
  for (std::size_t number = 2; std::getline(lines, line); ++number)
    if (!trimmed(line).empty()) rows.push_back(row_of(fields_of(line), columns, text(name, ":", number)));
  if (rows.empty()) throw Error(text(name, ": the table names no file"));
  return rows;
}

}  // namespace osteon::radiographs
