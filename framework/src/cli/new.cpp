#include "cli/commands.hpp"
#include "cli/plugin_project.hpp"

#include <algorithm>
#include <iostream>

namespace osteon::cli {

namespace {

namespace fs = std::filesystem;

/// A path as one types it into a shell.
std::string shell_word(const fs::path& path) {
  const std::string word = path.string();
  return word.find_first_of(" \t\"'$&|;<>()*?[]#~\\`") == std::string::npos ? word : "'" + word + "'";
}

void make_project(const std::string& kind, const std::string& name, fs::path folder, const Common& common) {
  require_plugin_kind(kind);
  require_plugin_name(name);
  if (folder.empty()) folder = name;
  const std::vector<fs::path> search_path = host::Registry::search_path(common.plugin_folders);
  const Installation installation = installation_of(search_path.back());
  const std::vector<fs::path> files = write_plugin_project(kind, name, folder, installation);
  for (const fs::path& file : files) std::cout << "made       " << (folder / file).string() << "\n";
  const std::vector<host::FoundPlugin> found = host::Registry(search_path).list();
  const auto same = std::ranges::find_if(
      found, [&](const host::FoundPlugin& plugin) { return plugin.kind == kind && plugin.name == name; });
  if (same != found.end())
    std::cout << "note       " << kind << "/" << name << " exists already (" << same->library.string()
              << "); with --plugins the new one goes before it\n";
  const std::string there = shell_word(folder), build = shell_word(folder / "build");
  std::cout << "build it   cmake -S " << there << " -B " << build
            << " -DCMAKE_PREFIX_PATH=" << shell_word(installation.prefix) << "\n           cmake --build " << build
            << "\ntest it    ctest --test-dir " << build << "\nsee it     osteon describe " << kind << "/" << name
            << " --plugins " << build << "\n";
}

}  // namespace

void add_new(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "new", "Begin a plugin of one's own: a small working method with test, benchmark and CMake project");
  auto kind = std::make_shared<std::string>();
  auto name = std::make_shared<std::string>();
  auto folder = std::make_shared<fs::path>();
  command->add_option("KIND", *kind, "A kind of plugin, as in loss")->required()->type_name("KIND");
  command->add_option("NAME", *name, "Its name: lower case letters, digits and single underscores")
      ->required()
      ->type_name("");
  command->add_option("--out", *folder, "The project's folder, new or empty; NAME by default")->type_name("DIR");
  add_plugins_option(*command, common);
  command->callback([&common, kind, name, folder] { make_project(*kind, *name, *folder, common); });
}

}  // namespace osteon::cli
