#include "cli/commands.hpp"
#include "pipeline/typed_command.hpp"

namespace osteon::cli {

void add_resume(CLI::App& app, Common& /*common*/) {
  auto* command = app.add_subcommand("resume", "Go on with a run, with the command that began it, from any folder");
  auto run = std::make_shared<std::filesystem::path>();
  command->add_option("RUN", *run, "The run's folder")->required()->type_name("");
  command->callback([run] { pipeline::resume(*run); });
}

}  // namespace osteon::cli
