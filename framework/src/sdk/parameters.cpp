#include <osteon/error.hpp>
#include <osteon/parameters.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace osteon {

namespace {

std::string number_text(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string result(digits, end);
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result;
}

/// A basic string of TOML, which allows no control characters but those that are escaped.
std::string quoted(const std::string& value) {
  std::string result = "\"";
  for (const char c : value) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (code < 0x20 || code == 0x7F) {
      static constexpr char kDigits[] = "0123456789abcdef";
      result += std::string("\\u00") + kDigits[code >> 4] + kDigits[code & 15];
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
  }
  return result + '"';
}

template <class Items, class Print>
std::string list_text(const Items& items, Print print) {
  std::string result = "[";
  for (std::size_t i = 0; i < items.size(); ++i) result += (i ? ", " : "") + print(items[i]);
  return result + "]";
}

struct Printer {
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return number_text(v); }
  std::string operator()(const std::string& v) const { return quoted(v); }
  std::string operator()(const std::vector<std::int64_t>& v) const {
    return list_text(v, [](std::int64_t x) { return std::to_string(x); });
  }
  std::string operator()(const std::vector<double>& v) const { return list_text(v, number_text); }
  std::string operator()(const std::vector<std::string>& v) const { return list_text(v, quoted); }
};

/// A bound as a person writes it: 4, not 4.0; 1000000, not 1e+06.
std::string bound_text(double value) {
  if (std::trunc(value) == value && std::abs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  std::string result = number_text(value);
  if (result.ends_with(".0")) result.resize(result.size() - 2);
  return result;
}

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

Parameter declare(std::string name, Parameter::Type type, ParameterValue standard, std::string sentence) {
  Parameter parameter;
  parameter.name = std::move(name);
  parameter.type = type;
  parameter.standard = std::move(standard);
  parameter.sentence = std::move(sentence);
  return parameter;
}

}  // namespace

std::string to_text(const ParameterValue& value) { return std::visit(Printer{}, value); }

Parameter Parameter::flag(std::string name, bool standard, std::string sentence) {
  return declare(std::move(name), Type::flag, standard, std::move(sentence));
}
Parameter Parameter::integer(std::string name, std::int64_t standard, std::string sentence) {
  return declare(std::move(name), Type::integer, standard, std::move(sentence));
}
Parameter Parameter::real(std::string name, double standard, std::string sentence) {
  return declare(std::move(name), Type::real, standard, std::move(sentence));
}
Parameter Parameter::text(std::string name, std::string standard, std::string sentence) {
  return declare(std::move(name), Type::text, std::move(standard), std::move(sentence));
}
Parameter Parameter::integers(std::string name, std::vector<std::int64_t> standard, std::string sentence) {
  return declare(std::move(name), Type::integers, std::move(standard), std::move(sentence));
}
Parameter Parameter::reals(std::string name, std::vector<double> standard, std::string sentence) {
  return declare(std::move(name), Type::reals, std::move(standard), std::move(sentence));
}
Parameter Parameter::texts(std::string name, std::vector<std::string> standard, std::string sentence) {
  return declare(std::move(name), Type::texts, std::move(standard), std::move(sentence));
}
Parameter Parameter::path(std::string name, std::string standard, std::string sentence) {
  return declare(std::move(name), Type::path, std::move(standard), std::move(sentence)).not_in_key();
}

Parameter& Parameter::unit(std::string unit) { return unit_text = std::move(unit), *this; }
Parameter& Parameter::at_least(double bound) { return low = bound, low_open = false, *this; }
Parameter& Parameter::at_most(double bound) { return high = bound, high_open = false, *this; }
Parameter& Parameter::above(double bound) { return low = bound, low_open = true, *this; }
Parameter& Parameter::below(double bound) { return high = bound, high_open = true, *this; }
Parameter& Parameter::one_of(std::initializer_list<const char*> allowed) {
  choices.assign(allowed.begin(), allowed.end());
  return *this;
}
Parameter& Parameter::one_of(std::vector<std::string> allowed) { return choices = std::move(allowed), *this; }
Parameter& Parameter::one_of(std::vector<std::int64_t> allowed) {
  for (const std::int64_t choice : allowed) choices.push_back(std::to_string(choice));
  return *this;
}
Parameter& Parameter::length_at_least(std::size_t count) { return least_length = count, *this; }
Parameter& Parameter::required() { return is_required = true, *this; }
Parameter& Parameter::not_in_key() { return in_key = false, *this; }

