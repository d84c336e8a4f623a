#include "cli/commands.hpp"
#include "cli/manual.hpp"
#include "config/document.hpp"
#include "pipeline/runner.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <iostream>

#include <unistd.h>

namespace osteon::cli {

namespace {

/// Lists the pages of a folder that `osteon docs` wrote: the mark by which it knows its own.
constexpr const char* kPageList = ".osteon-docs";

/// What is written by hand, beside the program in a build and in an installation alike.
std::filesystem::path hand_written() {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  std::filesystem::path folder = program.parent_path().parent_path() / "share" / "osteon" / "docs";
  if (!std::filesystem::is_directory(folder))
    throw failure(folder.string() + ": the manual's hand-written part is missing; install Osteon again");
  return folder;
}

Pages manual(host::Registry& registry, const CLI::App& app, std::vector<std::string>& problems) {
  const std::filesystem::path folder = hand_written();
  Pages pages;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "tutorials"))
    pages["tutorials/" + entry.path().filename().string()] = read_file(entry.path());
  const std::vector<DescribedPlugin> plugins = described_plugins(registry, problems);
  add_plugin_pages(plugins, pages);
  add_experiment_page(read_file(folder / "experiment-file.md"), pipeline::sections(), plugins, pages);
  add_command_page(command_tree(app), pages);
  add_index_page(plugins, pages);
  return pages;
}

/// Replacing must lose nothing that someone else put there.
void refuse_foreign(const std::filesystem::path& out) {
  if (!std::filesystem::exists(out)) return;
  if (!std::filesystem::is_directory(out)) throw Error(out.string() + " is a file; --out names a folder");
  if (std::filesystem::is_empty(out)) return;
  if (!std::filesystem::exists(out / kPageList))
    throw Error(out.string() + " was not written by osteon docs, which replaces a folder as a whole; name a new one");
  const std::vector<std::string> own = config::split(read_file(out / kPageList), '\n');
  for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
    const std::string name = entry.path().lexically_relative(out).generic_string();
    if (entry.is_directory() || name == kPageList || std::ranges::find(own, name) != own.end()) continue;
    throw Error(entry.path().string() + " was not written by osteon docs and would be lost; move it out of " +
                out.string());
  }
}

void write_pages(const Pages& pages, const std::filesystem::path& folder) {
  std::string names;
  for (const auto& [name, text] : pages) {
    std::filesystem::create_directories((folder / name).parent_path());
    write_file(folder / name, text);
    names += name + "\n";
  }
  write_file(folder / kPageList, names);
}

/// Readers see the old manual or the new one. A kill between the two renames leaves the old one under its other name.
void replace_folder(const Pages& pages, const std::filesystem::path& out) {
  const std::string process = std::to_string(::getpid());
  const std::filesystem::path fresh = out.string() + ".new-" + process, old = out.string() + ".old-" + process;
  try {
    write_pages(pages, fresh);
    if (std::filesystem::exists(out)) std::filesystem::rename(out, old);
    std::filesystem::rename(fresh, out);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(fresh, ignored);
    if (std::filesystem::exists(old, ignored) && !std::filesystem::exists(out, ignored))
      std::filesystem::rename(old, out, ignored);
    throw;
  }
  std::filesystem::remove_all(old);
}

}  // namespace

void add_docs(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "docs", "Write the manual as Markdown: tutorials, the experiment file, commands, every plugin and parameter");
  auto out = std::make_shared<std::filesystem::path>();
  command->add_option("--out", *out, "Folder to write to; replaced as a whole where osteon docs has written it before")
      ->required()
      ->type_name("DIR");
  add_plugins_option(*command, common);
  command->callback([&app, &common, out] {
    std::filesystem::path folder = std::filesystem::absolute(*out).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "docs/" is "docs"
    refuse_foreign(folder);
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    std::vector<std::string> problems;
    const Pages pages = manual(registry, app, problems);
    for (const std::string& problem : problems) std::cerr << "left out    " << problem << "\n";
    replace_folder(pages, folder);
    std::cout << "wrote " << pages.size() << " pages to " << out->string() << "; begin with index.md\n";
  });
}

}  // namespace osteon::cli
