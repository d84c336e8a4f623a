#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

#include <osteon/error.hpp>

#include <iostream>

namespace osteon::cli {

namespace {

void print_schema(const std::string& section, const Schema& schema) {
  for (const Parameter& p : schema.parameters) {
    std::cout << "  " << p.name << " = " << (p.is_required ? "(required)" : to_text(p.standard));
    if (!p.unit_text.empty()) std::cout << "  [" << p.unit_text << "]";
    std::cout << "\n      " << p.sentence << "\n      " << p.range_text() << "\n";
  }
  if (schema.parameters.empty()) std::cout << "  no parameters\n";
  std::cout << "\nIn an experiment file:\n\n[" << section << "]\n";
}

void print_values(const Schema& schema) {
  for (const Parameter& p : schema.parameters)
    std::cout << p.name << " = " << (p.is_required ? "\"…\"" : to_text(p.standard)) << "\n";
}

}  // namespace

void add_describe(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("describe", "Show what a plugin or a section of the experiment file does and takes");
  auto what = std::make_shared<std::string>();
  command->add_option("WHAT", *what, "KIND/NAME, as in loss/triplet, or a section, as in film")
      ->required()
      ->type_name("KIND/NAME");
  add_plugins_option(*command, common);
  command->callback([&common, what] {
    const config::Sections sections = pipeline::sections();
    if (const auto section = sections.find(*what); section != sections.end()) {
      std::cout << "[" << *what << "]: " << section->second.summary << "\n\n";
      print_schema(*what, section->second);
      print_values(section->second);
      return;
    }
    const auto slash = what->find('/');
    if (slash == std::string::npos || !host::is_kind(what->substr(0, slash))) {
      std::string names;
      for (const auto& [name, schema] : sections) names += (names.empty() ? "" : ", ") + name;
      throw Error("\"" + *what + "\" is neither KIND/NAME (osteon plugins lists them) nor a section (" + names + ")");
    }
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    const std::string kind = what->substr(0, slash);
    const host::LoadedPlugin& plugin = registry.find(kind, what->substr(slash + 1));
    std::cout << plugin.id() << " " << plugin.descriptor->version << ": " << plugin.schema.summary << "\n\n";
    const bool single = config::is_single_kind(kind);
    print_schema(single ? kind : kind + "." + plugin.descriptor->name, plugin.schema);
    if (single) std::cout << "plugin = \"" << plugin.descriptor->name << "\"\n";
    print_values(plugin.schema);
  });
}

}  // namespace osteon::cli
