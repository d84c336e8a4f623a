#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

#include <iostream>

namespace osteon::cli {

void add_export(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("export", "Write the CT volumes or bone surfaces of an experiment in a file format");
  auto arguments = std::make_shared<config::Request>();
  auto format = std::make_shared<std::string>();
  auto ending = std::make_shared<std::string>();
  auto folder = std::make_shared<std::filesystem::path>();
  command->add_option("FORMAT", *format, "A format plugin (osteon plugins lists them)")->required()->type_name("");
  add_experiment_arguments(*command, *arguments, common);
  command
      ->add_option("--surfaces", *ending,
                   "Write the bones' surfaces, in patient coordinates, mm, and not the volumes: .stl, .ply, .obj")
      ->type_name("ENDING");
  command->add_option("--out", *folder, "Folder to write to: SPECIMEN/acquisition-N")->required()->type_name("DIR");
  command->callback([&common, arguments, format, ending, folder] {
    const pipeline::RunOptions options{
        .request = *arguments, .plugin_folders = common.plugin_folders, .command = common.command_line};
    const std::int64_t count = ending->empty() ? pipeline::export_volumes(options, *format, *folder)
                                               : pipeline::export_surfaces(options, *format, *ending, *folder);
    std::cout << "wrote " << count << (ending->empty() ? " volumes" : " surfaces") << " to " << folder->string()
              << "\n";
  });
}

}  // namespace osteon::cli