std::optional<std::string> Parameter::refusal(const ParameterValue& value) const {
  const auto check_number = [this](double number) -> std::optional<std::string> {
    const bool too_low = low_open ? !(number > low) : !(number >= low);
    const bool too_high = high_open ? !(number < high) : !(number <= high);
    if (!std::isfinite(number)) return bound_text(number) + " is not a finite number";
    if (too_low) return bound_text(number) + " is not " + (low_open ? "above " : "at least ") + bound_text(low);
    if (too_high) return bound_text(number) + " is not " + (high_open ? "below " : "at most ") + bound_text(high);
    return std::nullopt;
  };
  const auto check_choice = [this](const std::string& word) -> std::optional<std::string> {
    if (choices.empty() || std::ranges::find(choices, word) != choices.end()) return std::nullopt;
    return (type == Type::integer || type == Type::integers ? word : quoted(word)) + " is not one of " + join(choices);
  };
  const auto check_one = [&](const auto& one) -> std::optional<std::string> {
    using T = std::decay_t<decltype(one)>;
    if constexpr (std::is_same_v<T, bool>) {
      return std::nullopt;
    } else if constexpr (std::is_same_v<T, std::string>) {
      return check_choice(one);
    } else {
      if (!choices.empty()) return check_choice(std::to_string(one));
      return check_number(static_cast<double>(one));
    }
  };
  return std::visit(
      [&](const auto& held) -> std::optional<std::string> {
        if constexpr (requires {
                        held.begin();
                        held.front();
                      } &&
                      !std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          if (held.size() < least_length)
            return osteon::text("has ", held.size(), " entries; at least ", least_length, " are needed");
          for (const auto& one : held)
            if (auto reason = check_one(one)) return reason;
          return std::nullopt;
        } else {
          return check_one(held);
        }
      },
      value);
}

std::string Parameter::range_text() const {
  static constexpr const char* kNames[] = {"true or false",    "integer",       "real",          "text",
                                           "list of integers", "list of reals", "list of texts", "path"};
  if (!choices.empty())
    return std::string(least_length || type >= Type::integers ? "each one of " : "one of ") + join(choices);
  std::string result = kNames[static_cast<int>(type)];
  if (std::isfinite(low)) result += std::string(low_open ? ", above " : ", at least ") + bound_text(low);
  if (std::isfinite(high)) result += std::string(high_open ? ", below " : ", at most ") + bound_text(high);
  return result;
}

Parameters::Parameters(const Schema& schema, const std::map<std::string, ParameterValue>& given) {
  for (const auto& [name, value] : given)
    if (schema.find(name) == nullptr) throw Error("unknown parameter \"" + name + "\"");
  for (const Parameter& parameter : schema.parameters) {
    const auto found = given.find(parameter.name);
    if (found == given.end() && parameter.is_required)
      throw Error("parameter \"" + parameter.name + "\" must be given");
    const ParameterValue& value = found == given.end() ? parameter.standard : found->second;
    if (value.index() != parameter.standard.index())
      throw Error("parameter \"" + parameter.name + "\" must be " + parameter.range_text() + "; it is " +
                  osteon::to_text(value));
    if (found != given.end())
      if (const auto reason = parameter.refusal(value)) throw Error("parameter \"" + parameter.name + "\": " + *reason);
    values_[parameter.name] = value;
    if (parameter.in_key) key_names_.insert(parameter.name);
  }
}

template <class T>
const T& Parameters::get(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end()) throw failure("reads parameter \"" + std::string(name) + "\", which it does not declare");
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) throw failure("reads parameter \"" + std::string(name) + "\" as another type than it declares");
  read_.insert(found->first);
  return *value;
}

bool Parameters::flag(std::string_view name) const { return get<bool>(name); }
std::int64_t Parameters::integer(std::string_view name) const { return get<std::int64_t>(name); }
double Parameters::real(std::string_view name) const { return get<double>(name); }
const std::string& Parameters::text(std::string_view name) const { return get<std::string>(name); }
std::filesystem::path Parameters::path(std::string_view name) const { return get<std::string>(name); }
const std::vector<std::int64_t>& Parameters::integers(std::string_view name) const {
  return get<std::vector<std::int64_t>>(name);
}
const std::vector<double>& Parameters::reals(std::string_view name) const { return get<std::vector<double>>(name); }
const std::vector<std::string>& Parameters::texts(std::string_view name) const {
  return get<std::vector<std::string>>(name);
}

std::map<std::string, std::string> Parameters::canonical() const {
  std::map<std::string, std::string> result;
  for (const std::string& name : key_names_) result[name] = osteon::to_text(values_.at(name));
  return result;
}

std::vector<std::string> Parameters::unread() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_)
    if (!read_.contains(name)) names.push_back(name);
  return names;
}

}  // namespace osteon
