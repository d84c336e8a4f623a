#include "cli/xray_options.hpp"

#include <iostream>

namespace osteon::cli {

namespace {

struct XrayOptions {
  PairOptions pair;
  std::filesystem::path experiment, out = "xray.png";
  std::vector<std::string> overrides;
  bool framed = false;
};

void add_prepare(CLI::App& xray, Common& common) {
  auto* command = xray.add_subcommand("prepare", "Make an X-ray pair like the artificial ones and show the result");
  auto options = std::make_shared<XrayOptions>();
  options->pair.add(*command, PairOptions::Files::required);
  command->add_option("--experiment", options->experiment, "Take [views], [film] and [xray] from this experiment")
      ->type_name("FILE");
  command->add_option("--set", options->overrides, "Override one value of the experiment: --set xray.match=none")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all()
      ->needs("--experiment");
  command->add_flag("--framed", options->framed, "Let the bone fill the image, whatever its size");
  command->add_option("--out", options->out, "The montage's file; xray.png by default")->type_name("PNG");
  add_plugins_option(*command, common);
  command->callback([&common, options] {
    const pipeline::RunOptions run{.request = {options->experiment, options->overrides, {}},
                                   .plugin_folders = common.plugin_folders,
                                   .command = common.command_line};
    for (const std::string& line : pipeline::prepare_xrays(run, options->pair.pair(), options->framed, options->out))
      std::cout << line << "\n";
    std::cout << "montage  " << options->out.string() << "\n";
  });
}

}  // namespace

void add_xray(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("xray", "Work with real X-rays");
  command->require_subcommand(1);
  add_prepare(*command, common);
}

}  // namespace osteon::cli
