#pragma once

// Readers of other origin: scripts under tools/ that Debian's Python runs and that print JSON.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace osteon {

/// Debian's Python: the one on the path may be another, without these modules.
inline bool python_has(const std::string& modules) {
  return std::system(("/usr/bin/python3 -c 'import " + modules + "' > /dev/null 2>&1").c_str()) == 0;
}

struct Answer {
  int code;
  std::string words;  ///< standard output and error
};

inline Answer ask(const std::string& script, const std::filesystem::path& path, const std::string& more = "") {
  const std::string command = "/usr/bin/python3 '" + std::string(OSTEON_SOURCE_DIR) + "/tests/reporter/tools/" +
                              script + "' '" + path.string() + "' " + more + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, "cannot start " + command};
  Answer answer{0, ""};
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    answer.words.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

/// What a script says; an empty object, and a failed test, where it found a mistake.
inline nlohmann::json read_by(const std::string& script, const std::filesystem::path& path,
                              const std::string& more = "") {
  const Answer answer = ask(script, path, more);
  EXPECT_EQ(answer.code, 0) << answer.words;
  return answer.code == 0 ? nlohmann::json::parse(answer.words) : nlohmann::json::object();
}

}  // namespace osteon
