// CSV as RFC 4180 has it, without line breaks within a field.

#include "table.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace osteon::image {

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

std::map<std::string, std::size_t> columns_of(const std::string& line, const std::string& name) {
  std::map<std::string, std::size_t> columns;
  const auto names = fields_of(line);
  for (std::size_t c = 0; c < names.size(); ++c) columns.try_emplace(lower(names[c]), c);
  for (const char* needed : {"file", "subject", "side"})
    if (!columns.contains(needed))
      throw Error(text(name, ":1: no column \"", needed,
                       "\"; the first line must name the columns file, subject and side, separated by commas"));
  return columns;
}

}  // namespace

std::vector<TableRow> read_table(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  std::string bytes = read_file(file);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.erase(0, 3);
  std::istringstream lines(bytes);
  std::string line;
  std::getline(lines, line);
  const auto columns = columns_of(line, name);
  std::vector<TableRow> rows;
  for (std::size_t number = 2; std::getline(lines, line); ++number) {
    if (trimmed(line).empty()) continue;
    const auto fields = fields_of(line);
    TableRow row;
    row.where = text(name, ":", number);
    const auto field = [&](const std::string& column) {
      const auto found = columns.find(column);
      return found != columns.end() && found->second < fields.size() ? fields[found->second] : std::string();
    };
    row.file = field("file");
    row.subject = field("subject");
    row.id = field("id");
    if (row.file.empty() || row.subject.empty()) throw Error(text(row.where, ": a row needs a file and a subject"));
    const std::string side = lower(field("side")), acquisition = field("acquisition");
    if (!side.empty() && side != "left" && side != "l" && side != "right" && side != "r" && side != "unknown")
      throw Error(text(row.where, ": side is \"", field("side"), "\"; it must be left, right or empty"));
    row.side = side.starts_with('l') ? Side::left : side.starts_with('r') ? Side::right : Side::unknown;
    int count = 1;
    const auto end = acquisition.data() + acquisition.size();
    if (!acquisition.empty() &&
        (std::from_chars(acquisition.data(), end, count).ptr != end || count < 1 || count > 1000))
      throw Error(text(row.where, ": acquisition is \"", acquisition, "\"; it must be 1, 2, …"));
    row.acquisition = count - 1;
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw Error(text(name, ": the table names no file"));
  return rows;
}

}  // namespace osteon::image
