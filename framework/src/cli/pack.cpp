#include "cli/commands.hpp"
#include "pipeline/packing.hpp"

#include <iostream>

namespace osteon::cli {

namespace {

/// runs/quickstart-3f9a1c/ → quickstart-3f9a1c.osteon
std::filesystem::path name_of(const std::filesystem::path& run) {
  std::filesystem::path whole = std::filesystem::absolute(run).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  return whole.filename().string() + ".osteon";
}

}  // namespace

void add_pack(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("pack", "Write a run's trained network and gallery as one file, for enroll and identify");
  auto run = std::make_shared<std::filesystem::path>();
  auto file = std::make_shared<std::filesystem::path>();
  command->add_option("RUN", *run, "The run's folder, as runs/quickstart-3f9a1c")->required()->type_name("");
  command->add_option("--out", *file, "The new file; the run's name with .osteon by default")->type_name("FILE");
  add_plugins_option(*command, common);
  command->callback([&common, run, file] {
    if (file->empty()) *file = name_of(*run);
    for (const std::string& line : pipeline::pack_run(*run, common.plugin_folders, *file)) std::cout << line << "\n";
  });
}

}  // namespace osteon::cli
