#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

#include <osteon/error.hpp>

#include <filesystem>

namespace osteon::cli {

namespace {

void refuse(const CLI::App& command, const std::vector<const char*>& options, const std::string& why) {
  for (const char* option : options)
    if (command.count(option) > 0) throw Error(why + option);
}

}  // namespace

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
  auto executor = std::make_shared<std::string>("local");
  command
      ->add_option(
          "--executor", *executor,
          "local: processes of this machine; slurm: submit a job array, with what [slurm] of FILE asks for, and "
          "return; --jobs then limits the jobs at once")
      ->type_name("NAME")
      ->capture_default_str()
      ->check(CLI::IsMember({"local", "slurm"}));
  command->add_option("--typed", *typed, "What to show as the command")->group("");
  command->add_option("--into", options->into, "The run's folder that is gone on with")->group("");
  command->callback([&common, command, options, typed, executor] {
    options->plugin_folders = common.plugin_folders;
    options->words = common.words;
    options->command = typed->empty() ? common.command_line : *typed;
    options->on_slurm = *executor == "slurm";
    if (options->on_slurm) refuse(*command, {"--point"}, "--executor slurm submits all points; leave out ");
    if (options->on_slurm && command->count("--jobs") > 0) options->at_once = options->jobs;
    if (std::filesystem::is_directory(options->request.file))
      refuse(
          *command, {"--set", "--profile", "--runs", "--jobs", "--memory", "--executor"},
          options->request.file.string() + " is a run's folder, of which a point runs as it was submitted; leave out ");
    common.exit_code = pipeline::run_experiment(*options);
  });
}

}  // namespace osteon::cli
