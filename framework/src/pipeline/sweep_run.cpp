#include "pipeline/sweep_run.hpp"

#include "host/stop.hpp"
#include "pipeline/artifacts.hpp"
#include "pipeline/durations.hpp"
#include "pipeline/environment.hpp"
#include "pipeline/jobs.hpp"
#include "pipeline/look_ahead.hpp"
#include "pipeline/opened.hpp"
#include "pipeline/reporters.hpp"
#include "pipeline/sweep_summary.hpp"
#include "pipeline/sweep_table.hpp"
#include "pipeline/typed_command.hpp"
#include "training/runtime.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// The command line that runs one point, as this one was asked.
std::vector<std::string> arguments_of(const RunOptions& options, std::size_t index) {
  std::vector<std::string> words = {"run", options.request.file.string()};
  const auto add = [&](const char* option, const std::string& value) {
    words.emplace_back(option);
    words.push_back(value);
  };
  for (const std::string& profile : options.request.profiles) add("--profile", profile);
  for (const std::string& one : options.request.overrides) add("--set", one);
  for (const fs::path& folder : options.plugin_folders) add("--plugins", folder.string());
  add("--runs", options.runs.string());
  add("--point", std::to_string(index + 1));
  add("--typed", options.command);
  return words;
}

std::string last_line(const fs::path& file) {
  if (!fs::exists(file)) return "";
  std::string all = read_file(file);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all.substr(all.rfind('\n') + 1);
}

/// Lines about the points that run, whose own output goes to their folders where several run at once.
class Progress {
 public:
  Progress(const config::Plan& plan, const fs::path& folder, const JobLimits& limits, std::size_t to_do)
      : plan_(plan), folder_(folder), limits_(limits), to_do_(to_do) {}

  void operator()(std::size_t index, const JobEnd& end) {
    ++ended_;
    spent_ += end.seconds;
    std::cout << " point      " << point_text(plan_, index) << "   "
              << (end.is_success() ? "complete" : "failed, " + reason(end)) << " in " << duration_text(end.seconds);
    const auto left = static_cast<double>(to_do_ - ended_);
    if (left > 0)
      std::cout << " · " << to_do_ - ended_ << " left, about "
                << duration_text(spent_ / static_cast<double>(ended_) * left / std::min<double>(limits_.at_once, left));
    std::cout << "\n";
    if (!end.is_success()) std::cout << "            " << last_line(point_folder(folder_, index) / kOutputFile) << "\n";
    std::cout << std::flush;
  }

 private:
  const config::Plan& plan_;
  const fs::path& folder_;
  const JobLimits& limits_;
  std::size_t to_do_, ended_ = 0;
  double spent_ = 0;
};

JobLimits limits_of(const RunOptions& options) {
  JobLimits limits;
  limits.at_once = static_cast<int>(options.jobs);
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (options.jobs > 1) limits.threads = std::max(1, cores / limits.at_once);
  limits.memory = static_cast<std::int64_t>(options.memory * 1e9);
  return limits;
}

/// Of each point its figures; nothing of those that are not complete.
SweepResults results_of(const config::Plan& plan, const fs::path& folder) {
  SweepResults results(plan.points.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const fs::path file = point_folder(folder, i) / kValuesFile;
    if (!fs::exists(file)) continue;
    results[i].emplace();
    for (const json& value : json::parse(read_file(file))) results[i]->push_back(metric_value_from(value));
  }
  return results;
}

}  // namespace

std::string point_text(const config::Plan& plan, std::size_t index) {
  const config::Point& point = plan.points[index];
  std::string result;
  for (const auto& [path, value] : point.changes) result += (result.empty() ? "" : ", ") + path + " = " + value;
  if (plan.repeats > 1) result += text(result.empty() ? "" : " · ", "seed ", point.repeat + 1, " of ", plan.repeats);
  return result + text(" (point ", index + 1, " of ", plan.points.size(), ")");
}

fs::path point_folder(const fs::path& folder, std::size_t index) {
  char number[32];
  std::snprintf(number, sizeof number, "%02zu", index + 1);
  return folder / number;
}

