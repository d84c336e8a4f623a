#include "pipeline/run_status.hpp"

#include "pipeline/reporters.hpp"
#include "pipeline/slurm_queue.hpp"
#include "pipeline/slurm_status.hpp"
#include "pipeline/sweep_run.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <optional>

#include <unistd.h>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

bool is_elsewhere(const json& state) {
  char machine[256] = "";
  ::gethostname(machine, sizeof machine - 1);
  return state.value("machine", "") != machine;
}

/// Whether the process that wrote a state is still there; one of another machine is believed.
bool is_alive(const json& state) {
  return is_elsewhere(state) || ::kill(state.value("process", 0), 0) == 0 || errno == EPERM;
}

std::optional<PointStatus> read_state(const fs::path& folder) {
  const fs::path file = folder / kStateFile;
  if (!fs::exists(file)) return std::nullopt;
  const json state = json::parse(read_file(file), nullptr, false);
  if (!state.is_object()) throw Error(file.string() + ": this is no state of a run; run it again");
  PointStatus point{state.value("point", ""), state.value("status", ""), state.value("seconds", 0.0),
                    state.value("message", ""), folder};
  point.is_later_than_job = state.value("job", "").empty();
  point.is_elsewhere = point.status == "running" && is_elsewhere(state);
  if (point.is_elsewhere) point.job = state.value("job", "");
  if (point.status == "running" && !is_alive(state)) {
    point.status = "interrupted";
    point.message = "its process is gone; the same command goes on where it was";
  }
  return point;
}

/// What its folder tells, and its job where Slurm knows more.
PointStatus status_of_point(const std::string& words, const fs::path& folder,
                            const std::vector<Submission>& submissions, std::size_t number) {
  PointStatus point = read_state(folder).value_or(PointStatus{words, "waiting", 0, "", folder});
  if (!words.empty()) point.point = words;
  if (const std::string job = job_of(submissions, number); !job.empty()) point.job = job;
  return point;
}

std::string tail(const fs::path& file, int lines) {
  if (!fs::exists(file)) return "";
  std::string all = read_file(file);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  std::size_t from = all.size();
  for (int n = 0; n < lines && from != std::string::npos && from > 0; ++n) from = all.rfind('\n', from - 1);
  std::string result;
  for (const char c : all.substr(from == std::string::npos ? 0 : from + (all[from] == '\n' ? 1 : 0)))
    result += c == '\n' ? "\n      " : std::string(1, c);
  return "      " + result + "\n";
}

}  // namespace

std::vector<PointStatus> status_of(const fs::path& run) {
  const fs::path list = run / kPointsFile;
  const std::vector<Submission> submissions = read_submissions(run);
  std::vector<PointStatus> result;
  if (fs::exists(list)) {
    for (const json& words : json::parse(read_file(list)))
      result.push_back(status_of_point(words, point_folder(run, result.size()), submissions, result.size() + 1));
  } else if (fs::exists(run / kStateFile) || !submissions.empty()) {
    result.push_back(status_of_point("", run, submissions, 1));
  } else {
    throw Error(text(run.string(), ": not the folder of a run (it has no ", kStateFile, "); runs stand under runs/"));
  }
  add_slurm_status(result);
  return result;
}

std::string status_text(const std::vector<PointStatus>& points) {
  std::string lines;
  std::map<std::string, int> counts;
  for (const PointStatus& point : points) {
    ++counts[point.status];
    char head[64];
    std::snprintf(head, sizeof head, " %-12s", point.status.c_str());
    lines += head;
    char took[32] = "";
    if (point.seconds > 0) std::snprintf(took, sizeof took, "%.1f s", point.seconds);
    std::snprintf(head, sizeof head, "%10s   ", took);
    lines += text(head, point.point.empty() ? point.folder.string() : point.point, "\n");
    if (!point.message.empty()) lines += "      " + point.message + "\n";
    if (point.status == "failed" || point.status == "interrupted") lines += tail(point.folder / kOutputFile, 3);
  }
  std::string all;
  for (const auto& [status, count] : counts) all += text(all.empty() ? " " : ", ", count, " ", status);
  return lines + all + "\n";
}

}  // namespace osteon::pipeline
