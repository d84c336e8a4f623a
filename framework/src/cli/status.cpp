#include "cli/commands.hpp"
#include "pipeline/run_status.hpp"

#include <iostream>

namespace osteon::cli {

void add_status(CLI::App& app, Common& /*common*/) {
  auto* command = app.add_subcommand("status", "Say what of a run or sweep is complete, running, failed or waiting");
  auto run = std::make_shared<std::filesystem::path>();
  command->add_option("RUN", *run, "The run's folder")->required()->type_name("");
  command->callback([run] { std::cout << pipeline::status_text(pipeline::status_of(*run)); });
}

}  // namespace osteon::cli
