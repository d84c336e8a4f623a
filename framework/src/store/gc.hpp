#pragma once

// What of a store nobody needs: artifacts that no run names, checkpoints that no run will go on from, and what killed
// processes left half-written.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace osteon::store {

/// Something that may go.
struct Stray {
  std::filesystem::path path;
  std::string key;      ///< of an artifact or a checkpoint; "" for a leftover
  std::string stage;    ///< "render"; "checkpoint", "leftover"
  std::string subject;  ///< what it was made for, as far as known
  std::uint64_t bytes = 0;
  double days = 0;  ///< since it was written
};

/// What somebody needs.
struct Needed {
  std::int64_t artifacts = 0;
  std::uint64_t bytes = 0;
};

struct Survey {
  std::vector<Stray> strays;             ///< by stage, then the oldest first
  std::map<std::string, Needed> needed;  ///< by who needs it: a run's folder, "a process that runs now"
  Needed all_needed;                     ///< each once
};

/// Keys by who needs them, beyond what the store's own lists say.
using Claims = std::map<std::string, std::set<std::string>>;

/// Looks at the whole store; removes nothing. Throws `Error` when there is no store.
[[nodiscard]] Survey survey(const std::filesystem::path& root, const Claims& claims);

/// Removes the strays that still nobody needs, and lists of runs that are gone. What a process makes at this moment
/// stays. Returns what is gone.
std::vector<Stray> remove_strays(const std::filesystem::path& root, const Claims& claims,
                                 const std::vector<Stray>& strays);

}  // namespace osteon::store
