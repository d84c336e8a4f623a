// An outlook in words.

#include "pipeline/durations.hpp"
#include "pipeline/look_ahead.hpp"
#include "store/quota.hpp"

#include <osteon/error.hpp>

namespace osteon::pipeline {

namespace {

std::string counted(std::int64_t n, const std::string& one) { return text(n, " ", one, n == 1 ? "" : "s"); }

/// "4 loss.margin × 3 seeds = 12 points"; only the number where the points are no full grid.
std::string grid_text(const config::Plan& plan) {
  std::string words;
  std::size_t product = 1;
  for (std::size_t key = 0; key < plan.swept.size(); ++key) {
    std::set<std::string> values;
    for (const config::Point& point : plan.points) values.insert(point.changes[key].second);
    product *= values.size();
    words += text(words.empty() ? "" : " × ", values.size(), " ", plan.swept[key]);
  }
  if (plan.repeats > 1) words += text(words.empty() ? "" : " × ", plan.repeats, " seeds");
  const bool is_grid = product * static_cast<std::size_t>(plan.repeats) == plan.points.size() && !words.empty();
  return (is_grid ? words + " = " : "") + counted(std::ssize(plan.points), "point");
}

std::string stages_text(const Outlook& outlook) {
  std::string stored, lacking;
  for (const StageNeed& stage : outlook.stages) {
    const std::size_t all = stage.stored.size() + stage.lacking.size();
    if (stage.lacking.empty()) stored += (stored.empty() ? "" : ", ") + stage.stage;
    if (!stage.lacking.empty())
      lacking += text(lacking.empty() ? "" : ", ", stage.stage, " ", stage.stored.size(), " of ", all);
  }
  std::string words;
  if (!stored.empty()) words += stored + " (stored)";
  if (!lacking.empty()) words += (words.empty() ? "" : " · ") + lacking + " stored";
  return words;
}

std::string disk_text(const DiskNeed& need, const store::Room& room, const std::filesystem::path& store) {
  std::string parts;
  for (const auto& [what, bytes] : need.parts)
    parts += text(parts.empty() ? " (" : ", ", what, " ", store::size_text(bytes));
  std::string words = need.parts.empty() ? "" : text("about ", store::size_text(need.bytes()), " more", parts, ")");
  if (!need.unknown.empty()) {
    words += (words.empty() ? "" : "; ");
    for (std::size_t i = 0; i < need.unknown.size(); ++i) words += (i > 0 ? " and " : "") + need.unknown[i];
    words += " not counted, none is stored yet";
  }
  return text(words, " · ", store::size_text(room.bytes), room.is_of_quota ? " left of the quota" : " free", " in ",
              store.string());
}

}  // namespace

std::string outlook_text(const config::Plan& plan, const Outlook& outlook, const std::filesystem::path& store) {
  const std::int64_t to_do = outlook.to_do();
  std::string lines = " plan       " + grid_text(plan);
  if (const std::string stages = stages_text(outlook); !stages.empty())
    lines += (plan.points.size() > 1 ? " · shared: " : " · ") + stages;
  if (to_do < std::ssize(plan.points)) lines += text(" · ", std::ssize(plan.points) - to_do, " up to date");
  if (to_do > 0) {
    lines += " · to do: " + counted(to_do, "point");
    if (outlook.trainings > 0) lines += ", " + counted(outlook.trainings, "training");
    if (outlook.seconds) lines += "   about " + duration_text(*outlook.seconds);
    lines += "\n disk       " + disk_text(outlook.disk, store::room_of(store), store);
  }
  return lines + "\n";
}

void require_disk(const DiskNeed& need, const std::filesystem::path& store) {
  const store::Room room = store::room_of(store);
  if (need.bytes() <= room.bytes) return;
  throw failure(
      text("what is to be stored does not fit: ", disk_text(need, room, store),
           room.is_of_quota ? text(". Raise ", store::kQuotaVariable, ", or make room: ") : ". Make room there: ",
           "`osteon gc` lists what no run needs",
           room.is_of_quota ? "" : "; or set OSTEON_STORE to a folder on a larger disk"));
}

}  // namespace osteon::pipeline
