#pragma once

// A TOML document as a tree that remembers where each key and value stands, in the file's order. toml++ does the
// parsing (document.cpp, the only file that sees it); its own tables are sorted by key and lose positions when copied.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace osteon::config {

/// A file, or one `--set` of the command line (which has no lines).
struct Source {
  std::string name;              ///< as the user would name it: "experiments/a.toml", "--set loss.margin=0.2"
  std::filesystem::path folder;  ///< absolute; what paths in it are relative to
  int rank = 0;                  ///< mistakes are listed in this order: the file, what it extends, the command line
  std::vector<std::string> lines;
};

/// Where something stands. `line` 0: somewhere in the source.
struct Place {
  std::shared_ptr<const Source> source;
  int line = 0, column = 0;  ///< from 1; columns count characters, not bytes
  int length = 1;            ///< characters, on this line

  /// "experiments/a.toml:12" or "--set loss.margin=0.2"; "" for a place that is nowhere.
  [[nodiscard]] std::string text() const;
};

struct Entry;

struct Value {
  enum class Type { flag, integer, real, text, date, list, table };
  Type type = Type::table;
  std::variant<bool, std::int64_t, double, std::string> scalar;
  std::vector<Value> items;    ///< of a list
  std::vector<Entry> entries;  ///< of a table, in the file's order
  Place place;

  [[nodiscard]] bool is_table() const { return type == Type::table; }
  [[nodiscard]] Value* find(std::string_view key);
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] const Entry* entry(std::string_view key) const;
  /// The text, or "" when it is none.
  [[nodiscard]] std::string_view as_text() const;

  /// How a message names it: `text "a"`, `integer 3`, `a list`.
  [[nodiscard]] std::string describe() const;
  /// How a table of results shows it: 0.1, triplet, {plugin = "…", margin = 0.1}.
  [[nodiscard]] std::string shown() const;
};

struct Entry {
  std::string key;
  Place key_place;
  Value value;
};

/// What is wrong with a document, and where.
struct SyntaxError {
  Place place;
  std::string description;
};

/// Parses `bytes`, whose places will refer to `source`. Throws `SyntaxError`.
[[nodiscard]] Value parse(std::string_view bytes, const std::shared_ptr<const Source>& source);

/// The value after `=` of a `--set`: TOML, or else the word itself as a text. Throws `SyntaxError` when it
/// is not even UTF-8.
[[nodiscard]] Value parse_override(std::string_view word, const std::shared_ptr<const Source>& source);

[[nodiscard]] std::vector<std::string> split(std::string_view bytes, char separator);
[[nodiscard]] std::string join(std::span<const std::string> words, std::string_view separator);

/// How many characters (UTF-8 code points) `bytes` has.
[[nodiscard]] int characters(std::string_view bytes);

}  // namespace osteon::config
