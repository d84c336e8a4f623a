#include "cli/plugin_project.hpp"

#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

#include <unistd.h>

namespace osteon::cli {

namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kAbout = "about.md";

bool is_small_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string replaced(std::string content, const Words& words) {
  for (const auto& [word, by] : words)
    for (std::size_t at = content.find(word); at != std::string::npos; at = content.find(word, at + by.size()))
      content.replace(at, word.size(), by);
  return content;
}

/// "my_loss" → "MyLoss". The kind at the end keeps it apart from the SDK's own names: loss/mesh is MeshLoss.
std::string class_name(const std::string& kind, const std::string& name) {
  const bool says_kind = name.ends_with("_" + kind);
  std::string result;
  bool begins = true;
  for (const char c : says_kind ? name : name + "_" + kind) {
    if (c != '_') result += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = c == '_';
  }
  return result;
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

fs::path without_end_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

/// The last line's end belongs to the file that it is put into.
std::string read_paragraphs(const fs::path& file) {
  std::string content = read_file(file);
  while (content.ends_with('\n')) content.pop_back();
  return content;
}

Error cannot_make(const fs::path& folder, const std::error_code& problem) {
  return failure(text(folder.string(), ": cannot make the folder: ", problem.message()));
}

void require_free(const fs::path& folder) {
  if (!fs::exists(fs::symlink_status(folder))) return;
  if (!fs::is_directory(folder)) throw Error(text(folder.string(), ": is no folder; name another one with --out"));
  if (!fs::is_empty(folder)) throw Error(text(folder.string(), ": is not empty; name a new folder with --out"));
}

/// A folder beside the one that is wanted, gone at the end unless it was moved there.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& wanted)
      : wanted_(without_end_slash(fs::weakly_canonical(fs::absolute(wanted)))),
        path_(wanted_.parent_path() / text(wanted_.filename().string(), ".", ::getpid(), ".partial")) {
    std::error_code problem;
    fs::create_directories(path_, problem);
    if (problem) throw cannot_make(wanted, problem);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

  /// An empty folder that is there is kept, as a shell may stand in it.
  void move_there() const {
    std::error_code problem;
    if (!fs::exists(wanted_)) fs::rename(path_, wanted_, problem);
    if (!problem && fs::exists(path_))
      for (const fs::path& file : files_of(path_))
        if (!problem) fs::rename(file, wanted_ / file.filename(), problem);
    if (problem) throw cannot_make(wanted_, problem);
  }

 private:
  fs::path wanted_, path_;
};

}  // namespace

void require_plugin_kind(const std::string& word) {
  if (host::is_kind(word)) return;
  const std::vector<std::string> kinds(host::kKinds.begin(), host::kKinds.end());
  std::string all;
  for (const std::string& kind : kinds) all += (all.empty() ? "" : ", ") + kind;
  const std::string near = host::nearest_word(word, kinds);
  throw Error(text("\"", word, "\" is no kind of plugin", near.empty() ? "" : "; did you mean \"" + near + "\"?",
                   near.empty() ? "; there are: " : " There are: ", all));
}

void require_plugin_name(const std::string& name) {
  bool sound = !name.empty() && name.front() >= 'a' && name.front() <= 'z' && name.back() != '_';
  for (std::size_t i = 0; i < name.size(); ++i)
    sound = sound && (is_small_or_digit(name[i]) || (name[i] == '_' && name[i - 1] != '_'));
  if (!sound)
    throw Error(text("\"", name,
                     "\" cannot be a plugin's name: expected lower case letters, digits and single underscores between "
                     "them, a letter first, as in my_loss"));
  for (const char* ending : {"_test", "_benchmark"})
    if (name.ends_with(ending))
      throw Error(text("\"", name, "\" cannot be a plugin's name: a file NAME", ending,
                       ".cpp is not compiled into a plugin; choose another ending"));
}

Installation installation_of(const fs::path& own_plugins) {
  const fs::path prefix = own_plugins.parent_path().parent_path().parent_path();
  const fs::path templates = prefix / "share" / "osteon" / "templates";
  if (!fs::is_directory(templates / "common"))
    throw failure(text(templates.string(), ": the templates of plugins are missing; install Osteon again"));
  return {prefix, templates};
}

std::vector<fs::path> write_plugin_project(const std::string& kind, const std::string& name, const fs::path& folder,
                                           const Installation& installation) {
  require_free(folder);
  const Words words = {{"plugin_about", read_paragraphs(installation.templates / kind / kAbout)},
                       {"plugin_kind", kind},
                       {"plugin_name", name},
                       {"PluginName", class_name(kind, name)},
                       {"osteon_prefix", installation.prefix.string()}};
  const PartialFolder partial(folder);
  std::vector<fs::path> made;
  for (const char* part : {"common", kind.c_str()})
    for (const fs::path& file : files_of(installation.templates / part)) {
      if (file.filename() == kAbout) continue;
      made.emplace_back(replaced(file.filename().string(), words));
      write_file(partial.path() / made.back(), replaced(read_file(file), words));
    }
  partial.move_there();
  return made;
}

}  // namespace osteon::cli
