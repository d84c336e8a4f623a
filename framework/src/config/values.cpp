// TOML values → declared parameters.

#include "config/check.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

namespace osteon::config {

namespace fs = std::filesystem;

namespace {

/// The largest real below which every integral real has one integer.
constexpr double kLargestExact = 9007199254740992.0;

std::optional<std::int64_t> as_integer(const Value& value) {
  if (value.type == Value::Type::integer) return std::get<std::int64_t>(value.scalar);
  if (value.type != Value::Type::real) return std::nullopt;
  const double real = std::get<double>(value.scalar);
  if (std::trunc(real) != real || std::abs(real) > kLargestExact) return std::nullopt;
  return static_cast<std::int64_t>(real);
}

std::optional<double> as_real(const Value& value) {
  if (value.type == Value::Type::real) return std::get<double>(value.scalar);
  if (value.type == Value::Type::integer) return static_cast<double>(std::get<std::int64_t>(value.scalar));
  return std::nullopt;
}

/// The value in the declared type, or nothing when its type is another one. Lists come item by item.
std::optional<ParameterValue> in_type(Parameter::Type type, const Value& value) {
  switch (type) {
    case Parameter::Type::flag:
      if (value.type == Value::Type::flag) return std::get<bool>(value.scalar);
      return std::nullopt;
    case Parameter::Type::integer:
    case Parameter::Type::integers:
      return as_integer(value);
    case Parameter::Type::real:
    case Parameter::Type::reals:
      return as_real(value);
    default:
      if (value.type == Value::Type::text) return std::get<std::string>(value.scalar);
      return std::nullopt;
  }
}

template <class T>
ParameterValue list_of(const std::vector<ParameterValue>& items) {
  std::vector<T> list;
  for (const ParameterValue& item : items) list.push_back(std::get<T>(item));
  return list;
}

std::string wrong_type(const Parameter& parameter, const Value& value) {
  return text(": must be ", parameter.range_text(), "; found ", value.describe());
}

/// A misspelt choice is worth a suggestion.
std::string near_choice(const Parameter& parameter, const Value& value) {
  return value.type == Value::Type::text && !parameter.choices.empty() ? suggestion(value.as_text(), parameter.choices)
                                                                       : "";
}

/// "(real, above 0)", "(one of a, b)"
std::string unit_and_range(const Parameter& parameter) {
  return text("(", parameter.range_text(), parameter.unit_text.empty() ? "" : ", ", parameter.unit_text, ")");
}

std::string all_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Parameter& parameter : schema.parameters) names.push_back(parameter.name);
  return names.empty() ? "; it has no parameters" : "; it has " + join(names, ", ");
}

std::vector<std::string> names_of(const Schema& schema, bool is_plugin) {
  std::vector<std::string> names;
  for (const Parameter& parameter : schema.parameters) names.push_back(parameter.name);
  if (is_plugin) names.emplace_back("plugin");
  return names;
}

bool same(const Place& a, const Place& b) { return a.source == b.source && a.line == b.line && a.column == b.column; }

/// The same words at the same places.
bool same(const Value& a, const Value& b) {
  return a.type == b.type && a.scalar == b.scalar && same(a.place, b.place) &&
         std::ranges::equal(a.items, b.items, [](const Value& one, const Value& other) { return same(one, other); }) &&
         std::ranges::equal(a.entries, b.entries, [](const Entry& one, const Entry& other) {
           return one.key == other.key && same(one.key_place, other.key_place) && same(one.value, other.value);
         });
}

}  // namespace

std::shared_ptr<const Checker::Part> Checker::fill(const Section& section, const PluginChoice& choice) {
  std::shared_ptr<const Part>& last = last_[section.path];
  const bool is_known =
      last != nullptr && last->owner == section.owner && same(last->table, section.table ? *section.table : Value());
  const std::shared_ptr<const Part> part = is_known ? last : read_part(section, choice);
  if (part == nullptr) return nullptr;
  experiment_.origins.add({part, &part->origins});
  experiment_.path_parameters.insert(part->paths.begin(), part->paths.end());
  if (mistakes_->files_must_exist) last = part;
  return part;
}

