#include "pipeline/jobs.hpp"

#include "host/log.hpp"
#include "host/stop.hpp"
#include "training/runtime.hpp"

#include <osteon/error.hpp>

#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace osteon::pipeline {

namespace {

using Clock = std::chrono::steady_clock;

/// This process' environment, with the number of threads.
std::vector<std::string> environment_with(int threads) {
  const std::string name = std::string(training::kThreadsVariable) + "=";
  std::vector<std::string> words;
  for (char** word = environ; *word != nullptr; ++word)
    if (threads == 0 || !std::string_view(*word).starts_with(name)) words.emplace_back(*word);
  if (threads > 0) words.push_back(name + std::to_string(threads));
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

pid_t start(const Job& job, const JobLimits& limits) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!job.output.empty()) {
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, job.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  }
  std::vector<std::string> words = job.arguments, variables = environment_with(limits.threads);
  words.insert(words.begin(), "osteon");
  pid_t process = 0;
  const int problem =
      ::posix_spawn(&process, "/proc/self/exe", &files, nullptr, pointers(words).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&files);
  if (problem != 0) throw failure(text("cannot start a job: ", std::strerror(problem)));
  if (limits.memory > 0) {
    const rlimit limit{static_cast<rlim_t>(limits.memory), static_cast<rlim_t>(limits.memory)};
    ::prlimit(process, RLIMIT_DATA, &limit, nullptr);
  }
  std::string line;
  for (const std::string& word : job.arguments) line += " " + word;
  host::log(host::LogLevel::info, text("started process ", process, ": osteon", line));
  return process;
}

struct Running {
  std::size_t job = 0;
  Clock::time_point since;
};

}  // namespace

std::vector<JobEnd> run_jobs(const std::vector<Job>& jobs, const JobLimits& limits,
                             const std::function<void(std::size_t job, const JobEnd& end)>& on_end) {
  std::vector<JobEnd> ends(jobs.size());
  std::map<pid_t, Running> running;
  std::size_t next = 0;
  bool asked_to_stop = false;
  while (next < jobs.size() || !running.empty()) {
    if (host::stop_flag()) {
      next = jobs.size();
      if (!asked_to_stop)
        for (const auto& [process, one] : running) ::kill(process, SIGTERM);
      asked_to_stop = true;
      if (running.empty()) break;
    }
    while (next < jobs.size() && std::ssize(running) < limits.at_once) {
      ends[next].started = true;
      running[start(jobs[next], limits)] = {next, Clock::now()};
      ++next;
    }
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    const auto found = running.find(ended);
    if (found == running.end()) {  // nobody: a stop must be noticed while all go on
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    JobEnd& end = ends[found->second.job];
    end.seconds = std::chrono::duration<double>(Clock::now() - found->second.since).count();
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
    const std::size_t job = found->second.job;
    running.erase(found);
    on_end(job, end);
  }
  return ends;
}

std::string reason(const JobEnd& end) {
  if (!end.started) return "not begun";
  if (end.signal == 0) return text("exit code ", end.code);
  const char* name = ::sigabbrev_np(end.signal);
  return text("ended by ", name == nullptr ? text("signal ", end.signal) : text("SIG", name));
}

}  // namespace osteon::pipeline
