// What a plugin says of itself: descriptor and parameters.

#include "contract/kind.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace osteon::contract {

namespace {

namespace fs = std::filesystem;

/// The nearest values beyond a bound that the type has.
double beyond(const Parameter& parameter, double bound, bool is_open, double direction) {
  if (is_open) return bound;
  if (parameter.type == Parameter::Type::integer || parameter.type == Parameter::Type::integers)
    return bound + direction;
  return std::nextafter(bound, direction * std::numeric_limits<double>::infinity());
}

ParameterValue typed(const Parameter& parameter, double number) {
  const std::size_t entries = std::max<std::size_t>(1, parameter.least_length);
  switch (parameter.type) {
    case Parameter::Type::integer:
      return static_cast<std::int64_t>(number);
    case Parameter::Type::integers:
      return std::vector<std::int64_t>(entries, static_cast<std::int64_t>(number));
    case Parameter::Type::reals:
      return std::vector<double>(entries, number);
    default:
      return number;
  }
}

std::string quoted_name(const Parameter& parameter) { return text("parameter \"", parameter.name, "\""); }

/// What the host says of a value, from the declaration alone.
std::string host_refusal(const Parameter& parameter, const ParameterValue& value) {
  Schema alone;
  alone.parameters = {parameter};
  try {
    (void)Parameters(alone, {{parameter.name, value}});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void check_bound(const Parameter& parameter, double bound, bool is_open, double direction) {
  if (!std::isfinite(bound)) return;
  const ParameterValue value = typed(parameter, beyond(parameter, bound, is_open, direction));
  const std::string refusal = host_refusal(parameter, value);
  const std::string expected = text(osteon::to_text(value), " to be refused by its bound, ", to_text(bound));
  expect(!refusal.empty(), quoted_name(parameter), expected, "it accepted");
  expect(refusal.find(direction < 0 ? is_open ? "above" : "at least"
                      : is_open     ? "below"
                                    : "at most") != std::string::npos &&
             refusal.find(parameter.name) != std::string::npos,
         quoted_name(parameter), expected, "\"" + refusal + "\"");
}

void check_declaration(const Parameter& parameter) {
  using Type = Parameter::Type;
  const std::string what = quoted_name(parameter);
  expect(!parameter.sentence.empty(), what, "a sentence that says what it is", "none");
  expect(!parameter.name.empty() &&
             parameter.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos,
         what, "a name of lower case letters, digits and underscores", "\"" + parameter.name + "\"");
  const bool is_number = parameter.type == Type::integer || parameter.type == Type::integers ||
                         parameter.type == Type::real || parameter.type == Type::reals;
  expect(is_number || (!std::isfinite(parameter.low) && !std::isfinite(parameter.high)), what,
         "no bound, which only a number can have", parameter.range_text());
  expect(parameter.low < parameter.high || (parameter.low == parameter.high && !parameter.low_open), what,
         "bounds between which a value can lie", parameter.range_text());
  if (!parameter.is_required) {
    const auto reason = parameter.refusal(parameter.standard);
    expect(!reason, what, "a default that it allows", reason.value_or(""));
  }
  if (parameter.choices.empty()) {
    check_bound(parameter, parameter.low, parameter.low_open, -1);
    check_bound(parameter, parameter.high, parameter.high_open, 1);
    return;
  }
  // The host asks either the choices or the bounds.
  for (const std::string& choice : parameter.choices)
    if (is_number) {
      const double number = std::stod(choice);
      expect((parameter.low_open ? number > parameter.low : number >= parameter.low) &&
                 (parameter.high_open ? number < parameter.high : number <= parameter.high),
             what,
             text(choice, " to be refused by its bound, ",
                  Parameter(parameter).one_of(std::vector<std::string>{}).range_text()),
             "it accepted as one of its choices");
    }
  if (parameter.type == Type::text) {
    const std::string other = parameter.choices.front() + "_", refusal = host_refusal(parameter, other);
    expect(refusal.find(parameter.name) != std::string::npos && refusal.find(other) != std::string::npos, what,
           text("\"", other, "\" to be refused, as it is none of its choices"),
           refusal.empty() ? "it accepted" : refusal);
  }
}

/// What the plugin itself says of a value that it has declared as allowed.
void check_accepted(const Candidate& candidate, const Parameter& parameter, const ParameterValue& value) {
  std::map<std::string, ParameterValue> values = candidate.given();
  values[parameter.name] = value;
  try {
    (void)candidate.plugin().descriptor->create(Parameters(candidate.plugin().schema, values));
  } catch (const Error& error) {
    // Another parameter may forbid it, or this machine (a device that it lacks): that is the user's to repair.
    expect(error.cause() == Error::Cause::mistake, quoted_name(parameter),
           text(osteon::to_text(value), ", which it declares, to be accepted"), error.what());
  } catch (const std::exception& error) {
    throw Broken{text(quoted_name(parameter), ": expected ", osteon::to_text(value),
                      ", which it declares, to be accepted, found: ", words_of(error))};
  }
}

void check_allowed_values(const Candidate& candidate, const Parameter& parameter) {
  using Type = Parameter::Type;
  if (candidate.given().contains(parameter.name)) return;
  if (parameter.type == Type::flag)
    for (const bool value : {false, true}) check_accepted(candidate, parameter, value);
  if (parameter.type == Type::text)
    for (const std::string& choice : parameter.choices) check_accepted(candidate, parameter, choice);
  if (parameter.type != Type::integer && parameter.type != Type::real) return;
  if (parameter.type == Type::integer)
    for (const std::string& choice : parameter.choices)
      check_accepted(candidate, parameter, std::int64_t{std::stoll(choice)});
  if (!parameter.choices.empty()) return;
  if (std::isfinite(parameter.low) && !parameter.low_open)
    check_accepted(candidate, parameter, typed(parameter, parameter.low));
  if (std::isfinite(parameter.high) && !parameter.high_open)
    check_accepted(candidate, parameter, typed(parameter, parameter.high));
}

}  // namespace

std::string check_descriptor(const Candidate& candidate, const fs::path& library) {
  const host::LoadedPlugin& plugin = candidate.plugin();
  const host::Stamp stamp = host::probe(library);
  expect(plugin.id() == stamp.kind + "/" + stamp.name, "the descriptor",
         stamp.kind + "/" + stamp.name + ", as its symbol says", plugin.id());
  const std::string version = plugin.descriptor->version == nullptr ? "" : plugin.descriptor->version;
  expect(!version.empty() && version.find_first_not_of("0123456789.") == std::string::npos && version.front() != '.' &&
             version.back() != '.' && version.find('.') != std::string::npos,
         "the version", "numbers like 0.1.0", "\"" + version + "\"");
  expect(!plugin.schema.summary.empty(), "the schema", "a sentence that says what the plugin is", "none");
  return text(plugin.id(), " ", version, ", build ", plugin.build_id.substr(0, 12), ", ", stamp.build);
}

std::string check_parameters(const Candidate& candidate) {
  const Schema& schema = candidate.plugin().schema;
  std::set<std::string> names;
  for (const Parameter& parameter : schema.parameters) {
    expect(names.insert(parameter.name).second, quoted_name(parameter), "one declaration", "a second one");
    check_declaration(parameter);
  }
  Parameters values;
  try {
    values = candidate.parameters();
  } catch (const NotRun& missing) {
    return text(schema.parameters.size(), " declared; bounds refuse; not made, as ", missing.why);
  }
  try {
    (void)candidate.plugin().descriptor->create(values);
  } catch (const std::exception& error) {
    throw Broken{text("its defaults: expected to be accepted, found: ", words_of(error))};
  }
  const std::vector<std::string> unread = values.unread();
  expect(unread.empty(), unread.empty() ? "" : text("parameter \"", unread.front(), "\""),
         "to be read when the plugin is made", "that nobody asks for it");
  for (const Parameter& parameter : schema.parameters) check_allowed_values(candidate, parameter);
  return text(schema.parameters.size(), " declared; defaults accepted; bounds and other choices refused");
}

}  // namespace osteon::contract
