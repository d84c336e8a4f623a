#include "pipeline/shape_model.hpp"
#include "cli/commands.hpp"

#include <iostream>

namespace osteon::cli {

void add_shape_model(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "shape-model",
      "Write what a run's shape method learns from its bones as one file: mean, triangles, modes, quality");
  auto run = std::make_shared<std::filesystem::path>();
  auto shape = std::make_shared<std::string>();
  auto file = std::make_shared<std::filesystem::path>();
  command->add_option("RUN", *run, "The run's folder, as runs/quickstart-3f9a1c")->required()->type_name("");
  command->add_option("--shape", *shape, "One of the run's shape methods")->required()->type_name("NAME");
  command->add_option("--out", *file, "The new file: .safetensors, or .pt for PyTorch")->required()->type_name("FILE");
  add_plugins_option(*command, common);
  command->callback([&common, run, shape, file] {
    for (const std::string& line : pipeline::write_shape_model(*run, common.plugin_folders, *shape, *file))
      std::cout << line << "\n";
  });
}

}  // namespace osteon::cli
