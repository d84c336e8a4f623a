#pragma once

// Runs the command `osteon` as a user would, in a folder of its own, and reads what it leaves behind.

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <stdlib.h>
#include <sys/wait.h>
#include <nlohmann/json.hpp>

namespace osteon::test {

namespace fs = std::filesystem;

inline std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A fresh folder, removed at the end.
class Workplace {
 public:
  Workplace() {
    std::string pattern = (fs::temp_directory_path() / "osteon-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] const fs::path& folder() const { return folder_; }

  struct Outcome {
    int code = 0;  ///< exit code; 128 + n when ended by signal n
    std::string out, err;
  };

  /// `osteon ARGUMENTS` in the folder; `environment` is put before it: "OSTEON_FAULT=batch:2".
  [[nodiscard]] Outcome osteon(const std::string& arguments, const std::string& environment = "") const {
    return shell(environment + " " + OSTEON_BUILD_DIR + "/bin/osteon " + arguments);
  }

  [[nodiscard]] Outcome shell(const std::string& command) const {
    const std::string line = "cd '" + folder_.string() + "' && (" + command + ") > out.txt 2> err.txt < /dev/null";
    const int status = std::system(line.c_str());
    Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read(folder_ / "out.txt"),
                    read(folder_ / "err.txt")};
    return outcome;
  }

 private:
  fs::path folder_;
};

/// A profile of the quickstart that takes seconds: few, coarse phantoms and a narrow network.
inline std::string small_profile() {
  const std::string experiments = std::string(OSTEON_SOURCE_DIR) + "/experiments";
  return experiments +
         "/quickstart.toml --set source.bones=4 --set source.spacing=4.0 --set split.held_out=1 --set views.height=32 --set views.axial_step=20"
         " --set views.in_plane_step=21 --set views.query_poses=3 --set film.energies=[60] --set backbone.width=0.125 --set head.dimensions=32"
         " --set training.epochs=2 --set training.classes_per_batch=3 --set training.images_per_class=3"
         " --set training.threads=1 --set training.precision=fp32"
         " --set control.poses=1 --set metric.shape_error.samples=1000";
}

/// The one run folder of a workplace.
inline fs::path only_run(const Workplace& workplace) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(workplace.folder() / "runs"))
    if (entry.path().filename() != ".store") found = entry.path();
  return found;
}

/// What each stage of a run made and reused.
struct StageCount {
  int made = 0, reused = 0;
  std::string reason;
};
inline std::map<std::string, StageCount> stages(const fs::path& run) {
  std::map<std::string, StageCount> result;
  for (const auto& record : nlohmann::json::parse(read(run / "stages.json")))
    result[record.at("stage")] = {record.at("made"), record.at("reused"), record.at("reason")};
  return result;
}

/// Content digests of all artifacts of a stage in a store, by subject.
inline std::map<std::string, std::string> digests(const fs::path& store, const std::string& stage) {
  std::map<std::string, std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    if (entry.path().filename() != "manifest.json") continue;
    const auto manifest = nlohmann::json::parse(read(entry.path()));
    if (manifest.at("stage") == stage) result[manifest.at("subject")] = manifest.at("digest");
  }
  return result;
}

}  // namespace osteon::test
