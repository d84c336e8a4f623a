#pragma once

// Finds, probes, loads and keeps plugins. The host knows kinds; a plugin's name comes from an experiment file, the
// command line or a file's symbol table, never from this code.

#include <osteon/plugin.hpp>

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::host {

inline constexpr std::array<std::string_view, 10> kKinds = {"source", "format",     "surface", "renderer", "backbone",
                                                            "loss",   "classifier", "shape",   "metric",   "reporter"};

[[nodiscard]] bool is_kind(std::string_view word);

/// What the name of a library's exported symbol says of it.
struct Stamp {
  std::string kind, name, build;
};

/// The stamp in a library's symbol table, read without loading it. Throws `Error` when the file is no library or
/// exports no plugin.
[[nodiscard]] Stamp probe(const std::filesystem::path& library);

struct LoadedPlugin {
  const PluginDescriptor* descriptor = nullptr;
  std::filesystem::path library;
  std::string build_id;  ///< SHA-256 of the library file: enters every cache key that the plugin touches
  Schema schema;

  [[nodiscard]] std::string id() const { return std::string(descriptor->kind) + "/" + descriptor->name; }
};

/// A library that stands on the search path, loaded or not.
struct FoundPlugin {
  std::string kind, name;
  std::filesystem::path library;
  std::string problem;  ///< why it can't be used; "" when it can
};

class Registry {
 public:
  /// Folders in order of precedence; each holds KIND/NAME.so or NAME.so.
  explicit Registry(std::vector<std::filesystem::path> folders);

  /// `--plugins` folders, then $OSTEON_PLUGIN_PATH (colon-separated), then the installation's own.
  [[nodiscard]] static std::vector<std::filesystem::path> search_path(
      const std::vector<std::filesystem::path>& from_command_line);

  /// Loads at first use. Throws `Error`: not found (with the nearest names), made for another host (both sides and what
  /// to do), fails to load. A library that is found and fails is an error at once, never a reason to look further.
  /// Several threads may ask at once.
  const LoadedPlugin& find(std::string_view kind, std::string_view name);

  /// Everything on the search path, or what is of one kind, by kind and name, without loading any of it.
  [[nodiscard]] std::vector<FoundPlugin> list(std::string_view only = {}) const;

 private:
  std::vector<std::filesystem::path> folders_;
  std::map<std::pair<std::string, std::string>, LoadedPlugin> loaded_;
};

/// The word of `candidates` that `word` is most likely a misspelling of; "" when none is near (optimal string alignment
/// distance above 2 and above a third of its length).
[[nodiscard]] std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace osteon::host
