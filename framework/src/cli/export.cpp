#include "cli/commands.hpp"
#include "pipeline/runner.hpp"

#include <iostream>

namespace osteon::cli {

void add_export(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("export", "Write the CT volumes of an experiment's source in a file format");
  auto arguments = std::make_shared<config::Request>();
  auto format = std::make_shared<std::string>();
  auto folder = std::make_shared<std::filesystem::path>();
  command->add_option("FORMAT", *format, "A format plugin (osteon plugins lists them)")->required()->type_name("");
  add_experiment_arguments(*command, *arguments, common);
  command->add_option("--out", *folder, "Folder to write to: SPECIMEN/acquisition-N")->required()->type_name("DIR");
  command->callback([&common, arguments, format, folder] {
    const std::int64_t count =
        pipeline::export_volumes({*arguments, common.plugin_folders, "runs", common.command_line}, *format, *folder);
    std::cout << "wrote " << count << " volumes to " << folder->string() << "\n";
  });
}

}  // namespace osteon::cli
