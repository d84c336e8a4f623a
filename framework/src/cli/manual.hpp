#pragma once

// The reference as Markdown pages, made from what plugins, sections and commands declare of themselves.

#include "cli/command_tree.hpp"
#include "config/experiment.hpp"

#include <osteon/parameters.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon::cli {

/// Name of a page in its folder ("loss/my_loss.md") → its text.
using Pages = std::map<std::string, std::string>;

/// A plugin as the manual tells it.
struct DescribedPlugin {
  std::string kind, name, version;
  Schema schema;
  std::string notes;  ///< the documentation on top of its source as Markdown; "" where none lies beside its library

  [[nodiscard]] std::string id() const { return kind + "/" + name; }
};

/// All plugins of the registry that can be used, by kind and name; each is loaded. Those that can't go to `problems`.
[[nodiscard]] std::vector<DescribedPlugin> described_plugins(host::Registry& registry,
                                                             std::vector<std::string>& problems);

/// KIND.md and KIND/NAME.md.
void add_plugin_pages(const std::vector<DescribedPlugin>& plugins, Pages& pages);

/// experiment-file.md: the text `frame`, which says how such a file is built, and every section behind it.
void add_experiment_page(const std::string& frame, const config::Sections& sections,
                         const std::vector<DescribedPlugin>& plugins, Pages& pages);

/// commands.md.
void add_command_page(const CommandNode& root, Pages& pages);

/// index.md, which leads to all others.
void add_index_page(const std::vector<DescribedPlugin>& plugins, Pages& pages);

/// What a kind is for, in one sentence.
[[nodiscard]] std::string kind_sentence(std::string_view kind);

/// The kinds of `plugins`, in the order of the data's way.
[[nodiscard]] std::vector<std::string> kinds_of(const std::vector<DescribedPlugin>& plugins);

/// The header of a plugin's table in an experiment file: loss, classifier.my_classifier.
[[nodiscard]] std::string table_name(const DescribedPlugin& plugin);

/// `margin = 0.1`: a line to paste. A parameter without a default gets its name in capitals as a value to replace.
[[nodiscard]] std::string toml_line(const Parameter& parameter);

/// The whole table with every default, as a fenced block. `plugin` is "" for a section of the framework.
[[nodiscard]] std::string toml_block(const std::string& table, const std::string& plugin, const Schema& schema);

/// Each parameter: heading, sentence, type and range, default, unit and, where an experiment file may set it, a line to
/// paste.
[[nodiscard]] std::string parameter_list(const Schema& schema, bool in_experiment_file);

/// Before the first line of a table: `| --- | --- |`.
[[nodiscard]] std::string table_head(const std::vector<std::string>& columns);
[[nodiscard]] std::string table_row(const std::vector<std::string>& cells);

/// A sentence in Markdown, in which `<` begins no tag and `|` no cell.
[[nodiscard]] std::string markdown(const std::string& sentence);

}  // namespace osteon::cli
