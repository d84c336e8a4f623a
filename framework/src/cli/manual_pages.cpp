#include "cli/manual.hpp"
#include "config/assemble.hpp"
#include "config/document.hpp"

#include <algorithm>

namespace osteon::cli {

namespace {

/// The plugins of a kind as links from the folder's top.
std::string links_of(std::string_view kind, const std::vector<DescribedPlugin>& plugins) {
  std::vector<std::string> links;
  for (const DescribedPlugin& plugin : plugins)
    if (plugin.kind == kind) links.push_back("[" + plugin.name + "](" + plugin.id() + ".md)");
  return config::join(links, ", ");
}

/// What --help shows indented is an example: a block of code.
std::string with_examples(const std::string& sentence) {
  std::string result;
  for (const std::string& line : config::split(sentence, '\n'))
    result += (line.starts_with("  ") ? "  " + line : markdown(line)) + "\n";
  while (result.ends_with("\n\n")) result.pop_back();
  return result;
}

std::string plugin_sections(const std::vector<DescribedPlugin>& plugins) {
  std::string text = "## Plugins\n\n" + table_head({"table", "how many", "what it is", "plugins"});
  const auto add = [&](std::string_view kind, const std::string& table, const char* count) {
    text += table_row({"`[" + table + "]`", count,
                       "[" + std::string(kind) + "](" + std::string(kind) + ".md): " + kind_sentence(kind),
                       links_of(kind, plugins)});
  };
  for (const std::string_view kind : config::kSingleKinds) {
    add(kind, std::string(kind), "one");
    if (kind == "renderer") add(kind, std::string(config::kQueryRenderer), "none or one");
  }
  for (const std::string_view kind : config::kSeveralKinds) add(kind, std::string(kind) + ".NAME", "any number");
  return text + "\nEach plugin's page lists its parameters.\n\n";
}

}  // namespace

void add_experiment_page(const std::string& frame, const config::Sections& sections,
                         const std::vector<DescribedPlugin>& plugins, Pages& pages) {
  std::string page = frame + "\n" + plugin_sections(plugins);
  page += "## Sections of the framework\n\nAll may be left out: then the defaults below hold.\n\n";
  for (const auto& [name, schema] : sections)
    page += "- [`[" + name + "]`](#" + name + "): " + markdown(schema.summary) + "\n";
  for (const auto& [name, schema] : sections)
    page += "\n<a id=\"" + name + "\"></a>\n\n## `[" + name + "]`\n\n" + markdown(schema.summary) + "\n\n" +
            toml_block(name, "", schema) + "\n" + parameter_list(schema, true);
  while (page.ends_with("\n\n")) page.pop_back();
  pages["experiment-file.md"] = page;
}

void add_command_page(const CommandNode& root, Pages& pages) {
  std::string page = "# Commands\n\n" + markdown(root.sentence) + "\n";
  for (const CommandNode* node : all_commands(root)) {
    if (!node->commands.empty()) continue;
    page += "\n## " + node->typed() + "\n\n" + with_examples(node->sentence) + "\n```text\n" + node->usage() +
            "\n```\n\n" + table_head({"argument", "what it is"});
    for (const ArgumentNode& one : node->positionals)
      page += table_row({"`" + shown_argument(one) + "`", markdown(full_sentence(one))});
    for (const ArgumentNode& one : node->options)
      page += table_row({"`" + shown_argument(one) + "`", markdown(full_sentence(one))});
  }
  pages["commands.md"] = page;
}

void add_index_page(const std::vector<DescribedPlugin>& plugins, Pages& pages) {
  std::string page =
      "# Osteon, the manual\n\nMade by `osteon docs` from what commands, sections and plugins declare. Research "
      "software, not for clinical use.\n\n"
      "- [The experiment file](experiment-file.md)\n- [Commands](commands.md)\n";
  for (const auto& [name, text] : pages)
    if (name.starts_with("tutorials/")) {
      const std::string title = text.substr(0, text.find('\n'));
      page += "- Tutorial: [" + title.substr(std::min<std::size_t>(2, title.size())) + "](" + name + ")\n";
    }
  page += "\n## Plugins\n\n" + table_head({"kind", "what it is", "plugins"});
  for (const std::string& kind : kinds_of(plugins))
    page += table_row({"[" + kind + "](" + kind + ".md)", kind_sentence(kind), links_of(kind, plugins)});
  pages["index.md"] = page;
}

}  // namespace osteon::cli
