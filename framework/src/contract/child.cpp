// One check in a process of its own.

#include "contract/child.hpp"

#include "contract/workroom.hpp"
#include "host/stop.hpp"
#include "pipeline/words.hpp"

#include <osteon/error.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace osteon::contract {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostPrinted = 400;
constexpr std::int64_t kLargestFile = std::int64_t{256} << 20;

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

/// No core file of a crash, no disk full of words.
void set_limits(pid_t process, const Limits& limits) {
  const auto set = [process](__rlimit_resource resource, std::int64_t most) {
    const rlimit both{static_cast<rlim_t>(most), static_cast<rlim_t>(most)};
    ::prlimit(process, resource, &both, nullptr);
  };
  if (limits.memory > 0) set(RLIMIT_DATA, limits.memory);
  set(RLIMIT_CORE, 0);
  set(RLIMIT_FSIZE, kLargestFile);
}

pid_t start_check(std::vector<std::string> words, const fs::path& output, const Limits& limits) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t process = 0;
  const int problem = ::posix_spawn(&process, "/proc/self/exe", &files, nullptr, pointers_to(words).data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (problem != 0) throw failure(text("cannot start a check: ", std::strerror(problem)));
  set_limits(process, limits);
  return process;
}

/// The status with which it ended; nothing where its time was over first, and then it is killed.
std::optional<int> wait_for(pid_t process, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  while (::waitpid(process, &status, WNOHANG) != process) {
    if (host::stop_flag() || Clock::now() > end) {
      ::kill(process, SIGKILL);
      ::waitpid(process, &status, 0);
      if (host::stop_flag()) throw host::Stopped{};
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return status;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? text("signal ", number) : text("SIG", name);
}

/// What a process that gave no answer came to.
std::string end_of(int status, double seconds, const std::string& printed) {
  const std::string how = WIFSIGNALED(status) ? "ended by " + signal_name(WTERMSIG(status))
                                              : text("ended with exit code ", WEXITSTATUS(status));
  std::string last = printed.substr(printed.size() - std::min(printed.size(), kMostPrinted));
  while (last.ends_with('\n')) last.pop_back();
  return text("expected an answer, found that the process ", how, " after ", pipeline::fixed(seconds, 1), " s",
              last.empty() ? "" : ": " + last);
}

}  // namespace

Ended run_in_child(std::string_view check, const Request& request, const Limits& limits) {
  const Workroom room;
  const fs::path answer = room.file("answer.json"), output = room.file("output.txt");
  std::vector<std::string> words{"osteon", kOneCheck, request.library.string(), std::string(check), answer.string()};
  for (const std::string& setting : request.settings) words.insert(words.end(), {"--set", setting});
  const auto begin = Clock::now();
  const std::optional<int> status = wait_for(start_check(words, output, limits), limits.seconds);
  Ended ended;
  ended.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::string written = content_of(answer);
  if (!status) {
    ended.outcome = {Result::failed,
                     text("expected an answer, found none after ", limits.seconds, " s, when it was killed"), ""};
  } else if (!(WIFEXITED(*status) && WEXITSTATUS(*status) == 0) || written.empty()) {
    ended.outcome = {Result::failed, end_of(*status, ended.seconds, content_of(output)), ""};
  } else {
    const auto told = nlohmann::json::parse(written);
    ended.outcome = {static_cast<Result>(told.at("result").get<int>()), told.at("says"), told.at("digest")};
    ended.printed = content_of(output);
    ended.is_whole = true;
  }
  return ended;
}

void answer_parent(std::string_view check, const Request& request, const fs::path& answer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no check outlives who asked for it
  const Outcome outcome = run_check(check, request);
  // What a plugin says may be no UTF-8.
  std::ofstream(answer) << nlohmann::json{
      {"result", static_cast<int>(outcome.result)},
      {"says", outcome.says},
      {"digest",
       outcome.digest}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace osteon::contract
