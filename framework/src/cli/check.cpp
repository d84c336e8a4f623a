#include "cli/commands.hpp"
#include "pipeline/look_ahead.hpp"
#include "pipeline/runner.hpp"

#include <iostream>

namespace osteon::cli {

void add_check(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("check", "Check an experiment and every point of its sweep without running any");
  auto arguments = std::make_shared<config::Request>();
  auto resolved = std::make_shared<bool>(false);
  add_experiment_arguments(*command, *arguments, common);
  command->add_flag("--resolved", *resolved, "Print the experiment with every default filled in");
  command->callback([&common, arguments, resolved] {
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    const config::Plan plan = config::load(*arguments, pipeline::sections(), registry);
    if (*resolved) {
      std::cout << plan.base.to_toml();
    } else {
      std::cout << arguments->file.string() << ": no mistakes · " << plan.points.size()
                << (plan.points.size() == 1 ? " point" : " points") << " · \"" << plan.title << "\"\n";
      const std::filesystem::path store = store::Store::standard_root();
      const pipeline::Outlook outlook = pipeline::look_ahead(plan, pipeline::run_folder("runs", plan), registry);
      std::cout << pipeline::outlook_text(plan, outlook, store);
      pipeline::require_disk(outlook.disk, store);
    }
  });
}

}  // namespace osteon::cli
