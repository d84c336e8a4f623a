#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

namespace osteon::cli {

void add_run(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("run", "Run an experiment, all points of its sweep; what is stored is not made again");
  auto options = std::make_shared<pipeline::RunOptions>();
  auto typed = std::make_shared<std::string>();
  add_experiment_arguments(*command, options->request, common);
  command->add_option("--runs", options->runs, "Where run folders go")->type_name("DIR")->capture_default_str();
  command
      ->add_option("--jobs", options->jobs,
                   "Points of a sweep that run at once, the cores divided among them; what they print goes to their "
                   "folders")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1024}));
  command->add_option("--memory", options->memory, "Most memory for the data of each point; without, there is no limit")
      ->type_name("GB")
      ->check(CLI::PositiveNumber);
  command->add_option("--point", options->point, "Run this point of the sweep alone, from 1; a job array's number")
      ->type_name("K")
      ->check(CLI::PositiveNumber);
  command->add_option("--typed", *typed, "What to show as the command")->group("");
  command->callback([&common, options, typed] {
    options->plugin_folders = common.plugin_folders;
    options->command = typed->empty() ? common.command_line : *typed;
    common.exit_code = pipeline::run_experiment(*options);
  });
}

}  // namespace osteon::cli
