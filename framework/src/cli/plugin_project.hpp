#pragma once

// A project for a plugin outside the tree, made from the templates of its kind: framework/templates/KIND, with what all
// kinds have in common from framework/templates/common. A template is source that compiles as it stands; these words
// in it, and in the names of its files, are replaced:
//
//     plugin_kind, plugin_name   as given
//     PluginName                 the class: the name in capitals, ending in the kind
//     plugin_about               in files of `common`: about.md of the kind, which is no file of the project
//     osteon_prefix              where this Osteon is, for CMAKE_PREFIX_PATH

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::cli {

/// Throws `Error`, listing the kinds, unless `word` is one.
void require_plugin_kind(const std::string& word);

/// Throws `Error` unless a plugin can have this name: add_osteon_plugin's rule, less what it takes for a test's file.
void require_plugin_name(const std::string& name);

/// The build tree or the installation that this program is part of.
struct Installation {
  std::filesystem::path prefix, templates;
};

/// `own_plugins`: its plugins' folder, lib/osteon/plugins. Throws a failure when there are no templates beside it.
[[nodiscard]] Installation installation_of(const std::filesystem::path& own_plugins);

/// Writes the project as a whole or not at all; returns its files, relative to `folder`. Throws `Error` when `folder`
/// is there and not an empty folder.
std::vector<std::filesystem::path> write_plugin_project(const std::string& kind, const std::string& name,
                                                        const std::filesystem::path& folder,
                                                        const Installation& installation);

}  // namespace osteon::cli