void write_points(const config::Plan& plan, const fs::path& folder) {
  json points = json::array();
  for (std::size_t i = 0; i < plan.points.size(); ++i) points.push_back(point_text(plan, i));
  write_file(folder / kPointsFile, points.dump(1));
}

int run_sweep(const RunOptions& options, const config::Plan& plan, const fs::path& folder, host::Registry& registry) {
  const JobLimits limits = limits_of(options);
  // What a point makes depends on its threads, so the outlook must know them as its process will.
  if (limits.threads > 0) ::setenv(training::kThreadsVariable, std::to_string(limits.threads).c_str(), 1);
  store::Store store(store::Store::standard_root());
  const Outlook outlook = look_ahead(plan, folder, registry, store, options.jobs);
  std::cout << outlook_text(plan, outlook, store.root()) << std::flush;
  require_disk(outlook.disk, store.root());
  make_folder(folder);
  std::vector<Job> jobs;
  std::vector<std::size_t> indices;  // of the points that jobs are for
  {
    const store::Lock turn = take_turn(folder);
    if (options.into.empty()) keep_command(folder, options.words, options.command);
    for (std::size_t i = 0; i < plan.points.size(); ++i) {
      if (outlook.is_done[i]) continue;
      const fs::path own = point_folder(folder, i);
      make_folder(own);
      fs::remove(own / kValuesFile);  // of an earlier run, which this one makes anew
      indices.push_back(i);
      jobs.push_back({arguments_of(options, i), limits.at_once > 1 ? own / kOutputFile : fs::path()});
    }
    write_points(plan, folder);
  }
  if (limits.at_once > 1 && !jobs.empty())
    std::cout << " sweep      " << jobs.size() << (jobs.size() == 1 ? " point, " : " points, ") << limits.at_once
              << " at once with " << limits.threads << (limits.threads == 1 ? " thread" : " threads") << " each · "
              << folder.string() << "\n"
              << std::flush;
  Progress progress(plan, folder, limits, jobs.size());
  const auto ends = run_jobs(jobs, limits, [&](std::size_t job, const JobEnd& end) {
    const std::size_t index = indices[job];
    if (end.signal != 0)  // it could not say so itself
      write_state(point_folder(folder, index), {"failed", end.seconds, reason(end), point_text(plan, index)});
    if (limits.at_once > 1 || !end.is_success()) progress(index, end);
  });
  if (host::stop_flag()) {
    std::cerr << "stopped; nothing is lost. Go on with: " << options.command << "\n";
    return 130;
  }
  std::vector<std::string> problems(plan.points.size());
  for (std::size_t job = 0; job < ends.size(); ++job)
    if (!ends[job].is_success()) problems[indices[job]] = reason(ends[job]);
  const store::Lock turn = take_turn(folder);
  return report_sweep(plan, folder, problems, jobs.empty() ? "all up to date" : "all run", options.command, registry);
}

int report_sweep(const config::Plan& plan, const fs::path& folder, const std::vector<std::string>& problems,
                 const std::string& success, const std::string& command, host::Registry& registry) {
  const SweepResults results = results_of(plan, folder);
  const auto failed = std::ranges::count_if(problems, [](const std::string& problem) { return !problem.empty(); });
  const Reporters reporters(plan.base, registry);
  const std::string all = failed == 0 ? text(plan.points.size(), " points, ", success)
                                      : text(failed, " of ", plan.points.size(), " points failed");
  const RunStarted start{plan.title,
                         folder,
                         all + "; their folders stand below this one",
                         command,
                         "",
                         environment(plan.base, registry),
                         plan.base.to_toml()};
  return reported(reporters, start, command, [&] {
    const std::vector<MetricValue> table = sweep_table(plan, results);
    write_file(folder / "table.csv", sweep_csv(plan, results));
    reporters(sweep_summary(plan, results, folder));
    reporters(Results{table});
    if (failed == 0) return;
    std::string list;
    for (std::size_t i = 0; i < problems.size(); ++i)
      if (!problems[i].empty()) list += text("\n  ", point_text(plan, i), ": ", problems[i]);
    throw failure(text(failed, " of ", plan.points.size(),
                       " points failed; the same command tries them again. `osteon status ", folder.string(),
                       "` says more.", list));
  });
}

}  // namespace osteon::pipeline
