#pragma once

// A small sweep and the places where its points go; and stand-ins for Slurm's commands that answer as a test wants.

#include "pipeline/command.hpp"

#include <gtest/gtest.h>

#include <string>

namespace osteon::test {

inline bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }

inline nlohmann::json state(const fs::path& folder) { return nlohmann::json::parse(read(folder / "state.json")); }

/// Writes the small profile as the file NAME with a sweep; returns the arguments that run it.
inline std::string sweep_of(const fs::path& folder, const std::string& name, const std::string& sweep) {
  std::ofstream(folder / name) << "title = \"Small sweep\"\nextends = \"" << OSTEON_SOURCE_DIR
                               << "/experiments/quickstart.toml\"\n[sweep]\n"
                               << sweep << "\n";
  const std::string profile = small_profile();
  return name + " " + profile.substr(profile.find("--set"));
}

/// The one folder in `runs`.
inline fs::path only_folder(const fs::path& runs) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(runs))
    if (entry.path().filename() != ".store") found = entry.path();
  return found;
}

/// A workplace with a folder of commands of the test's own making before all others on the PATH.
class FakeSlurm : public Workplace {
 public:
  FakeSlurm() {
    command("sbatch", "echo \"$@\" >> submitted.txt; echo $((100 + $(wc -l < submitted.txt)))");
    command("scontrol", "echo 'MaxArraySize            = 1001'");
    command("squeue", "cat squeue.txt 2> nothing.txt");
    command("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
  }

  void command(const std::string& name, const std::string& body) const {
    fs::create_directories(folder() / "bin");
    std::ofstream(folder() / "bin" / name) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(folder() / "bin" / name, fs::perms::owner_all);
  }

  void queue(const std::string& lines) const { std::ofstream(folder() / "squeue.txt") << lines; }

  [[nodiscard]] Outcome osteon(const std::string& arguments) const {
    return Workplace::osteon(arguments, "OSTEON_STORE= PATH=" + (folder() / "bin").string() + ":$PATH");
  }
};

}  // namespace osteon::test
