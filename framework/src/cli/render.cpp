#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

#include <iostream>

namespace osteon::cli {

void add_render(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("render", "Render an experiment's X-rays and write them as PNG");
  auto arguments = std::make_shared<ExperimentArguments>();
  auto folder = std::make_shared<std::filesystem::path>();
  add_experiment_arguments(*command, *arguments, common);
  command->add_option("--png", *folder, "Folder for the PNGs: one folder and one contact sheet a volume")
      ->required()
      ->type_name("DIR");
  command->callback([&common, arguments, folder] {
    const std::int64_t count = pipeline::render_pngs(
        {arguments->file, arguments->overrides, common.plugin_folders, "runs", common.command_line}, *folder);
    std::cout << "wrote " << count << " X-rays to " << folder->string() << "\n";
  });
}

}  // namespace osteon::cli
