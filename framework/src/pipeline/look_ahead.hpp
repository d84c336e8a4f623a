#pragma once

// What there is to do for an experiment, found out without making anything: which points are done, what the store has
// of the stages that points share, how long the rest takes and how much disk it needs.

#include "pipeline/point_record.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace osteon::pipeline {

/// One of the stages that several points may share, by the keys of its artifacts.
struct StageNeed {
  std::string stage;
  std::set<std::string> stored, lacking;
};

/// Estimated bytes that the store will take more.
struct DiskNeed {
  std::vector<std::pair<std::string, std::uint64_t>> parts;  ///< "X-rays" → bytes
  std::vector<std::string> unknown;                          ///< what nothing is known of: "volumes"

  [[nodiscard]] std::uint64_t bytes() const;
};

struct Outlook {
  std::vector<bool> is_done;      ///< by point
  std::vector<StageNeed> stages;  ///< source, surface, render, …; empty where there are too many settings to look at
  std::int64_t trainings = 0;     ///< that the points which are not done need, at most
  std::optional<double> seconds;  ///< for all that is to do; nothing when no earlier run tells
  DiskNeed disk;

  [[nodiscard]] std::int64_t to_do() const;
};

/// Looks at all points of a plan whose folder is `folder`, of which `jobs` run at once. A source that can't list its
/// specimens is no error here: its points are to do, and fail when they run.
[[nodiscard]] Outlook look_ahead(const config::Plan& plan, const std::filesystem::path& folder,
                                 host::Registry& registry, store::Store& store, std::int64_t jobs);

/// The same before there is a store: nothing is stored.
[[nodiscard]] Outlook look_ahead(const config::Plan& plan, const std::filesystem::path& folder,
                                 host::Registry& registry);

/// Lines for a person: " plan  4 loss.margin × 3 seeds = 12 points · …".
[[nodiscard]] std::string outlook_text(const config::Plan& plan, const Outlook& outlook,
                                       const std::filesystem::path& store);

/// Throws a failure when what has to be stored does not fit: the disk's free space, or what the quota leaves.
void require_disk(const DiskNeed& need, const std::filesystem::path& store);

}  // namespace osteon::pipeline
