// The command `osteon`.

#include "cli/commands.hpp"
#include "host/crash_guard.hpp"
#include "host/log.hpp"
#include "host/stop.hpp"
#include "training/runtime.hpp"

#include <osteon/build_stamp.hpp>
#include <osteon/error.hpp>

#include <iostream>

#define OSTEON_QUOTE_(word) #word
#define OSTEON_QUOTE(word) OSTEON_QUOTE_(word)

namespace {

/// The arguments as one would type them again.
std::string typed(int argc, char** argv) {
  std::string line = "osteon";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = word.find_first_of(" \t\"'$&|;<>()*?[]#~") == std::string::npos && !word.empty();
    line += plain ? " " + word : " '" + word + "'";
  }
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  osteon::host::watch_for_stop();
  osteon::host::name_crashes();
  osteon::training::keep_freed_memory();
  CLI::App app(
      "Osteon: which bone is this, and what is its shape? Experiments on artificial X-rays, every scientific choice a "
      "plugin.\nResearch software, not for clinical use.",
      "osteon");
  app.set_version_flag("--version",
                       std::string("osteon " OSTEON_VERSION " (") + OSTEON_QUOTE(OSTEON_BUILD_STAMP) + ")");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  osteon::cli::Common common;
  common.command_line = typed(argc, argv);
  common.words.assign(argv + 1, argv + argc);
  osteon::cli::add_run(app, common);
  osteon::cli::add_check(app, common);
  osteon::cli::add_check_plugin(app, common);
  osteon::cli::add_compare(app, common);
  osteon::cli::add_view(app, common);
  osteon::cli::add_render(app, common);
  osteon::cli::add_xray(app, common);
  osteon::cli::add_pack(app, common);
  osteon::cli::add_enroll(app, common);
  osteon::cli::add_identify(app, common);
  osteon::cli::add_reconstruct(app, common);
  osteon::cli::add_shape_model(app, common);
  osteon::cli::add_gallery(app, common);
  osteon::cli::add_export(app, common);
  osteon::cli::add_mesh(app, common);
  osteon::cli::add_weights(app, common);
  osteon::cli::add_plugins(app, common);
  osteon::cli::add_describe(app, common);
  osteon::cli::add_new(app, common);
  osteon::cli::add_bench(app, common);
  osteon::cli::add_doctor(app, common);
  osteon::cli::add_status(app, common);
  osteon::cli::add_resume(app, common);
  osteon::cli::add_gc(app, common);
  osteon::cli::add_collect(app, common);
  osteon::cli::add_why(app, common);
  osteon::cli::add_docs(app, common);
  osteon::cli::add_completion(app, common);
  osteon::cli::add_man(app, common);
  try {
    static_cast<void>(osteon::host::log_level());  // refuses a word that is no level
    app.parse(argc, argv);
    return common.exit_code;
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;
  } catch (const osteon::host::Stopped&) {
    std::cerr << "stopped; nothing is lost. Go on with: " << common.command_line << "\n";
    return 130;
  } catch (const osteon::Error& e) {
    std::cerr << e.what() << "\n";
    return e.cause() == osteon::Error::Cause::mistake ? 2 : 1;
  } catch (const std::exception& e) {
    std::cerr << "osteon: " << e.what() << "\n";
    return 1;
  }
}
