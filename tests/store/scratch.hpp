#pragma once

// What the store's tests share: folders that go away, expected errors, and children that may be killed.

#include <osteon/error.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon::store {

/// A new folder below the system's temporary one.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "osteon-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw failure("cannot make a folder for a test");
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The message of the `Error` that `body` throws; "nothing was thrown" otherwise.
template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

/// Starts this test program again (fork and exec: thread pools do not survive a bare fork) to run one disabled test
/// with some environment variables set. Returns the child's number.
inline pid_t start_child(const std::string& test, const std::map<std::string, std::string>& environment) {
  std::vector<std::string> words{"/proc/self/exe", "--gtest_also_run_disabled_tests", "--gtest_filter=" + test};
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> arguments, environment_block;
  for (std::string& word : words) arguments.push_back(word.data());
  for (std::string& variable : variables) environment_block.push_back(variable.data());
  arguments.push_back(nullptr);
  environment_block.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execve(arguments[0], arguments.data(), environment_block.data());
    ::_exit(127);
  }
  return child;
}

/// The status that `wait` gives: use WIFEXITED, WEXITSTATUS, WIFSIGNALED, WTERMSIG.
inline int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace osteon::store
