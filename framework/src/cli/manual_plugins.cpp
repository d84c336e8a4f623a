#include "cli/manual.hpp"
#include "config/assemble.hpp"
#include "config/document.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace osteon::cli {

namespace {

/// The design's table, one sentence a kind.
constexpr std::array<std::pair<std::string_view, std::string_view>, host::kKinds.size()> kKindSentences = {{
    {"source",
     "Where bones come from: each specimen with its person, side and CT volumes in Hounsfield units, or with "
     "its radiographs."},
    {"format",
     "Reads and writes one file format of volumes, radiographs or surfaces. A file's ending chooses it, not "
     "an experiment."},
    {"surface", "From a CT volume to the closed surface of its bone."},
    {"renderer", "From a CT volume and poses to line integrals, of which the film makes X-rays."},
    {"backbone", "The network: from images to features, which the head makes a fingerprint of."},
    {"loss",
     "What the training makes small: from fingerprints, labels and the tuples that the miner chose to one "
     "number."},
    {"classifier",
     "Which bone is this? Learns the gallery's fingerprints and gives a new one a label and a score, or "
     "says that it is unknown."},
    {"shape", "What is its shape? From fingerprint, X-rays and the gallery's surfaces to the surface of a bone."},
    {"metric", "Measures a finished run: named figures with unit, direction, count and interval."},
    {"reporter", "Takes what a run says (figures, tables, pictures, surfaces) to where a person looks."},
}};

/// The text beside the library that the build took from the top of the plugin's source.
std::string notes_of(const host::LoadedPlugin& plugin) {
  std::filesystem::path file = plugin.library;
  file.replace_extension(".txt");
  if (!std::filesystem::exists(file)) return "";
  std::string notes = read_file(file);
  if (const std::string title = plugin.id() + ": "; notes.starts_with(title)) notes.erase(0, title.size());
  if (!notes.empty()) notes[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(notes[0])));
  std::string result;
  // Four spaces begin a block of code, in which nothing is escaped.
  for (const std::string& line : config::split(notes, '\n'))
    result += (line.starts_with("    ") ? line : markdown(line)) + "\n";
  while (result.ends_with("\n")) result.pop_back();
  return result + "\n";
}

/// How many of a kind an experiment has, and how it names them.
std::string how_many(const std::string& kind) {
  if (config::is_single_kind(kind))
    return "An experiment has exactly one: a table `[" + kind + "]` with `plugin = \"NAME\"`." +
           (kind == "renderer" ? " A table `[" + std::string(config::kQueryRenderer) +
                                     "]` beside it makes the X-rays that ask with another one."
                               : "");
  if (config::is_several_kind(kind))
    return "An experiment may have any number: a table `[" + kind +
           ".NAME]` each. `plugin` defaults to the table's name; with it one plugin stands in several tables.";
  return "";
}

std::string plugin_page(const DescribedPlugin& plugin) {
  const std::vector<Parameter>& parameters = plugin.schema.parameters;
  std::string page = "# " + plugin.id() + "\n\n" + markdown(plugin.schema.summary) + "\n\n";
  page += "Version " + plugin.version + ", of the kind [" + plugin.kind + "](../" + plugin.kind + ".md).\n\n";
  if (!plugin.notes.empty()) page += "## What it does\n\n" + plugin.notes + "\n";
  const std::string table = table_name(plugin);
  if (!table.empty())
    page += "## In an experiment file\n\n" +
            toml_block(table, config::is_single_kind(plugin.kind) ? plugin.name : "", plugin.schema) + "\n";
  return page + "## Parameters\n\n" + (parameters.empty() ? "None.\n" : parameter_list(plugin.schema, !table.empty()));
}

std::string kind_page(const std::string& kind, const std::vector<DescribedPlugin>& plugins) {
  std::string page = "# " + kind + "\n\n" + kind_sentence(kind) + "\n\n";
  if (const std::string how = how_many(kind); !how.empty()) page += how + "\n\n";
  page += table_head({"plugin", "what it is"});
  for (const DescribedPlugin& plugin : plugins)
    if (plugin.kind == kind)
      page += table_row({"[" + plugin.name + "](" + plugin.id() + ".md)", markdown(plugin.schema.summary)});
  return page;
}

}  // namespace

std::string kind_sentence(std::string_view kind) {
  const auto found = std::ranges::find(kKindSentences, kind, [](const auto& one) { return one.first; });
  if (found == kKindSentences.end()) throw failure("the manual has no sentence for the kind " + std::string(kind));
  return std::string(found->second);
}

std::vector<std::string> kinds_of(const std::vector<DescribedPlugin>& plugins) {
  std::vector<std::string> kinds;
  for (const DescribedPlugin& plugin : plugins)
    if (kinds.empty() || kinds.back() != plugin.kind) kinds.push_back(plugin.kind);
  return kinds;
}

std::string table_name(const DescribedPlugin& plugin) {
  if (config::is_single_kind(plugin.kind)) return plugin.kind;
  return config::is_several_kind(plugin.kind) ? plugin.kind + "." + plugin.name : "";
}

std::vector<DescribedPlugin> described_plugins(host::Registry& registry, std::vector<std::string>& problems) {
  std::vector<DescribedPlugin> plugins;
  for (const host::FoundPlugin& found : registry.list()) {
    if (!found.problem.empty()) {
      problems.push_back(found.library.string() + ": " + found.problem);
      continue;
    }
    const host::LoadedPlugin& plugin = registry.find(found.kind, found.name);
    plugins.push_back({found.kind, found.name, plugin.descriptor->version, plugin.schema, notes_of(plugin)});
  }
  return plugins;
}

void add_plugin_pages(const std::vector<DescribedPlugin>& plugins, Pages& pages) {
  for (const std::string& kind : kinds_of(plugins)) pages[kind + ".md"] = kind_page(kind, plugins);
  for (const DescribedPlugin& plugin : plugins) pages[plugin.id() + ".md"] = plugin_page(plugin);
}

}  // namespace osteon::cli
