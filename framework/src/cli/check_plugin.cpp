#include "cli/commands.hpp"
#include "contract/report.hpp"

#include <osteon/error.hpp>

#include <fstream>
#include <iostream>

namespace osteon::cli {

namespace {

struct CheckPluginOptions {
  contract::Request request;
  contract::Limits limits;
  double gigabytes = 4;
  std::vector<std::string> only;
  std::filesystem::path json;
  bool in_process = false;
};

void check_plugin(const CheckPluginOptions& options, Common& common) {
  if (options.in_process) {
    if (options.only.size() != 1) throw Error("--in-process runs one check: name it, as in --check gradient");
    const contract::CheckLine line = contract::check_here(options.request, options.only.front());
    std::cout << contract::line_of(line);
    common.exit_code = line.outcome.result == contract::Result::failed ? 1 : 0;
    return;
  }
  contract::Limits limits = options.limits;
  limits.memory = static_cast<std::int64_t>(options.gigabytes * 1024 * 1024 * 1024);
  std::cout << contract::heading_of(contract::begun_report(options.request, limits)) << std::flush;
  const contract::LibraryReport report = contract::check_library(
      options.request, limits, options.only,
      [](const contract::CheckLine& line) { std::cout << contract::line_of(line) << std::flush; });
  std::cout << "\n" << contract::summary_of(report);
  if (!options.json.empty() && !(std::ofstream(options.json) << contract::json_of(report) << std::flush))
    throw Error(options.json.string() + ": cannot write; is its folder there and writable?");
  common.exit_code = report.is_sound() ? 0 : 1;
}

/// The side of the child; people have no use for it.
void add_one_check(CLI::App& app) {
  struct Words {
    contract::Request request;
    std::string check;
    std::filesystem::path answer;
  };
  auto words = std::make_shared<Words>();
  auto* command = app.add_subcommand(contract::kOneCheck, "")->group("");
  command->add_option("FILE", words->request.library)->required();
  command->add_option("CHECK", words->check)->required();
  command->add_option("ANSWER", words->answer)->required();
  command->add_option("--set", words->request.settings)->allow_extra_args(false)->take_all();
  command->callback([words] { contract::answer_parent(words->check, words->request, words->answer); });
}

}  // namespace

void add_check_plugin(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "check-plugin",
      "What every plugin of its kind promises, checked on any library, each check in a process of its own");
  auto options = std::make_shared<CheckPluginOptions>();
  command->add_option("FILE", options->request.library, "The plugin's shared library")->required()->type_name("");
  command->add_option("--json", options->json, "Write the findings there too")->type_name("FILE");
  command->add_option("--set", options->request.settings, "One of the plugin's parameters: --set width=0.125")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--check", options->only, "Only this check: --check gradient")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--seconds", options->limits.seconds, "Longest time of a check (default 120)")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  command->add_option("--memory", options->gigabytes, "Most memory of a check, GiB (default 4; 0: no limit)")
      ->type_name("GIB")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_flag("--in-process", options->in_process,
                 "Run the one check of --check in this process, for a debugger: without limits, and a crash is one")
      ->excludes("--json")
      ->excludes("--seconds")
      ->excludes("--memory");
  command->callback([options, &common] { check_plugin(*options, common); });
  add_one_check(app);
}

}  // namespace osteon::cli