std::shared_ptr<const Checker::Part> Checker::read_part(const Section& section, const PluginChoice& choice) {
  auto part = std::make_shared<Part>(Part{section.owner, section.table ? *section.table : Value(), choice, {}, {}});
  std::map<std::string, ParameterValue> given;
  bool is_right = true;
  const Value& table = part->table;
  for (const auto& [key, place, value] : table.entries) {
    const std::string path = section.path + "." + key;
    part->origins[path] = value.place.text();
    if (section.is_plugin && key == "plugin") continue;
    const Parameter* parameter = section.schema.find(key);
    if (parameter == nullptr) {
      is_right = false;
      mistakes_->add(place,
                     path + ": unknown parameter of " + section.owner +
                         suggestion(key, names_of(section.schema, section.is_plugin), all_names(section.schema)));
    } else if (auto read_value = read(*parameter, value, path)) {
      given[key] = std::move(*read_value);
    } else {
      is_right = false;
    }
  }
  for (const Parameter& parameter : section.schema.parameters) {
    if (parameter.type == Parameter::Type::path) part->paths.push_back(section.path + "." + parameter.name);
    if (!parameter.is_required || table.entry(parameter.name) != nullptr) continue;
    is_right = false;
    if (mistakes_->incomplete) continue;
    const Place& place = table.place.source == nullptr ? main_ : table.place;
    mistakes_->add(place, section.path + "." + parameter.name + ": must be given; add " + parameter.name + " = … " +
                              unit_and_range(parameter) + " to [" + section.path + "]");
  }
  if (!is_right) return nullptr;
  part->choice.parameters = Parameters(section.schema, given);
  return part;
}

std::optional<ParameterValue> Checker::read(const Parameter& parameter, const Value& value, const std::string& path) {
  if (parameter.type >= Parameter::Type::integers && parameter.type <= Parameter::Type::texts)
    return read_list(parameter, value, path);
  auto result = in_type(parameter.type, value);
  if (!result) {
    mistakes_->add(value.place, path + wrong_type(parameter, value));
    return std::nullopt;
  }
  if (parameter.type == Parameter::Type::path) return read_path(value, path);
  if (const auto reason = parameter.refusal(*result)) {
    mistakes_->add(value.place, path + ": " + *reason + near_choice(parameter, value));
    return std::nullopt;
  }
  return result;
}

std::optional<ParameterValue> Checker::read_list(const Parameter& parameter, const Value& list,
                                                 const std::string& path) {
  if (list.type != Value::Type::list) {
    mistakes_->add(list.place, path + wrong_type(parameter, list));
    return std::nullopt;
  }
  const auto as_list = [&](const std::vector<ParameterValue>& items) {
    if (parameter.type == Parameter::Type::integers) return list_of<std::int64_t>(items);
    if (parameter.type == Parameter::Type::reals) return list_of<double>(items);
    return list_of<std::string>(items);
  };
  Parameter of_any_length = parameter;
  of_any_length.least_length = 0;
  std::vector<ParameterValue> items;
  for (const Value& item : list.items) {
    const auto one = in_type(parameter.type, item);
    if (!one) {
      mistakes_->add(item.place, path + wrong_type(parameter, item));
    } else if (const auto reason = of_any_length.refusal(as_list({*one}))) {
      mistakes_->add(item.place, path + ": " + *reason + near_choice(parameter, item));
    } else {
      items.push_back(*one);
    }
  }
  if (items.size() < list.items.size()) return std::nullopt;
  if (const auto reason = parameter.refusal(as_list(items))) {
    mistakes_->add(list.place, path + ": " + *reason);
    return std::nullopt;
  }
  return as_list(items);
}

std::optional<ParameterValue> Checker::read_path(const Value& value, const std::string& path) {
  const std::string& given = std::get<std::string>(value.scalar);
  if (given.empty()) return given;
  fs::path whole = (value.place.source->folder / given).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  std::error_code ignored;
  if (mistakes_->files_must_exist && !fs::exists(whole, ignored)) {
    mistakes_->add(value.place, path + ": no such file or folder: " + whole.string(), true);
    return std::nullopt;
  }
  return whole.string();
}

}  // namespace osteon::config
