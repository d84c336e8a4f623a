#include "names.hpp"

#include <osteon/error.hpp>
#include <osteon/parameters.hpp>

#include <sstream>

#include <toml++/toml.h>

namespace osteon::mlflow {

namespace {

constexpr std::size_t kLongest = 76;  ///< of a part: three, two slashes and numbers behind them fit into 250

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/// As experiment files have it.
std::string toml_text(const toml::node& node) {
  if (const toml::array* list = node.as_array()) {
    std::string result;
    for (const toml::node& each : *list) result += (result.empty() ? "" : ", ") + toml_text(each);
    return "[" + result + "]";
  }
  if (const auto* string = node.as_string()) return to_text(ParameterValue(string->get()));
  if (const auto* real = node.as_floating_point()) return to_text(ParameterValue(real->get()));
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  return out.str();
}

std::string value_text(const toml::node& node) {
  const auto* string = node.as_string();
  return string != nullptr ? string->get() : toml_text(node);
}

void flatten(const toml::table& table, const std::string& prefix,
             std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, name + ".", values);
    } else {
      values.emplace_back(name, value_text(node));
    }
  }
}

}  // namespace

std::string allowed(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (!is_allowed(c)) {
      if (!result.empty() && result.back() != ' ') result += ' ';
    } else if (c != '.' || !result.empty()) {
      result += c;
    }
  }
  if (result.size() > kLongest) result.resize(kLongest);
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result.empty() ? "unnamed" : result;
}

std::string Names::of(std::initializer_list<std::string_view> parts) {
  std::string name, thing;
  for (const std::string_view& part : parts) {
    // A folder and a file of one name are two things, and so get two names.
    thing += std::string(part) + (&part == parts.end() - 1 ? "\nfile" : "\nfolder\n");
    name = names_.name_of(thing, (name.empty() ? "" : name + "/") + allowed(part));
  }
  return name;
}

std::vector<std::pair<std::string, std::string>> flattened(const std::string& toml) {
  std::vector<std::pair<std::string, std::string>> values;
  try {
    flatten(toml::parse(toml), "", values);
  } catch (const toml::parse_error& e) {
    throw failure(text("the resolved experiment is not TOML: line ", e.source().begin.line, ": ", e.description()));
  }
  return values;
}

std::string shortened(const std::string& words, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < words.size(); ++i)
    if ((static_cast<unsigned char>(words[i]) & 0xc0) != 0x80 && characters++ == most) return words.substr(0, i);
  return words;
}

}  // namespace osteon::mlflow
