#include "cli/commands.hpp"

namespace osteon::cli {

void add_plugins_option(CLI::App& command, Common& common) {
  command.add_option("--plugins", common.plugin_folders, "Folder with more plugins; looked at first")->type_name("DIR");
}

void add_experiment_arguments(CLI::App& command, config::Request& request, Common& common) {
  command.add_option("FILE", request.file, "Experiment file (TOML)")->required()->type_name("");
  command.add_option("--set", request.overrides, "Override one value of the file: --set loss.margin=0.2")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--profile", request.profiles, "Lay the file's table [profile.NAME] on it: --profile cpu")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->take_all();
  add_plugins_option(command, common);
}

}  // namespace osteon::cli
