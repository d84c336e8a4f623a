// A plugin under test, with its defaults, with what the user gave, and with other values.

#include "contract/kind.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace osteon::contract {

namespace {

template <class Number>
Number number_from(const Parameter& parameter, const std::string& word) {
  Number value{};
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc() || end != word.data() + word.size())
    throw SettingMistake{
        text("--set ", parameter.name, "=", word, ": must be ", parameter.range_text(), "; found \"", word, "\"")};
  return value;
}

/// "[1, 2]" or "1,2" → its items.
std::vector<std::string> items_of(std::string words) {
  std::erase_if(words, [](char c) { return c == '[' || c == ']' || c == ' ' || c == '"'; });
  std::vector<std::string> items;
  std::istringstream in(words);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  return items;
}

ParameterValue value_from(const Parameter& parameter, const std::string& word) {
  using Type = Parameter::Type;
  switch (parameter.type) {
    case Type::flag:
      if (word != "true" && word != "false")
        throw SettingMistake{text("--set ", parameter.name, "=", word, ": must be true or false")};
      return word == "true";
    case Type::integer:
      return number_from<std::int64_t>(parameter, word);
    case Type::real:
      return number_from<double>(parameter, word);
    case Type::integers: {
      std::vector<std::int64_t> list;
      for (const std::string& item : items_of(word)) list.push_back(number_from<std::int64_t>(parameter, item));
      return list;
    }
    case Type::reals: {
      std::vector<double> list;
      for (const std::string& item : items_of(word)) list.push_back(number_from<double>(parameter, item));
      return list;
    }
    case Type::texts:
      return items_of(word);
    default:
      return word;
  }
}

/// A number between the standard value and the lower bound, or half of it: what costs, costs less.
double smaller(const Parameter& parameter, double standard) {
  if (std::isfinite(parameter.low) && parameter.low < standard) return (standard + parameter.low) / 2;
  if (std::isfinite(parameter.high) && parameter.high > standard) return (standard + parameter.high) / 2;
  return standard == 0 ? 1 : standard / 2;
}

std::optional<ParameterValue> other_value(const Parameter& parameter) {
  std::optional<ParameterValue> other;
  if (const auto* flag = std::get_if<bool>(&parameter.standard)) {
    other = !*flag;
  } else if (!parameter.choices.empty() && parameter.type <= Parameter::Type::text) {
    for (const std::string& choice : parameter.choices) {
      const ParameterValue value = value_from(parameter, choice);
      if (value != parameter.standard) {
        other = value;
        break;
      }
    }
  } else if (const auto* integer = std::get_if<std::int64_t>(&parameter.standard)) {
    other = static_cast<std::int64_t>(smaller(parameter, static_cast<double>(*integer)));
  } else if (const auto* real = std::get_if<double>(&parameter.standard)) {
    other = smaller(parameter, *real);
  }
  if (!other || *other == parameter.standard || parameter.refusal(*other)) return std::nullopt;
  return other;
}

}  // namespace

Candidate::Candidate(const host::LoadedPlugin& plugin, const std::vector<std::string>& settings) : plugin_(&plugin) {
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const Parameter* parameter = plugin.schema.find(name);
    if (equals == std::string::npos) throw SettingMistake{"--set " + setting + ": must be NAME=VALUE"};
    if (parameter == nullptr) {
      std::vector<std::string> names;
      for (const Parameter& each : plugin.schema.parameters) names.push_back(each.name);
      const std::string near = host::nearest_word(name, names);
      throw SettingMistake{text("--set ", setting, ": ", plugin.id(), " has no parameter \"", name, "\"",
                                near.empty() ? "" : "; did you mean \"" + near + "\"?")};
    }
    const ParameterValue value = value_from(*parameter, setting.substr(equals + 1));
    if (const auto reason = parameter->refusal(value)) throw SettingMistake{text("--set ", setting, ": ", *reason)};
    given_[name] = value;
  }
}

Parameters Candidate::parameters() const {
  for (const Parameter& parameter : plugin_->schema.parameters)
    if (parameter.is_required && !given_.contains(parameter.name))
      throw NotRun{text("\"", parameter.name, "\" must be given: --set ", parameter.name, "=…")};
  return {plugin_->schema, given_};
}

Parameters Candidate::other_parameters() const {
  std::map<std::string, ParameterValue> values = given_;
  for (const Parameter& parameter : plugin_->schema.parameters)
    if (!given_.contains(parameter.name))
      if (const auto other = other_value(parameter)) values[parameter.name] = *other;
  return {plugin_->schema, values};
}

}  // namespace osteon::contract
