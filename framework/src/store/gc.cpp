// Survey and removal; see the header.
//
// A run writes each key down before it looks the artifact up, both under a lock that removal holds alone (users.hpp):
// either removal sees the key and leaves the artifact, or the run finds the artifact gone and makes it.

#include "store/gc.hpp"

#include "store/disk.hpp"
#include "store/layout.hpp"
#include "store/quota.hpp"
#include "store/users.hpp"

#include <osteon/files.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <tuple>

namespace osteon::store {

namespace {

namespace fs = std::filesystem;

constexpr const char* kRunning = "a process that runs now";

bool is_key(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

double days_since(const fs::path& path) {
  std::error_code gone;
  const auto written = fs::last_write_time(path, gone);
  if (gone) return 0;
  return std::chrono::duration<double, std::ratio<86400>>(fs::file_time_type::clock::now() - written).count();
}

/// What a manifest says; "damaged" where it can't be read.
std::pair<std::string, std::string> stage_and_subject(const fs::path& folder) {
  try {
    const auto manifest = nlohmann::json::parse(read_file(folder / "manifest.json"));
    return {manifest.at("stage"), manifest.at("subject")};
  } catch (const std::exception&) {
    return {"damaged", ""};
  }
}

/// All keys that somebody needs, by who does. Lookups are locked: reading a list tries its lock.
Claims all_claims(const fs::path& root, Claims claims) {
  for (User& user : users_of(root)) {
    if (!user.counts()) continue;
    claims[user.run.empty() ? kRunning : user.run.string()].merge(user.keys);
  }
  return claims;
}

bool is_claimed(const Claims& claims, const std::string& key) {
  return std::ranges::any_of(claims, [&](const auto& claim) { return claim.second.contains(key); });
}

/// Folders of artifacts: ab/ab12….
void for_each_artifact(const fs::path& root, const std::function<void(const fs::path&)>& body) {
  std::error_code ignored;
  for (const auto& group : fs::directory_iterator(root)) {
    if (group.path().filename().string().size() != 2 || !group.is_directory(ignored)) continue;
    for (const auto& entry : fs::directory_iterator(group.path(), ignored))
      if (is_key(entry.path().filename().string())) body(entry.path());
  }
}

/// The lock of an artifact in the making, or nothing when another process holds it.
std::optional<HeldFile> lock_of_making(const fs::path& root, const std::string& key) {
  HeldFile held(::open((root / "locks" / key).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!held || ::flock(held.descriptor(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return held;
}

}  // namespace

Survey survey(const fs::path& root, const Claims& given) {
  std::error_code problem;
  if (!fs::is_directory(root, problem))
    throw Error(text(root.string(), ": there is no store; OSTEON_STORE names one, by default runs/.store"));
  const Claims claims = [&] {
    const HeldFile alone = lock_of_lookups(root, true);
    return all_claims(root, given);
  }();
  Survey result;
  for_each_artifact(root, [&](const fs::path& folder) {
    const std::string key = folder.filename();
    const std::uint64_t bytes = bytes_below(folder);
    bool is_needed = false;
    for (const auto& [who, keys] : claims) {
      if (!keys.contains(key)) continue;
      is_needed = true;
      ++result.needed[who].artifacts;
      result.needed[who].bytes += bytes;
    }
    if (is_needed) {
      ++result.all_needed.artifacts;
      result.all_needed.bytes += bytes;
      return;
    }
    const auto [stage, subject] = stage_and_subject(folder);
    result.strays.push_back({folder, key, stage, subject, bytes, days_since(folder / "manifest.json")});
  });
  for (const auto& entry : fs::directory_iterator(root / "work", problem)) {
    const std::string key = entry.path().filename();
    if (is_key(key) && !is_claimed(claims, key))
      result.strays.push_back({entry.path(), key, "checkpoint", "of a training that no run asks for any more",
                               bytes_below(entry.path()), days_since(entry.path())});
  }
  for (const fs::path& path : leftovers_of(root))
    result.strays.push_back(
        {path, "", "leftover", "half-written by a process that is gone", bytes_below(path), days_since(path)});
  std::ranges::sort(result.strays, [](const Stray& a, const Stray& b) {
    return std::tuple(a.stage, -a.days, a.path) < std::tuple(b.stage, -b.days, b.path);
  });
  return result;
}

std::vector<Stray> remove_strays(const fs::path& root, const Claims& given, const std::vector<Stray>& strays) {
  std::vector<Stray> gone;
  std::vector<fs::path> aside;
  {
    const HeldFile alone = lock_of_lookups(root, true);
    const Claims claims = all_claims(root, given);
    for (const Stray& stray : strays) {
      if (is_claimed(claims, stray.key)) continue;
      const auto making = stray.key.empty() ? std::nullopt : lock_of_making(root, stray.key);
      if (!stray.key.empty() && !making) continue;
      // A rename is at once; what takes long is done when others may look again. A kill in between leaves a leftover.
      const fs::path to = temporary_path(root, stray.key.empty() ? "leftover" : stray.key);
      std::error_code problem;
      fs::rename(stray.path, to, problem);
      if (problem == std::errc::no_such_file_or_directory) continue;  // somebody else has removed it
      if (problem) throw cannot(stray.path, "remove", problem.value());
      aside.push_back(to);
      gone.push_back(stray);
    }
    for (const User& user : users_of(root)) {
      std::error_code ignored;
      if (!user.counts()) fs::remove(user.file, ignored);
    }
  }
  for (const fs::path& path : aside) {
    std::error_code problem;
    fs::remove_all(path, problem);
    if (problem) throw cannot(path, "remove", problem.value());
  }
  return gone;
}

}  // namespace osteon::store
