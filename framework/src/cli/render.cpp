#include "cli/commands.hpp"
#include "pipeline/pictures.hpp"

#include <iostream>

namespace osteon::cli {

void add_render(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("render", "Render an experiment's X-rays and write them as PNG");
  auto arguments = std::make_shared<config::Request>();
  auto folder = std::make_shared<std::filesystem::path>();
  add_experiment_arguments(*command, *arguments, common);
  command->add_option("--png", *folder, "Folder for the PNGs: one folder and one contact sheet a volume")
      ->required()
      ->type_name("DIR");
  command->callback([&common, arguments, folder] {
    const pipeline::RenderedPictures done =
        pipeline::render_pngs({*arguments, common.plugin_folders, "runs", common.command_line}, *folder);
    const auto per_second = [](std::int64_t count, double seconds) {
      return std::to_string(static_cast<std::int64_t>(static_cast<double>(count) / std::max(seconds, 1e-9))) + "/s";
    };
    if (done.made > 0)
      std::cout << "rendered " << done.made << " X-rays, " << per_second(done.made, done.seconds) << "\n";
    else
      std::cout << "rendered none: the store had them all\n";
    std::cout << "wrote " << done.xrays << " X-rays to " << folder->string() << ", "
              << per_second(done.xrays, done.png_seconds) << " as PNG; index.csv says how each was taken\n";
  });
}

}  // namespace osteon::cli
