#include "cli/manual.hpp"

#include <algorithm>

namespace osteon::cli {

std::string markdown(const std::string& sentence) {
  std::string result;
  bool in_code = false;
  for (const char c : sentence) {
    if (c == '`') in_code = !in_code;
    if (c == '|' || (!in_code && (c == '<' || c == '*'))) result += '\\';
    result += c;
  }
  return result;
}

std::string table_row(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& cell : cells) row += " " + cell + " |";
  return row + "\n";
}

std::string table_head(const std::vector<std::string>& columns) {
  return table_row(columns) + table_row(std::vector<std::string>(columns.size(), "---"));
}

std::string toml_line(const Parameter& parameter) {
  if (!parameter.is_required) return parameter.name + " = " + to_text(parameter.standard);
  std::string placeholder = parameter.name;
  std::ranges::transform(placeholder, placeholder.begin(), [](unsigned char c) { return std::toupper(c); });
  return parameter.name + " = \"" + placeholder + "\"";
}

std::string toml_block(const std::string& table, const std::string& plugin, const Schema& schema) {
  std::string block = "```toml\n[" + table + "]\n";
  if (!plugin.empty()) block += "plugin = \"" + plugin + "\"\n";
  for (const Parameter& parameter : schema.parameters) block += toml_line(parameter) + "\n";
  return block + "```\n";
}

std::string parameter_list(const Schema& schema, bool in_experiment_file) {
  std::string text;
  for (const Parameter& p : schema.parameters) {
    text += "### `" + p.name + "`\n\n" + markdown(p.sentence) + "\n\n";
    text += "- Value: " + markdown(p.range_text());
    if (p.least_length > 0) text += ", with " + std::to_string(p.least_length) + " or more entries";
    text += p.is_required ? "\n- Default: none, it must be given\n" : "\n- Default: `" + to_text(p.standard) + "`\n";
    if (!p.unit_text.empty()) text += "- Unit: " + markdown(p.unit_text) + "\n";
    if (!p.in_key && p.type != Parameter::Type::path)
      text += "- A change of it makes nothing again: it enters no key of the store\n";
    text += in_experiment_file ? "\n```toml\n" + toml_line(p) + "\n```\n\n" : "\n";
  }
  return text;
}

}  // namespace osteon::cli
