#include "pipeline/reporters.hpp"

#include "host/stop.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>

#include <unistd.h>

namespace osteon::pipeline {

Reporters::Reporters(const config::Experiment& experiment, host::Registry& registry) {
  for (const config::PluginChoice* choice : experiment.all("reporter"))
    reporters_.emplace_back(registry.find("reporter", choice->plugin), choice->parameters);
}

void Reporters::operator()(const Event& event) const {
  for (const host::ReporterHandle& reporter : reporters_) reporter.report(event);
}

StageReport::StageReport(const Reporters& reporters, std::string stage, std::string plugin, std::int64_t total,
                         std::string unit)
    : reporters_(reporters), stage_(std::move(stage)), total_(total) {
  reporters_(StageStarted{stage_, std::move(plugin), total, std::move(unit)});
}

double StageReport::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void StageReport::progress(std::int64_t done, const std::string& detail) {
  const double left =
      done > 0 && total_ > 0 ? seconds() / static_cast<double>(done) * static_cast<double>(total_ - done) : -1;
  reporters_(StageProgress{stage_, done, total_, left, detail});
}

void StageReport::progress(std::int64_t done, std::int64_t total, double seconds_left, const std::string& detail) {
  reporters_(StageProgress{stage_, done, total, seconds_left, detail});
}

void StageReport::reused(const std::string& key) {
  ++reused_;
  artifacts_.push_back(key);
}

void StageReport::made(const std::string& key, const std::string& reason) {
  ++made_;
  artifacts_.push_back(key);
  if (reason_.empty()) {
    reason_ = reason;
  } else if (reason != reason_) {
    ++other_reasons_;
  }
}

void StageReport::finish(const std::string& detail) {
  if (other_reasons_ > 0) reason_ += text(" (and ", other_reasons_, " for other reasons)");
  reporters_(StageFinished{stage_, seconds(), made_, reused_, detail, reason_});
}

namespace {

/// The job of Slurm that this process is, "4711_4"; "" where it is none.
std::string own_job() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string array = variable("SLURM_ARRAY_JOB_ID");
  return array.empty() ? variable("SLURM_JOB_ID") : array + "_" + variable("SLURM_ARRAY_TASK_ID");
}

}  // namespace

void write_state(const std::filesystem::path& folder, const RunState& state) {
  char machine[256] = "";
  ::gethostname(machine, sizeof machine - 1);
  write_file(folder / kStateFile, nlohmann::json({{"status", state.status},
                                                  {"seconds", state.seconds},
                                                  {"message", state.message},
                                                  {"point", state.point},
                                                  {"process", ::getpid()},
                                                  {"machine", machine},
                                                  {"job", own_job()}})
                                      .dump(1));
}

int reported(const Reporters& reporters, const RunStarted& start, const std::string& command,
             const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  const auto end = [&](const std::string& status, const std::string& message) {
    write_state(start.folder, {status, seconds(), message, start.point});
    reporters(RunFinished{status, seconds(), message});
  };
  write_state(start.folder, {"running", 0, "", start.point});
  reporters(start);
  try {
    body();
    end("complete", "");
    return 0;
  } catch (const host::Stopped&) {
    end("stopped", "stopped; nothing is lost. Go on with: " + command);
    return 130;
  } catch (const Error& e) {
    end("failed", e.what());
    throw;
  } catch (const std::exception& e) {
    end("failed", e.what());
    throw failure(e.what());
  }
}

}  // namespace osteon::pipeline
