#pragma once

// How a run was started, kept in its folder, so that `osteon resume` starts it again from anywhere.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon::pipeline {

inline constexpr const char* kCommandFile = "command.json";

struct TypedCommand {
  std::vector<std::string> words;                  ///< arguments of this program
  std::string line;                                ///< as a person typed it
  std::filesystem::path working_folder;            ///< where; absolute
  std::map<std::string, std::string> environment;  ///< what of it the run depends on, where it was set
};

/// Keeps the words, with the working folder and environment of this process.
void keep_command(const std::filesystem::path& folder, const std::vector<std::string>& words, const std::string& line);

/// Throws `Error` when the folder is no run's, or of a version that kept no command.
[[nodiscard]] TypedCommand command_of(const std::filesystem::path& folder);

/// Replaces this process by the run of a folder. What the environment sets now wins over what was set then. Throws
/// `Error` when the working folder is gone.
[[noreturn]] void resume(const std::filesystem::path& folder);

}  // namespace osteon::pipeline
