// CSV, line by line.

#include "itk/subject_table.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace osteon::table {

namespace {

std::string trimmed(const std::string& word) {
  const std::size_t first = word.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : word.substr(first, word.find_last_not_of(" \t\r") - first + 1);
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

Line line_of(const std::vector<std::string>& names, const std::vector<std::string>& values, const std::string& where) {
  Line line;
  line.where = where;
  for (std::size_t c = 0; c < std::min(names.size(), values.size()); ++c) line.fields.try_emplace(names[c], values[c]);
  line.file = line.field("file");
  line.subject = line.field("subject");
  if (line.file.empty() || line.subject.empty()) throw Error(text(where, ": a row needs a file and a subject"));
  const std::string side = lower(line.field("side")), number = line.field("acquisition");
  if (!side.empty() && side != "left" && side != "l" && side != "right" && side != "r" && side != "unknown")
    throw Error(text(where, ": side is \"", line.field("side"), "\"; it must be left, right or empty"));
  line.side = side.starts_with('l') ? Side::left : side.starts_with('r') ? Side::right : Side::unknown;
  if (!number.empty() && (!reads_as(number, line.acquisition) || line.acquisition < 1 || line.acquisition > 1000))
    throw Error(text(where, ": acquisition is \"", number, "\"; it must be 1, 2, …"));
  return line;
}

}  // namespace

std::string Line::field(const std::string& column) const {
  const auto found = fields.find(column);
  return found == fields.end() ? std::string() : found->second;
}

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

std::vector<Line> read(const std::filesystem::path& file, std::initializer_list<const char*> needed,
                       const std::string& listed) {
  const std::string name = file.filename().string();
  std::string bytes = read_file(file);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.erase(0, 3);
  std::istringstream content(bytes);
  std::string line;
  std::getline(content, line);
  std::vector<std::string> names = fields_of(line);
  for (std::string& column : names) column = lower(column);
  for (const char* column : needed)
    if (std::ranges::find(names, column) == names.end())
      throw Error(text(name, ":1: no column \"", column, "\"; the first line must name the columns ", listed,
                       ", separated by commas"));
  std::vector<Line> lines;
  for (std::size_t number = 2; std::getline(content, line); ++number)
    if (!trimmed(line).empty()) lines.push_back(line_of(names, fields_of(line), text(name, ":", number)));
  if (lines.empty()) throw Error(text(name, ": the table names no file"));
  return lines;
}

}  // namespace osteon::table
