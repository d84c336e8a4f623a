#pragma once

// One function a command: adds itself to the command line and, when chosen, runs and sets the exit code.

#include "config/experiment.hpp"
#include "host/registry.hpp"

#include <CLI/CLI.hpp>

namespace osteon::cli {

/// What every command shares.
struct Common {
  std::vector<std::filesystem::path> plugin_folders;
  std::string command_line;        ///< as typed
  std::vector<std::string> words;  ///< the same, one by one
  int exit_code = 0;
};

void add_run(CLI::App& app, Common& common);
void add_check(CLI::App& app, Common& common);
void add_check_plugin(CLI::App& app, Common& common);
void add_compare(CLI::App& app, Common& common);
void add_render(CLI::App& app, Common& common);
void add_view(CLI::App& app, Common& common);
void add_xray(CLI::App& app, Common& common);
void add_pack(CLI::App& app, Common& common);
void add_enroll(CLI::App& app, Common& common);
void add_identify(CLI::App& app, Common& common);
void add_reconstruct(CLI::App& app, Common& common);
void add_shape_model(CLI::App& app, Common& common);
void add_gallery(CLI::App& app, Common& common);
void add_export(CLI::App& app, Common& common);
void add_mesh(CLI::App& app, Common& common);
void add_weights(CLI::App& app, Common& common);
void add_plugins(CLI::App& app, Common& common);
void add_describe(CLI::App& app, Common& common);
void add_new(CLI::App& app, Common& common);
void add_bench(CLI::App& app, Common& common);
void add_doctor(CLI::App& app, Common& common);
void add_status(CLI::App& app, Common& common);
void add_resume(CLI::App& app, Common& common);
void add_gc(CLI::App& app, Common& common);
void add_collect(CLI::App& app, Common& common);
void add_why(CLI::App& app, Common& common);
void add_docs(CLI::App& app, Common& common);
void add_completion(CLI::App& app, Common& common);
void add_man(CLI::App& app, Common& common);

/// --plugins DIR, of every command that loads plugins.
void add_plugins_option(CLI::App& command, Common& common);

/// FILE, --profile and --set of every command that reads an experiment.
void add_experiment_arguments(CLI::App& command, config::Request& request, Common& common);

}  // namespace osteon::cli
