#include "pipeline/slurm_submit.hpp"

#include "pipeline/environment.hpp"
#include "pipeline/kept_plan.hpp"
#include "pipeline/opened.hpp"
#include "pipeline/program.hpp"
#include "pipeline/reporters.hpp"
#include "pipeline/run_status.hpp"
#include "pipeline/slurm.hpp"
#include "pipeline/slurm_queue.hpp"
#include "pipeline/sweep_run.hpp"
#include "training/runtime.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kScripts = "slurm";      ///< folder of the scripts, in the run's
constexpr std::size_t kUsualArraySize = 1001;  ///< Slurm's own MaxArraySize, where scontrol does not say

/// Whether a point has its figures, made by the plugins as they are now. Not the planner's rule: the machine that
/// submits may have other threads, precision and devices than those that run.
bool is_complete(const fs::path& folder, const config::Experiment& experiment, host::Registry& registry) {
  for (const char* name : {kValuesFile, kStateFile, "environment.json"})
    if (!fs::exists(folder / name)) return false;
  const json state = json::parse(read_file(folder / kStateFile), nullptr, false),
             then = json::parse(read_file(folder / "environment.json"), nullptr, false);
  if (!state.is_object() || !then.is_object() || state.value("status", "") != "complete") return false;
  return std::ranges::all_of(environment(experiment, registry), [&](const auto& fact) {
    return !fact.first.starts_with("plugin ") || then.value(fact.first, "") == fact.second;
  });
}

/// Which points to submit, and which need not be.
struct Choice {
  std::vector<std::size_t> numbers;
  std::size_t complete = 0;
  std::set<std::string> queued;  ///< jobs of points that were submitted before
};

Choice choose(const config::Plan& plan, const fs::path& folder, const std::vector<Submission>& submissions,
              host::Registry& registry) {
  std::set<std::string> jobs;
  for (std::size_t number = 1; number <= plan.points.size(); ++number)
    if (const std::string job = job_of(submissions, number); !job.empty()) jobs.insert(job);
  const SlurmAnswer answer = ask_slurm(jobs);
  if (!answer.problem.empty())
    throw failure("points of this sweep were submitted before, and Slurm does not say what became of them: " +
                  answer.problem);
  Choice choice;
  for (std::size_t number = 1; number <= plan.points.size(); ++number) {
    const auto job = answer.jobs.find(job_of(submissions, number));
    if (job != answer.jobs.end() && (job->second.is_waiting() || job->second.is_running())) {
      choice.queued.insert(job->first);
    } else if (is_complete(folder_of(plan, folder, number - 1), plan.points[number - 1].experiment, registry)) {
      ++choice.complete;
    } else {
      choice.numbers.push_back(number);
    }
  }
  return choice;
}

/// [slurm] with other values.
Parameters with(const Parameters& slurm, const std::map<std::string, ParameterValue>& changes) {
  auto values = slurm.values();
  for (const auto& [name, value] : changes) values[name] = value;
  return {slurm_schema(), values};
}

/// Makes job scripts in the run's folder and submits them.
class Submitter {
 public:
  Submitter(const RunOptions& options, fs::path folder) : options_(options), folder_(std::move(folder)) {}

  /// A job that runs this program with these arguments, on the same store and plugins.
  [[nodiscard]] JobScript script(const std::string& comment, const Parameters& slurm,
                                 const std::string& arguments) const {
    JobScript script;
    script.comment = comment;
    script.words = {"--job-name=" + folder_.filename().string(), "--requeue", "--open-mode=append"};
    for (std::string& word : resource_words(slurm)) script.words.push_back(std::move(word));
    script.environment = {{"OSTEON_STORE", shell_word(fs::absolute(store::Store::standard_root()).string())},
                          {training::kThreadsVariable, "\"${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}\""}};
    script.command = shell_word(fs::read_symlink("/proc/self/exe").string()) + " " + arguments;
    for (const fs::path& plugins : options_.plugin_folders)
      script.command += " --plugins " + shell_word(fs::absolute(plugins).string());
    return script;
  }

  /// Writes the script under this name and submits it, to begin when `after` has ended. Returns the job's id.
  [[nodiscard]] std::string submit(const std::string& name, const JobScript& script,
                                   const std::set<std::string>& after) const {
    const fs::path file = folder_ / kScripts / (name + ".sbatch");
    make_folder(file.parent_path());
    write_file(file, script_text(script));
    std::string dependency;
    for (const std::string& job : after) dependency += ":" + job;
    std::vector<std::string> words = {"sbatch", "--parsable"};
    if (!after.empty()) words.push_back("--dependency=afterany" + dependency);
    words.push_back(file.string());
    const auto end = run_program(words);
    if (!end)
      throw Error(
          "--executor slurm: there is no sbatch on the PATH; submit from a machine of the cluster, or run here "
          "without --executor slurm");
    if (end->code != 0)
      throw failure(text("sbatch refused ", file.string(), " (exit code ", end->code, "):\n", end->err,
                         "What jobs ask for is in [slurm] of the experiment; see `osteon describe slurm`."));
    return end->out.substr(0, end->out.find_first_of(";\n"));
  }

  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  const RunOptions& options_;
  fs::path folder_;  ///< absolute: jobs begin elsewhere
};

