#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

#include <iostream>

namespace osteon::cli {

void add_why(CLI::App& app, Common& /*common*/) {
  auto* command = app.add_subcommand("why", "Say why the stages of a run ran, or that their artifacts were reused");
  auto run = std::make_shared<std::filesystem::path>();
  auto stage = std::make_shared<std::string>();
  command->add_option("RUN", *run, "The run's folder")->required()->type_name("");
  command->add_option("STAGE", *stage, "source, surface, render, train, embed or evaluate; all when left out")
      ->type_name("");
  command->callback([run, stage] { std::cout << pipeline::why(*run, *stage); });
}

}  // namespace osteon::cli
