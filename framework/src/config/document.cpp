// toml++ (Mark Gillard) → the tree of document.hpp.

#include "config/document.hpp"

#include <osteon/parameters.hpp>

#include <algorithm>
#include <cctype>
#include <string>
#include <tuple>
#include <utility>

#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace osteon::config {

namespace {

Place place_of(const toml::source_region& region, const std::shared_ptr<const Source>& source) {
  Place place{source, 0, 0, 1};
  if (source->lines.empty()) return place;
  place.line = static_cast<int>(region.begin.line);
  place.column = static_cast<int>(region.begin.column);
  int end = static_cast<int>(region.end.column);
  if (region.end.line > region.begin.line && place.line <= static_cast<int>(source->lines.size()))
    end = characters(source->lines[static_cast<std::size_t>(place.line) - 1]) + 1;
  place.length = std::max(1, end - place.column);
  return place;
}

/// toml++ makes of a key like a.b.c tables in each other without a limit, and whatever walks the tree, toml++ first,
/// goes as deep as the key has parts: some ten thousand end the program. So keys are looked at before it gets the
/// document.
class KeyLengths {
 public:
  KeyLengths(std::string_view bytes, const std::shared_ptr<const Source>& source) : rest_(bytes), source_(source) {}

  /// Throws `SyntaxError` at the first key of too many parts.
  void check() {
    constexpr int kMostParts = 32;
    int dots = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"' || c == '\'') {
        pass_text(c);
      } else if (c == '#') {
        pass(std::min(rest_.find('\n'), rest_.size()));
      } else {
        if (c == '.')
          ++dots;
        else if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-' && c != ' ' && c != '\t')
          dots = 0;
        if (dots >= kMostParts)
          throw SyntaxError{Place{source_, source_->lines.empty() ? 0 : line_, 1, 1},
                            "not valid here: a key of more than " + std::to_string(kMostParts) +
                                " parts; keys of an experiment have two or three"};
        pass(1);
      }
    }
  }

 private:
  void pass(std::size_t count) {
    line_ += static_cast<int>(std::ranges::count(rest_.substr(0, count), '\n'));
    rest_.remove_prefix(std::min(count, rest_.size()));
  }

  /// A text in quotes, of one line or of several. One that does not end is toml++'s to complain of.
  void pass_text(char quote) {
    const std::string triple(3, quote);
    const bool is_long = rest_.starts_with(triple);
    std::size_t at = is_long ? 3 : 1;
    for (; at < rest_.size(); ++at) {
      if (rest_[at] == '\\' && quote == '"')
        ++at;
      else if (is_long ? rest_.substr(at).starts_with(triple) : rest_[at] == quote || rest_[at] == '\n')
        break;
    }
    at += is_long ? 3 : 1;
    // A long text may end with up to two quotes of its own.
    for (int more = 0; is_long && more < 2 && at < rest_.size() && rest_[at] == quote; ++more) ++at;
    pass(at);
  }

  std::string_view rest_;
  const std::shared_ptr<const Source>& source_;
  int line_ = 1;
};

Value convert(const toml::node& node, const std::shared_ptr<const Source>& source);

std::vector<Entry> convert_entries(const toml::table& table, const std::shared_ptr<const Source>& source) {
  std::vector<std::pair<const toml::key*, const toml::node*>> found;
  for (const auto& [key, node] : table) found.emplace_back(&key, &node);
  std::ranges::stable_sort(
      found, [](const auto& a, const auto& b) { return a.first->source().begin < b.first->source().begin; });
  std::vector<Entry> entries;
  for (const auto& [key, node] : found)
    entries.push_back({std::string(key->str()), place_of(key->source(), source), convert(*node, source)});
  return entries;
}

Value convert(const toml::node& node, const std::shared_ptr<const Source>& source) {
  Value value;
  value.place = place_of(node.source(), source);
  if (const auto* table = node.as_table()) {
    value.type = Value::Type::table;
    value.entries = convert_entries(*table, source);
  } else if (const auto* list = node.as_array()) {
    value.type = Value::Type::list;
    for (const toml::node& item : *list) value.items.push_back(convert(item, source));
  } else if (const auto* flag = node.as_boolean()) {
    value.type = Value::Type::flag;
    value.scalar = flag->get();
  } else if (const auto* integer = node.as_integer()) {
    value.type = Value::Type::integer;
    value.scalar = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.type = Value::Type::real;
    value.scalar = real->get();
  } else if (const auto* text = node.as_string()) {
    value.type = Value::Type::text;
    value.scalar = text->get();
  } else {
    value.type = Value::Type::date;
  }
  return value;
}

/// As TOML, on one line.
std::string literal(const Value& value) {
  std::string result;
  switch (value.type) {
    case Value::Type::date:
      return "a date";
    case Value::Type::list:
      for (const Value& item : value.items) result += (result.empty() ? "" : ", ") + literal(item);
      return "[" + result + "]";
    case Value::Type::table:
      for (const Entry& entry : value.entries)
        result += (result.empty() ? "" : ", ") + entry.key + " = " + literal(entry.value);
      return "{" + result + "}";
    default:
      return std::visit([](const auto& held) { return to_text(held); }, value.scalar);
  }
}

}  // namespace

std::string Place::text() const {
  if (source == nullptr) return "";
  return line > 0 ? source->name + ":" + std::to_string(line) : source->name;
}

const Entry* Value::entry(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

const Value* Value::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

std::string_view Value::as_text() const {
  return type == Type::text ? std::string_view(std::get<std::string>(scalar)) : std::string_view();
}

std::string Value::describe() const {
  static constexpr const char* kNames[] = {"", "integer ", "real ", "text ", "a date", "a list", "a table"};
  const std::string name = kNames[static_cast<int>(type)];
  return type < Type::date ? name + literal(*this) : name;
}

std::string Value::shown() const { return type == Type::text ? std::get<std::string>(scalar) : literal(*this); }

Value parse(std::string_view bytes, const std::shared_ptr<const Source>& source) {
  KeyLengths(bytes, source).check();
  try {
    const toml::table table = toml::parse(bytes, source->name);
    Value root;
    root.place = {source, 0, 0, 1};
    root.entries = convert_entries(table, source);
    return root;
  } catch (const toml::parse_error& error) {
    std::string description(error.description());
    if (!description.empty())
      description[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(description[0])));
    throw SyntaxError{place_of(error.source(), source), "not valid TOML: " + description};
  }
}

Value parse_override(std::string_view word, const std::shared_ptr<const Source>& source) {
  try {
    Value root = parse("value = " + std::string(word), source);
    if (root.entries.size() == 1 && root.entries[0].key == "value") return std::move(root.entries[0].value);
  } catch (const SyntaxError&) {
    // Not TOML: a bare word, but UTF-8 as all TOML.
  }
  return std::move(parse("value = " + to_text(std::string(word)), source).entries.at(0).value);
}

std::vector<std::string> split(std::string_view bytes, char separator) {
  std::vector<std::string> words(1);
  for (const char c : bytes) {
    if (c == separator) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::string join(std::span<const std::string> words, std::string_view separator) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : std::string(separator)) + word;
  return result;
}

int characters(std::string_view bytes) {
  return static_cast<int>(std::ranges::count_if(bytes, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace osteon::config
