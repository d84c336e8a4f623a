#include "cli/commands.hpp"
#include "pipeline/slurm_submit.hpp"

namespace osteon::cli {

void add_collect(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "collect", "Make the table and report of a submitted sweep from what its points have left; runs nothing");
  auto run = std::make_shared<std::filesystem::path>();
  command->add_option("RUN", *run, "The sweep's folder")->required()->type_name("");
  add_plugins_option(*command, common);
  command->callback([&common, run] {
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    common.exit_code = pipeline::collect_sweep(*run, registry);
  });
}

}  // namespace osteon::cli
