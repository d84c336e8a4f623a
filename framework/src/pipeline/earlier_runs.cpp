#include "pipeline/earlier_runs.hpp"

#include "pipeline/reporters.hpp"
#include "store/layout.hpp"
#include "store/quota.hpp"

#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kMostRuns = 48, kMostWeighed = 8;

json json_of(const fs::path& file) {
  std::error_code problem;
  return fs::is_regular_file(file, problem) ? json::parse(read_file(file), nullptr, false) : json();
}

bool is_complete(const fs::path& folder) {
  const json state = json_of(folder / kStateFile);
  return state.is_object() && state.value("status", "") == "complete";
}

/// Folders of one title differ in the digest at the end.
std::string title_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name.substr(0, name.rfind('-'));
}

/// The newest first.
std::vector<fs::path> complete_runs(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code ignored;
  const auto consider = [&](const fs::path& run) {
    if (fs::exists(run / "stages.json", ignored) && is_complete(run))
      found.emplace_back(fs::last_write_time(run / "stages.json", ignored), run);
  };
  for (const auto& run : fs::directory_iterator(folder.parent_path(), ignored)) {
    if (!run.is_directory(ignored) || title_of(run.path()) != title_of(folder)) continue;
    consider(run.path());
    for (const auto& point : fs::directory_iterator(run.path(), ignored)) {
      if (found.size() >= kMostRuns) break;
      if (point.is_directory(ignored)) consider(point.path());
    }
  }
  std::ranges::sort(found, std::greater<>());
  std::vector<fs::path> runs;
  for (auto& [when, run] : found) runs.push_back(std::move(run));
  return runs;
}

}  // namespace

bool is_shared_stage(const std::string& stage) {
  static constexpr std::array<std::string_view, 4> kShared = {"source", "surface", "render", "network_input"};
  return std::ranges::find(kShared, stage) != kShared.end();
}

std::optional<double> EarlierRuns::Mean::value() const {
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

EarlierRuns earlier_runs(const fs::path& folder, const store::Store& store) {
  EarlierRuns result;
  for (const fs::path& run : complete_runs(folder)) {
    const json stages = json_of(run / "stages.json");
    if (!stages.is_array()) continue;
    double bytes = 0;
    for (const json& stage : stages) try {
        const std::string name = stage.at("stage");
        const std::int64_t made = stage.at("made");
        if (made > 0) result.seconds[name].add(stage.at("seconds"), is_shared_stage(name) ? made : 1);
        if (is_shared_stage(name) || result.bytes.count >= static_cast<std::int64_t>(kMostWeighed)) continue;
        for (const std::string key : stage.at("artifacts"))
          bytes += static_cast<double>(store::bytes_below(store::artifact_folder(store.root(), key)));
      } catch (const json::exception&) {  // of an older version: it tells nothing
      }
    if (bytes > 0) result.bytes.add(bytes);
  }
  return result;
}

}  // namespace osteon::pipeline
