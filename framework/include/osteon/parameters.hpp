#pragma once

// A plugin (and each section of the framework) declares its parameters once. From this one declaration come parsing,
// range checks, `osteon describe`, the reference, the cache key and the error for a misspelt key.

#include <osteon/export.hpp>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace osteon {

using ParameterValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                    std::vector<double>, std::vector<std::string>>;

/// How a value prints in TOML, in `describe` and in a cache key: shortest form that reads back to the same value.
OSTEON_API std::string to_text(const ParameterValue& value);

/// One declared parameter:
/// `Parameter::real("margin", 0.1, "Least gap between …").above(0).at_most(4)`.
class OSTEON_API Parameter {
 public:
  /// The order is that of the alternatives of `ParameterValue`; a path is a string that the experiment file's folder
  /// resolves.
  enum class Type { flag, integer, real, text, integers, reals, texts, path };

  static Parameter flag(std::string name, bool standard, std::string sentence);
  static Parameter integer(std::string name, std::int64_t standard, std::string sentence);
  static Parameter real(std::string name, double standard, std::string sentence);
  static Parameter text(std::string name, std::string standard, std::string sentence);
  static Parameter integers(std::string name, std::vector<std::int64_t> standard, std::string sentence);
  static Parameter reals(std::string name, std::vector<double> standard, std::string sentence);
  static Parameter texts(std::string name, std::vector<std::string> standard, std::string sentence);
  /// A file or folder; "" means none. Never part of a cache key: what is read from it is.
  static Parameter path(std::string name, std::string standard, std::string sentence);

  Parameter& unit(std::string unit);
  Parameter& at_least(double bound);
  Parameter& at_most(double bound);
  Parameter& above(double bound);
  Parameter& below(double bound);
  Parameter& one_of(std::initializer_list<const char*> choices);
  Parameter& one_of(std::vector<std::string> choices);
  Parameter& one_of(std::vector<std::int64_t> choices);
  /// Lists only: fewest entries.
  Parameter& length_at_least(std::size_t count);
  /// The file must give it; there is no default.
  Parameter& required();
  /// Says how much or how fast, never what: not part of a cache key (how many specimens, a progress interval).
  Parameter& not_in_key();

  /// The reason why `value` is not allowed, or nothing. The type must already be right.
  [[nodiscard]] std::optional<std::string> refusal(const ParameterValue& value) const;
  /// "real, above 0, at most 4" or "one of 18, 34, 50".
  [[nodiscard]] std::string range_text() const;

  std::string name;
  Type type = Type::flag;
  ParameterValue standard;
  std::string sentence;
  std::string unit_text;
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;
  std::vector<std::string> choices;  ///< as text, for integers too
  std::size_t least_length = 0;
  bool is_required = false;
  bool in_key = true;
};

struct Schema {
  std::string summary;  ///< one sentence, with the source of the method
  std::vector<Parameter> parameters;

  [[nodiscard]] const Parameter* find(std::string_view name) const {
    for (const Parameter& p : parameters)
      if (p.name == name) return &p;
    return nullptr;
  }
};

/// The values of one plugin or section: every declared parameter has one. Reading a name or type that was not declared
/// is a bug of the plugin and throws a failure that says so.
class OSTEON_API Parameters {
 public:
  Parameters() = default;
  /// `given` over the defaults of `schema`. Throws `Error` for unknown names, wrong types, values out of range and
  /// missing required ones. (The host reports these with positions before it comes to this.)
  Parameters(const Schema& schema, const std::map<std::string, ParameterValue>& given);

  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double real(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] std::filesystem::path path(std::string_view name) const;
  [[nodiscard]] const std::vector<std::int64_t>& integers(std::string_view name) const;
  [[nodiscard]] const std::vector<double>& reals(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& texts(std::string_view name) const;

  /// What enters a cache key: name → text of every parameter that is `in_key`, in order of name.
  [[nodiscard]] std::map<std::string, std::string> canonical() const;
  [[nodiscard]] const std::map<std::string, ParameterValue>& values() const { return values_; }
  /// Declared names that nobody has read yet; the contract suite wants none after construction.
  [[nodiscard]] std::vector<std::string> unread() const;

 private:
  template <class T>
  const T& get(std::string_view name) const;

  std::map<std::string, ParameterValue> values_;
  std::set<std::string> key_names_;
  mutable std::set<std::string> read_;
};

}  // namespace osteon
