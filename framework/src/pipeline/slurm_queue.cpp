#include "pipeline/slurm_queue.hpp"

#include "pipeline/program.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ranges>
#include <sstream>
#include <string_view>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '|');) result.push_back(field);
  return result;
}

std::string without_parentheses(const std::string& reason) {
  return reason.starts_with('(') && reason.ends_with(')') ? reason.substr(1, reason.size() - 2) : reason;
}

std::string joined(const std::set<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ",") + word;
  return result;
}

/// The last line that says something.
std::string last_line(std::string words) {
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words.substr(words.rfind('\n') + 1);
}

void ask_squeue(const std::set<std::string>& jobs, SlurmAnswer& answer) {
  const auto end = run_program(
      {"squeue", "--array", "--noheader", "--states=all", "--format=%F|%K|%T|%N|%r", "--jobs=" + joined(jobs)});
  if (!end) {
    answer.problem = "there is no squeue here";
    return;
  }
  // A job that squeue has forgotten is an error to it.
  if (end->code != 0 && end->err.find("Invalid job id") == std::string::npos) answer.problem = last_line(end->err);
  std::istringstream lines(end->out);
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> words = fields(line);
    if (words.size() < 3) continue;
    const std::string node = words.size() > 3 ? words[3] : "", reason = words.size() > 4 ? words[4] : "";
    const bool is_task = words[1].find_first_not_of("0123456789") == std::string::npos;
    answer.jobs[is_task ? words[0] + "_" + words[1] : words[0]] = {words[2],
                                                                   node.empty() ? without_parentheses(reason) : node};
  }
}

void ask_sacct(const std::set<std::string>& jobs, SlurmAnswer& answer) {
  const auto end = run_program({"sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID,State,NodeList",
                                "--jobs=" + joined(jobs)});
  if (!end || end->code != 0) return;  // a cluster without accounting
  answer.problem.clear();
  std::istringstream lines(end->out);
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> words = fields(line);
    if (words.size() < 2) continue;
    const std::string state = words[1].substr(0, words[1].find(' '));  // "CANCELLED by 1000"
    const bool has_node = words.size() > 2 && words[2] != "None assigned";
    answer.jobs.emplace(words[0], SlurmJob{state, has_node ? words[2] : ""});
  }
}

}  // namespace

std::vector<Submission> read_submissions(const fs::path& folder) {
  const fs::path file = folder / kSubmissionsFile;
  std::vector<Submission> result;
  if (!fs::exists(file)) return result;
  try {
    const json list = json::parse(read_file(file));
    for (const json& one : list)
      result.push_back({one.at("job").get<std::string>(), one.at("array").get<bool>(),
                        one.at("offset").get<std::size_t>(), one.at("points").get<std::vector<std::size_t>>()});
  } catch (const json::exception& e) {
    throw Error(text(file.string(), ": this is no list of submissions (", e.what(), "); remove it"));
  }
  return result;
}

void write_submissions(const fs::path& folder, const std::vector<Submission>& submissions) {
  json list = json::array();
  for (const Submission& one : submissions)
    list.push_back({{"job", one.job}, {"array", one.is_array}, {"offset", one.offset}, {"points", one.numbers}});
  write_file(folder / kSubmissionsFile, list.dump(1));
}

std::string job_of(const std::vector<Submission>& submissions, std::size_t number) {
  for (const Submission& one : submissions | std::views::reverse)
    if (std::ranges::binary_search(one.numbers, number))
      return one.is_array ? text(one.job, "_", number - one.offset) : one.job;
  return "";
}

std::set<std::string> arrays_of(const std::set<std::string>& jobs) {
  std::set<std::string> result;
  for (const std::string& job : jobs) result.insert(job.substr(0, job.find('_')));
  return result;
}

bool SlurmJob::is_waiting() const {
  static constexpr std::array words = {"PENDING",      "REQUEUED",     "REQUEUE_FED",
                                       "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"};
  return std::ranges::find(words, std::string_view(state)) != words.end();
}

bool SlurmJob::is_running() const {
  static constexpr std::array words = {"RUNNING",   "CONFIGURING", "RESIZING", "SIGNALING",
                                       "STAGE_OUT", "STOPPED",     "SUSPENDED"};
  return std::ranges::find(words, std::string_view(state)) != words.end();
}

std::string SlurmJob::text(const std::string& job) const {
  const std::string name = "job " + job, on = detail.empty() ? "" : " on " + detail;
  if (is_waiting()) return name + " waits" + (detail.empty() || detail == "None" ? "" : ": " + detail);
  if (is_running()) return name + " runs" + on + (state == "RUNNING" ? "" : " (" + state + ")");
  if (state == "COMPLETING") return name + " is ending" + on;
  if (state == "CANCELLED") return name + " was cancelled";
  if (state == "NODE_FAIL" || state == "BOOT_FAIL") return name + " ended when its node failed" + on;
  if (state == "TIMEOUT" || state == "DEADLINE") return name + " ran out of time" + on + ": see slurm.time";
  if (state == "OUT_OF_MEMORY") return name + " ran out of memory" + on + ": see slurm.memory";
  if (state == "PREEMPTED") return name + " had to give way to another" + on;
  return name + " ended" + on + ": " + state;
}

SlurmAnswer ask_slurm(const std::set<std::string>& jobs) {
  SlurmAnswer answer;
  if (jobs.empty()) return answer;
  ask_squeue(arrays_of(jobs), answer);
  std::set<std::string> forgotten;
  for (const std::string& job : jobs)
    if (!answer.jobs.contains(job)) forgotten.insert(job);
  if (!forgotten.empty()) ask_sacct(arrays_of(forgotten), answer);
  return answer;
}

std::optional<std::size_t> max_array_size() {
  const auto end = run_program({"scontrol", "show", "config"});
  if (!end || end->code != 0) return std::nullopt;
  std::istringstream lines(end->out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, equals;
    std::size_t value = 0;
    if (words >> name >> equals >> value && name == "MaxArraySize") return value;
  }
  return std::nullopt;
}

}  // namespace osteon::pipeline
