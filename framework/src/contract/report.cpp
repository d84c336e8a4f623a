// The contract suite over one library.

#include "contract/report.hpp"

#include "host/registry.hpp"
#include "pipeline/environment.hpp"
#include "pipeline/words.hpp"

#include <osteon/build_stamp.hpp>
#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <torch/version.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace osteon::contract {

namespace {

#define OSTEON_CONTRACT_QUOTE_(word) #word
#define OSTEON_CONTRACT_QUOTE(word) OSTEON_CONTRACT_QUOTE_(word)
constexpr const char* kHostBuild = OSTEON_CONTRACT_QUOTE(OSTEON_BUILD_STAMP);
#undef OSTEON_CONTRACT_QUOTE
#undef OSTEON_CONTRACT_QUOTE_

constexpr double kGibibyte = 1024.0 * 1024 * 1024;

std::string memory_of_machine() {
  std::ifstream info("/proc/meminfo");
  std::string name;
  double kibibytes = 0;
  info >> name >> kibibytes;
  return pipeline::fixed(kibibytes * 1024 / kGibibyte, 1) + " GiB";
}

/// What is printed is noise in a run of many points. Only the checks that came to their end: the others have told it.
CheckLine output_line(const std::string& kind, const std::vector<std::pair<std::string, Ended>>& all) {
  CheckLine line{"output", {Result::ok, "nothing on standard output and error", ""}, 0};
  if (kind == "reporter") {
    line.outcome = {Result::not_for_this_kind, "a reporter may print", ""};
    return line;
  }
  for (const auto& [check, ended] : all) {
    if (ended.printed.empty()) continue;
    const std::string first = ended.printed.substr(0, std::min<std::size_t>(ended.printed.find('\n'), 200));
    line.outcome = {Result::failed,
                    text("standard output and error in the check \"", check, "\": expected nothing, found \"", first,
                         "\" (", ended.printed.size(), " bytes)"),
                    ""};
    return line;
  }
  return line;
}

/// The same check in a second process must come to the same bits.
void compare_with_second_process(const Request& request, const Limits& limits, Ended& ended) {
  if (ended.outcome.result != Result::ok || ended.outcome.digest.empty()) return;
  const Ended again = run_in_child("determinism", request, limits);
  ended.seconds += again.seconds;
  if (again.outcome.result == Result::ok && again.outcome.digest == ended.outcome.digest) return;
  ended.outcome = {Result::failed,
                   text("the same input in a second process: expected the same bits, found ",
                        again.outcome.result == Result::ok ? "others" : "this: " + again.outcome.says),
                   ""};
}

void require_known(const std::vector<std::string>& checks) {
  std::string all;
  for (const std::string_view check : kChecks) all += text(all.empty() ? "" : ", ", check);
  for (const std::string& check : checks)
    if (std::ranges::find(kChecks, check) == kChecks.end())
      throw Error(text("--check ", check, ": there is no such check; there are ", all));
}

std::string padded(const std::string& words, std::size_t width) {
  return text(words, std::string(width - std::min(words.size(), width), ' '));
}

/// Lines after the first stand below it.
std::string indented(const std::string& words) {
  std::string result;
  for (const char c : words) result += c == '\n' ? std::string("\n                        ") : std::string(1, c);
  return result;
}

}  // namespace

int LibraryReport::count(Result result) const {
  return static_cast<int>(
      std::ranges::count_if(lines, [result](const CheckLine& line) { return line.outcome.result == result; }));
}

LibraryReport begun_report(const Request& request, const Limits& limits) {
  if (!std::filesystem::is_regular_file(request.library))
    throw Error(text(request.library.string(), ": no such file; give the shared library that add_osteon_plugin built"));
  const host::Stamp stamp = host::probe(request.library);
  LibraryReport report{stamp.kind + "/" + stamp.name, request.library, {}, {}};
  std::string settings;
  for (const std::string& setting : request.settings) settings += (settings.empty() ? "" : " ") + setting;
  report.environment = {
      {"plugin's build", stamp.build},
      {"host's build", kHostBuild},
      {"library's SHA-256", sha256_of_file(request.library)},
      {"LibTorch", TORCH_VERSION},
      {"compiler", __VERSION__},
      {"processor", text(pipeline::processor_name(), ", ", std::thread::hardware_concurrency(), " cores")},
      {"memory", memory_of_machine()},
      {"BLAS", pipeline::blas_name()},
      {"limits", text(limits.seconds, " s and ",
                      limits.memory > 0 ? pipeline::fixed(static_cast<double>(limits.memory) / kGibibyte, 1) + " GiB"
                                        : "any memory",
                      " a check")},
      {"parameters", settings.empty() ? "defaults" : "defaults with " + settings}};
  return report;
}

