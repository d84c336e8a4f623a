#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

namespace osteon::cli {

void add_run(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("run", "Run an experiment, all points of its sweep; what is stored is not made again");
  auto arguments = std::make_shared<config::Request>();
  auto runs = std::make_shared<std::filesystem::path>("runs");
  add_experiment_arguments(*command, *arguments, common);
  command->add_option("--runs", *runs, "Where run folders go")->type_name("DIR")->capture_default_str();
  command->callback([&common, arguments, runs] {
    common.exit_code = pipeline::run_experiment({*arguments, common.plugin_folders, *runs, common.command_line});
  });
}

}  // namespace osteon::cli