/// One array after the other, so that a limit of jobs at once holds for all; without a limit side by side.
std::set<std::string> submit_points(const Submitter& submitter, const RunOptions& options, const config::Plan& plan,
                                    const Parameters& slurm, const std::vector<std::size_t>& numbers,
                                    std::vector<Submission>& submissions) {
  const fs::path& folder = submitter.folder();
  const bool is_sweep = plan.points.size() > 1;
  const std::vector<ArrayPart> parts = is_sweep ? array_parts(numbers, max_array_size().value_or(kUsualArraySize))
                                                : std::vector<ArrayPart>{{0, "", {1}}};
  std::set<std::string> jobs, before;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ArrayPart& part = parts[i];
    std::string arguments = "run " + shell_word(folder.string());
    if (is_sweep)
      arguments += part.offset == 0 ? std::string(" --point \"$SLURM_ARRAY_TASK_ID\"")
                                    : text(" --point \"$((SLURM_ARRAY_TASK_ID + ", part.offset, "))\"");
    JobScript script =
        submitter.script(is_sweep ? "Points of a sweep, each a job of an array." : "An experiment.", slurm, arguments);
    script.words.push_back(
        text("--output=", output_pattern(folder), "/", part.folder, is_sweep ? "/" : "", kOutputFile));
    if (is_sweep)
      script.words.push_back(
          text("--array=", array_text(part.indices), options.at_once > 0 ? text("%", options.at_once) : ""));
    Submission submission{submitter.submit(parts.size() > 1 ? text("points-", i + 1) : "points", script, before),
                          is_sweep,
                          part.offset,
                          {}};
    for (const std::size_t index : part.indices) submission.numbers.push_back(index + part.offset);
    jobs.insert(submission.job);
    if (options.at_once > 0) before = {submission.job};
    std::cout << " array      job " << submission.job << ", points " << array_text(submission.numbers) << "\n"
              << std::flush;
    submissions.push_back(std::move(submission));
    write_submissions(folder, submissions);
  }
  return jobs;
}

}  // namespace

int submit_to_slurm(const RunOptions& options, const config::Plan& plan, const fs::path& folder,
                    host::Registry& registry) {
  const Submitter submitter(options, fs::absolute(folder).lexically_normal());
  Parameters slurm = plan.base.sections.at("slurm");
  if (options.memory > 0) slurm = with(slurm, {{"memory", options.memory}});
  (void)resource_words(slurm);  // what is wrong with them is said before anything is written
  make_folder(folder);
  std::vector<Submission> submissions = read_submissions(folder);
  const Choice choice = choose(plan, folder, submissions, registry);
  std::cout << " slurm      " << choice.numbers.size() << " of " << plan.points.size() << " points to submit, "
            << choice.queued.size() << " queued, " << choice.complete << " complete · " << folder.string() << "\n"
            << std::flush;
  keep_plan(plan, options.command, folder, choice.numbers);
  if (plan.points.size() > 1) write_points(plan, folder);
  for (const std::size_t number : choice.numbers)
    for (const char* name : {kValuesFile, kStateFile}) fs::remove(folder_of(plan, folder, number - 1) / name);
  std::set<std::string> jobs = submit_points(submitter, options, plan, slurm, choice.numbers, submissions);
  if (plan.points.size() > 1 && !jobs.empty()) {
    jobs.merge(arrays_of(choice.queued));
    JobScript script = submitter.script("The sweep's table and report, when its points have ended.",
                                        with(slurm, {{"cores", std::int64_t{1}}, {"gpus", std::int64_t{0}}}),
                                        "collect " + shell_word(submitter.folder().string()));
    script.words.push_back(text("--output=", output_pattern(submitter.folder() / kScripts / "collect.txt")));
    std::cout << " collect    job " << submitter.submit("collect", script, jobs) << ", when they have ended\n";
  }
  std::cout << " status     osteon status " << folder.string() << "\n";
  if (plan.points.size() > 1 && choice.complete == plan.points.size()) return collect_sweep(folder, registry);
  return 0;
}

int collect_sweep(const fs::path& folder, host::Registry& registry) {
  KeptPlan kept = kept_plan(folder, registry);
  if (kept.plan.points.size() == 1)
    throw Error(folder.string() + ": is one run, which makes its own report; there is nothing to collect");
  for (std::size_t i = 0; i < kept.plan.points.size(); ++i) load_point(kept, i, folder, registry);
  std::vector<std::string> problems;
  for (const PointStatus& point : status_of(folder))
    problems.push_back(fs::exists(point.folder / kValuesFile)
                           ? ""
                           : point.status + (point.message.empty() ? "" : ": " + point.message));
  return report_sweep(kept.plan, folder, problems, "all run", kept.command, registry);
}

}  // namespace osteon::pipeline
