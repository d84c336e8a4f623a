#include "cli/commands.hpp"

#include <iostream>

namespace osteon::cli {

void add_plugins(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("plugins", "List the plugins on the search path");
  add_plugins_option(*command, common);
  auto names = std::make_shared<bool>(false);
  command->add_flag("--names", *names, "Only KIND/NAME of those that can be used, one a line, as for shell completion");
  command->callback([&common, names] {
    const host::Registry registry(host::Registry::search_path(common.plugin_folders));
    if (*names) {
      for (const host::FoundPlugin& plugin : registry.list())
        if (plugin.problem.empty()) std::cout << plugin.kind << "/" << plugin.name << "\n";
      return;
    }
    std::string last;
    for (const host::FoundPlugin& plugin : registry.list()) {
      std::cout << (plugin.kind == last ? "            " : (plugin.kind + std::string(12, ' ')).substr(0, 12))
                << plugin.name;
      if (!plugin.problem.empty())
        std::cout << "   cannot be used: " << plugin.problem << " (" << plugin.library.string() << ")";
      std::cout << "\n";
      last = plugin.kind;
    }
    std::cout << "osteon describe KIND/NAME shows a plugin's parameters\n";
  });
}

}  // namespace osteon::cli
