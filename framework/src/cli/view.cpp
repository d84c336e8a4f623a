#include "cli/commands.hpp"
#include "pipeline/pictures.hpp"

#include <iostream>

namespace osteon::cli {

void add_view(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("view", "Show how a bone lies: slices, the axes found, both nominal X-rays, as one PNG");
  struct Options {
    config::Request experiment;
    std::string specimen;
    int scan = 1;
    std::filesystem::path file = "view.png";
  };
  auto options = std::make_shared<Options>();
  add_experiment_arguments(*command, options->experiment, common);
  command->add_option("SPECIMEN", options->specimen, "Its id; the first one by default")->type_name("");
  command->add_option("--scan", options->scan, "Which of its scans, from 1")->type_name("N");
  command->add_option("--png", options->file, "The picture's file; view.png by default")->type_name("FILE");
  command->callback([&common, options] {
    const auto lines =
        pipeline::view_specimen({options->experiment, common.plugin_folders, "runs", common.command_line},
                                options->specimen, options->scan - 1, options->file);
    for (const std::string& line : lines) std::cout << " " << line << "\n";
    std::cout << " picture   " << options->file.string() << "\n";
  });
}

}  // namespace osteon::cli
