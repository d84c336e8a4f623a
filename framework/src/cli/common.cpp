#include "cli/commands.hpp"

namespace osteon::cli {

void add_plugins_option(CLI::App& command, Common& common) {
  command.add_option("--plugins", common.plugin_folders, "Folder with more plugins; looked at first")->type_name("DIR");
}

void add_experiment_arguments(CLI::App& command, ExperimentArguments& arguments, Common& common) {
  command.add_option("FILE", arguments.file, "Experiment file (TOML)")->required()->type_name("");
  command.add_option("--set", arguments.overrides, "Override one value of the file: --set loss.margin=0.2")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  add_plugins_option(command, common);
}

}  // namespace osteon::cli
