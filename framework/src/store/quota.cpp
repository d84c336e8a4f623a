// Sizes and room; see the header.

#include "store/quota.hpp"

#include <osteon/error.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace osteon::store {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
    {{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}};

/// What a store holds, counted anew after some seconds: other processes write into it too.
std::uint64_t bytes_held(const fs::path& root, std::uint64_t to_come) {
  struct Count {
    std::uint64_t bytes = 0;
    std::chrono::steady_clock::time_point when;
  };
  static std::mutex mutex;
  static std::map<fs::path, Count> counts;
  constexpr std::chrono::seconds kFresh{5};
  const std::lock_guard lock(mutex);
  const auto now = std::chrono::steady_clock::now();
  const auto [count, is_new] = counts.try_emplace(root);
  if (is_new || now - count->second.when > kFresh) count->second = {bytes_below(root), now};
  const std::uint64_t held = count->second.bytes;
  count->second.bytes += to_come;
  return held;
}

}  // namespace

std::optional<std::uint64_t> bytes_from(std::string_view words) {
  double number = 0;
  const auto [end, problem] = std::from_chars(words.data(), words.data() + words.size(), number);
  if (problem != std::errc() || !(number >= 0) || number > 1e18) return std::nullopt;
  std::string_view unit = words.substr(static_cast<std::size_t>(end - words.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.empty()) unit = "B";
  for (const auto& [name, factor] : kUnits)
    if (unit == name) return static_cast<std::uint64_t>(number * factor);
  return std::nullopt;
}

std::string size_text(std::uint64_t bytes) {
  for (const auto& [name, factor] : kUnits) {
    const double number = static_cast<double>(bytes) / factor;
    if (number < 1 && factor > 1) continue;
    char words[32];
    std::snprintf(words, sizeof words, number < 100 && factor > 1 ? "%.1f " : "%.0f ", number);
    return words + std::string(name);
  }
  return "0 B";
}

std::optional<std::uint64_t> quota() {
  const char* const given = std::getenv(kQuotaVariable);
  if (given == nullptr || *given == '\0') return std::nullopt;
  const auto bytes = bytes_from(given);
  if (!bytes) throw Error(text(kQuotaVariable, "=", given, ": must be a size, e.g. \"50 GB\" or \"800 MB\""));
  return bytes;
}

std::uint64_t bytes_below(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return fs::file_size(path, ignored);
  std::uint64_t bytes = 0;
  fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, ignored);
  for (; entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
    if (ignored) break;
    std::error_code gone;
    const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

Room room_of(const fs::path& root) {
  std::error_code problem;
  fs::path there = fs::absolute(root).lexically_normal();
  while (!fs::exists(there, problem) && there.has_relative_path()) there = there.parent_path();
  Room room{fs::space(there, problem).available, false};
  if (problem) throw failure(text(there.string(), ": cannot say how much room it has: ", problem.message()));
  if (const auto most = quota()) {
    const std::uint64_t held = bytes_below(root), left = *most > held ? *most - held : 0;
    if (left < room.bytes) room = {left, true};
  }
  return room;
}

void require_quota(const fs::path& root, std::uint64_t bytes, const std::string& what) {
  const auto most = quota();
  if (!most) return;
  const std::uint64_t held = bytes_held(root, bytes);
  if (held + bytes <= *most) return;
  throw failure(text(root.string(), ": holds ", size_text(held), ", and ", what, " needs ", size_text(bytes),
                     " more, but ", kQuotaVariable, " allows ", size_text(*most),
                     "; `osteon gc` lists what no run needs, and removes it with --delete"));
}

}  // namespace osteon::store
