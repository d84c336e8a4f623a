#pragma once

// What the tests of sweeps share: a sweep that takes seconds, and what it leaves behind.

#include "pipeline/command.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace osteon::test {

/// Each test has a store of its own, wherever the person who runs them keeps theirs.
inline const bool kIsStandardStore = ::unsetenv("OSTEON_STORE") == 0 && ::unsetenv("OSTEON_STORE_QUOTA") == 0;

inline bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }

/// Three points that share all but a short training, as the arguments of `osteon run`: no heat maps, no control and
/// the metrics that cost little, so that a process costs more than its work.
inline std::string tiny_sweep(const Workplace& place, const std::string& sweep = "\"loss.margin\" = [0.1, 0.2, 1.0]") {
  std::ofstream(place.folder() / "sweep.toml")
      << "title = \"Tiny sweep\"\nextends = \"" << OSTEON_SOURCE_DIR << "/experiments/quickstart.toml\"\n[sweep]\n"
      << sweep << "\n";
  const std::string profile = small_profile();
  return "sweep.toml " + profile.substr(profile.find("--set")) +
         " --set control.poses=0 --set grad_cam.images=0 --set training.epochs=1";
}

/// The figures of every point of a sweep and its table, as they stand in the files.
inline std::vector<std::string> figures(const fs::path& run, int points) {
  std::vector<std::string> all{read(run / "table.csv")};
  for (int point = 1; point <= points; ++point)
    all.push_back(read(run / ("0" + std::to_string(point)) / "values.json"));
  return all;
}

/// Every artifact of a store by its key, with the bytes of its manifest (which has the digest of each tensor).
inline std::map<std::string, std::string> artifacts(const fs::path& store) {
  std::map<std::string, std::string> found;
  for (const auto& group : fs::directory_iterator(store)) {
    if (group.path().filename().string().size() != 2) continue;
    for (const auto& entry : fs::directory_iterator(group))
      found[entry.path().filename()] = read(entry.path() / "manifest.json");
  }
  return found;
}

/// The keys of all artifacts that a run's folder and its points name.
inline std::set<std::string> named_keys(const fs::path& run) {
  std::set<std::string> keys;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    if (entry.path().filename() != "stages.json") continue;
    for (const auto& stage : nlohmann::json::parse(read(entry.path())))
      for (const std::string key : stage.at("artifacts")) keys.insert(key);
  }
  return keys;
}

}  // namespace osteon::test