LibraryReport check_library(const Request& request, const Limits& limits, const std::vector<std::string>& only,
                            const std::function<void(const CheckLine&)>& on_line) {
  require_known(only);
  LibraryReport report = begun_report(request, limits);
  std::vector<std::pair<std::string, Ended>> all;
  const auto tell = [&](const CheckLine& line) {
    report.lines.push_back(line);
    on_line(line);
  };
  bool is_loaded = true;
  for (const std::string_view check : kChecks) {
    if (check != kChecks.front() && !only.empty() && std::ranges::find(only, check) == only.end()) continue;
    Ended ended;
    if (is_loaded) {
      ended = run_in_child(check, request, limits);
    } else {
      ended.outcome = {Result::not_run, "it cannot be loaded (see descriptor)", ""};
    }
    if (ended.outcome.result == Result::mistake) throw Error(ended.outcome.says);
    if (check == "determinism") compare_with_second_process(request, limits, ended);
    if (check == "descriptor" && !ended.is_whole) is_loaded = false;
    tell({std::string(check), ended.outcome, ended.seconds});
    all.emplace_back(check, ended);
  }
  tell(output_line(report.plugin.substr(0, report.plugin.find('/')), all));
  return report;
}

CheckLine check_here(const Request& request, const std::string& check) {
  require_known({check});
  const auto start = std::chrono::steady_clock::now();
  CheckLine line{check, run_check(check, request)};
  if (line.outcome.result == Result::mistake) throw Error(line.outcome.says);
  line.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return line;
}

std::string to_text(Result result) {
  switch (result) {
    case Result::ok:
      return "ok";
    case Result::failed:
      return "FAILED";
    case Result::not_for_this_kind:
      return "not for this kind";
    case Result::not_checked:
      return "not checked for this kind";
    case Result::not_run:
      return "not run";
    case Result::mistake:
      return "mistake";
  }
  return "?";
}

std::string heading_of(const LibraryReport& report) {
  std::string words = text(report.plugin, " in ", report.library.filename().string(), "\n");
  for (const auto& [name, value] : report.environment) words += text(" ", padded(name, 18), value, "\n");
  return words + "\n";
}

std::string line_of(const CheckLine& line) {
  const bool is_short = line.outcome.result == Result::ok || line.outcome.result == Result::not_run;
  const std::string word = to_text(line.outcome.result);
  return text(" ", padded(line.check, 13), is_short ? padded(word, 8) + "  " : word + ": ", indented(line.outcome.says),
              "\n");
}

std::string summary_of(const LibraryReport& report) {
  std::string words;
  for (const auto& [result, name] :
       {std::pair(Result::ok, "passed"), std::pair(Result::failed, "failed"), std::pair(Result::not_run, "not run"),
        std::pair(Result::not_for_this_kind, "not for this kind"),
        std::pair(Result::not_checked, "not checked for this kind")})
    if (const int count = report.count(result); count > 0)
      words +=
          text(words.empty() ? "" : ", ", count, words.empty() ? (count == 1 ? " check " : " checks ") : " ", name);
  return words + "\n";
}

std::string json_of(const LibraryReport& report) {
  nlohmann::json lines = nlohmann::json::array();
  for (const CheckLine& line : report.lines)
    lines.push_back({{"check", line.check},
                     {"result", to_text(line.outcome.result)},
                     {"says", line.outcome.says},
                     {"seconds", line.seconds}});
  return nlohmann::json{{"plugin", report.plugin},
                        {"library", report.library.filename().string()},
                        {"environment", report.environment},
                        {"checks", lines},
                        {"is_sound", report.is_sound()}}
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace osteon::contract
