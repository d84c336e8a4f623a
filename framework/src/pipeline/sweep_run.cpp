#include "pipeline/sweep_run.hpp"

#include "host/stop.hpp"
#include "pipeline/artifacts.hpp"
#include "pipeline/environment.hpp"
#include "pipeline/jobs.hpp"
#include "pipeline/opened.hpp"
#include "pipeline/reporters.hpp"
#include "pipeline/sweep_summary.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
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

std::string clock(double seconds) {
  char words[32];
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) {
    std::snprintf(words, sizeof words, "%.1f s", seconds);
  } else {
    std::snprintf(words, sizeof words, "%ld min %02ld s", whole / 60, whole % 60);
  }
  return words;
}

std::string last_line(const fs::path& file) {
  if (!fs::exists(file)) return "";
  std::string all = read_file(file);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all.substr(all.rfind('\n') + 1);
}

/// Lines about the points that run side by side, whose own output goes to their folders.
class Progress {
 public:
  Progress(const config::Plan& plan, const fs::path& folder, const JobLimits& limits)
      : plan_(plan), folder_(folder), limits_(limits) {}

  void operator()(std::size_t index, const JobEnd& end) {
    ++ended_;
    spent_ += end.seconds;
    std::cout << " point      " << point_text(plan_, index) << "   "
              << (end.is_success() ? "complete" : "failed, " + reason(end)) << " in " << clock(end.seconds);
    const auto left = static_cast<double>(plan_.points.size() - ended_);
    if (left > 0)
      std::cout << " · " << plan_.points.size() - ended_ << " left, about "
                << clock(spent_ / static_cast<double>(ended_) * left / std::min<double>(limits_.at_once, left));
    std::cout << "\n";
    if (!end.is_success()) std::cout << "            " << last_line(point_folder(folder_, index) / kOutputFile) << "\n";
    std::cout << std::flush;
  }

 private:
  const config::Plan& plan_;
  const fs::path& folder_;
  const JobLimits& limits_;
  std::size_t ended_ = 0;
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

int run_sweep(const RunOptions& options, const config::Plan& plan, const fs::path& folder, host::Registry& registry) {
  make_folder(folder);
  const JobLimits limits = limits_of(options);
  std::vector<Job> jobs;
  json points = json::array();
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    const fs::path own = point_folder(folder, i);
    make_folder(own);
    fs::remove(own / kValuesFile);  // of an earlier run, which this one checks anew
    jobs.push_back({arguments_of(options, i), limits.at_once > 1 ? own / kOutputFile : fs::path()});
    points.push_back(point_text(plan, i));
  }
  write_file(folder / kPointsFile, points.dump(1));
  if (limits.at_once > 1)
    std::cout << " sweep      " << plan.points.size() << " points, " << limits.at_once << " at once with "
              << limits.threads << (limits.threads == 1 ? " thread" : " threads") << " each · " << folder.string()
              << "\n"
              << std::flush;
  Progress progress(plan, folder, limits);
  const auto ends = run_jobs(jobs, limits, [&](std::size_t index, const JobEnd& end) {
    if (end.signal != 0)  // it could not say so itself
      write_state(point_folder(folder, index), {"failed", end.seconds, reason(end), point_text(plan, index)});
    if (limits.at_once > 1 || !end.is_success()) progress(index, end);
  });
  if (host::stop_flag()) {
    std::cerr << "stopped; nothing is lost. Go on with: " << options.command << "\n";
    return 130;
  }
  const SweepResults results = results_of(plan, folder);
  const auto failed = std::ranges::count_if(ends, [](const JobEnd& end) { return !end.is_success(); });
  const Reporters reporters(plan.base, registry);
  const std::string all = failed == 0 ? text(plan.points.size(), " points, all run")
                                      : text(failed, " of ", plan.points.size(), " points failed");
  const RunStarted start{plan.title,         folder, all + "; their folders stand below this one",
                         options.command,    "",     environment(plan.base, registry),
                         plan.base.to_toml()};
  return reported(reporters, start, options.command, [&] {
    const std::vector<MetricValue> table = sweep_table(plan, results);
    write_file(folder / "table.csv", sweep_csv(plan, results));
    reporters(sweep_summary(plan, results, folder));
    reporters(Results{table});
    if (failed == 0) return;
    std::string list;
    for (std::size_t i = 0; i < ends.size(); ++i)
      if (!ends[i].is_success()) list += text("\n  ", point_text(plan, i), ": ", reason(ends[i]));
    throw failure(text(failed, " of ", plan.points.size(),
                       " points failed; the same command tries them again. `osteon status ", folder.string(),
                       "` says more.", list));
  });
}

}  // namespace osteon::pipeline
