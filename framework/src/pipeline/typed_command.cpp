#include "pipeline/typed_command.hpp"

#include "store/store.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kStore = "OSTEON_STORE";
/// What else changes which plugins, which keys and how much room a run finds.
constexpr const char* kVariables[] = {"OSTEON_PLUGIN_PATH", "OSTEON_THREADS", "OSTEON_STORE_QUOTA"};

/// Without what a sweep or `resume` has added, which they add again.
std::vector<std::string> without_additions(std::vector<std::string> words) {
  for (const char* option : {"--typed", "--into"})
    if (const auto found = std::ranges::find(words, option); found != words.end() && std::next(found) != words.end())
      words.erase(found, found + 2);
  return words;
}

}  // namespace

void keep_command(const fs::path& folder, const std::vector<std::string>& words, const std::string& line) {
  json environment = {{kStore, fs::absolute(store::Store::standard_root()).lexically_normal().string()}};
  for (const char* name : kVariables)
    if (const char* value = std::getenv(name)) environment[name] = value;
  write_file(folder / kCommandFile, json({{"words", without_additions(words)},
                                          {"line", line},
                                          {"working_folder", fs::current_path().string()},
                                          {"environment", environment}})
                                        .dump(1));
}

TypedCommand command_of(const fs::path& folder) {
  const fs::path file = folder / kCommandFile;
  if (!fs::exists(file))
    throw Error(text(folder.string(), ": not the folder of a run that can be gone on with (it has no ", kCommandFile,
                     "); runs stand under runs/, and the command that made them goes on with them too"));
  try {
    const json kept = json::parse(read_file(file));
    return {kept.at("words"), kept.at("line"), fs::path(kept.at("working_folder").get<std::string>()),
            kept.at("environment")};
  } catch (const json::exception&) {
    throw Error(text(file.string(), ": damaged; type the command again, which goes on with the run"));
  }
}

void resume(const fs::path& folder) {
  TypedCommand command = command_of(folder);
  const fs::path whole = fs::canonical(folder);
  if (::chdir(command.working_folder.c_str()) != 0)
    throw Error(text(folder.string(), ": was run in ", command.working_folder.string(), ", which cannot be entered (",
                     std::strerror(errno), "); type the command again where the experiment lies now: ", command.line));
  for (const auto& [name, value] : command.environment) ::setenv(name.c_str(), value.c_str(), 0);
  std::vector<std::string> words = command.words;
  words.insert(words.begin(), "osteon");
  words.insert(words.end(), {std::string("--typed"), command.line, std::string("--into"), whole.string()});
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv("/proc/self/exe", pointers.data());
  throw failure(text("cannot start the run again: ", std::strerror(errno)));
}

}  // namespace osteon::pipeline
