#include "pipeline/claims.hpp"

#include "pipeline/point_record.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

namespace osteon::pipeline {

namespace fs = std::filesystem;

namespace {

/// Keys of one folder, without those below: of its stages, and of its network where it is older than they are.
std::set<std::string> keys_of(const fs::path& run) {
  const std::vector<std::string> artifacts = artifacts_of(run);
  std::set<std::string> keys(artifacts.begin(), artifacts.end());
  std::error_code ignored;
  if (!fs::is_regular_file(run / "model.json", ignored)) return keys;
  const auto model = nlohmann::json::parse(read_file(run / "model.json"), nullptr, false);
  if (model.is_object() && model.contains("key") && model.at("key").is_string()) keys.insert(model.at("key"));
  return keys;
}

/// Down to the points of sweeps in a folder of runs.
void collect(const fs::path& folder, int depth, store::Claims& claims) {
  if (auto keys = keys_of(folder); !keys.empty()) claims[fs::absolute(folder).lexically_normal().string()].merge(keys);
  if (depth == 0) return;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_directory(ignored) && !entry.path().filename().string().starts_with('.'))
      collect(entry.path(), depth - 1, claims);
}

}  // namespace

void add_claims(const fs::path& folder, store::Claims& claims) {
  collect(folder.has_filename() ? folder : folder.parent_path(), 2, claims);
}

store::Claims claims_of(std::span<const fs::path> folders) {
  store::Claims claims;
  for (const fs::path& folder : folders) {
    const std::size_t before = claims.size();
    add_claims(folder, claims);
    if (claims.size() == before)
      throw Error(
          text(folder.string(), ": neither the folder of a run nor one of runs; what it needs could not be kept"));
  }
  return claims;
}

}  // namespace osteon::pipeline
