#include "pipeline/run_results.hpp"

#include "config/document.hpp"
#include "config/mistakes.hpp"
#include "pipeline/artifacts.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool is_run(const fs::path& folder) { return fs::exists(folder / "experiment.toml") || fs::exists(folder / "status"); }

/// Points are folders 01, 02, …, 100, … of a sweep's.
bool is_number(const std::string& name) {
  return name.size() >= 2 && name.size() <= 6 && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

std::string one_word(const fs::path& file) {
  std::string word = fs::exists(file) ? read_file(file) : "";
  while (!word.empty() && std::isspace(static_cast<unsigned char>(word.back()))) word.pop_back();
  return word;
}

/// As the digest of an experiment has it: where a file lies is no part of what was done with it.
std::string shown(const config::Value& value) {
  const std::string words = value.shown();
  return value.type == config::Value::Type::text && words.starts_with('/') ? fs::path(words).filename().string()
                                                                           : words;
}

void flatten(const config::Value& table, const std::string& prefix, std::map<std::string, std::string>& parameters) {
  for (const config::Entry& entry : table.entries) {
    const std::string path = prefix + entry.key;
    if (path == "title" || path == "repeats" || path == "reporter") continue;
    if (entry.value.is_table())
      flatten(entry.value, path + ".", parameters);
    else
      parameters[path] = shown(entry.value);
  }
}

std::map<std::string, std::string> parameters_of(const fs::path& file) {
  const auto source = std::make_shared<config::Source>();
  source->name = file.string();
  const std::string bytes = read_file(file);
  source->lines = config::split(bytes, '\n');
  std::map<std::string, std::string> parameters;
  try {
    flatten(config::parse(bytes, source), "", parameters);
  } catch (const config::SyntaxError& error) {
    throw Error(text(error.place.text(), ": ", error.description));
  }
  return parameters;
}

/// Calls `read` with what stands in the file; what it does not find there is an `Error` that names the file.
void read_json(const fs::path& file, const std::function<void(const json&)>& read) {
  try {
    read(json::parse(read_file(file)));
  } catch (const json::exception& error) {
    throw Error(text(file.string(), ": is not as a run writes it (", error.what(),
                     "); run the experiment again, which costs nothing where its stages are in the store"));
  }
}

RunResult read_run(const fs::path& folder) {
  RunResult run;
  run.folder = folder;
  run.parameters = parameters_of(folder / "experiment.toml");
  run.training_seed = run.parameters["training.seed"];
  run.parameters.erase("training.seed");
  read_json(folder / "metrics.json", [&](const json& file) {
    for (const json& value : file.at("values")) run.values.push_back(metric_value_from(value));
  });
  if (fs::exists(folder / "environment.json"))
    read_json(folder / "environment.json", [&](const json& file) { run.environment = file; });
  return run;
}

/// Why a run is left out; "" when it is not.
std::string why_not(const fs::path& folder) {
  if (const std::string status = one_word(folder / "status"); status != "complete")
    return text("it is not complete (status: ", status.empty() ? "none" : status, "); the same `osteon run` goes on");
  for (const char* name : {"experiment.toml", "metrics.json"})
    if (!fs::exists(folder / name))
      return text("it has no ", name, "; add a reporter that keeps it and run it again, which costs nothing");
  return "";
}

std::vector<std::string> neighbours(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) names.push_back(entry.path().filename().string());
  return names;
}

}  // namespace

std::vector<fs::path> points_of(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    const fs::path parent = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
    throw Error(text(folder.string(), ": there is no such folder",
                     config::suggestion(folder.filename().string(), neighbours(parent),
                                        "; name that of a run or of a sweep, as `osteon run` says it at its end")));
  }
  std::vector<fs::path> points;
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_number(entry.path().filename().string()) && is_run(entry.path())) points.push_back(entry.path());
  std::ranges::sort(points, {}, [](const fs::path& path) { return std::stoul(path.filename().string()); });
  if (points.empty() && is_run(folder)) points.push_back(folder);
  if (points.empty())
    throw Error(text(folder.string(),
                     ": is not the folder of a run: there is no experiment.toml in it, nor a point 01 of a sweep; name "
                     "the folder that `osteon run` says at its end"));
  return points;
}

RunResults read_runs(std::span<const fs::path> folders) {
  RunResults results;
  std::set<fs::path> known;
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> points = points_of(folder);
    if (points.front() != folder && one_word(folder / "status") != "complete")
      results.notices.push_back(text(folder.string(), ": the sweep is not complete; compared is what it has so far"));
    for (const fs::path& point : points) {
      if (!known.insert(fs::weakly_canonical(point)).second) continue;
      if (const std::string reason = why_not(point); !reason.empty())
        results.notices.push_back(text(point.string(), ": left out, as ", reason));
      else
        results.runs.push_back(read_run(point));
    }
  }
  if (!results.runs.empty()) return results;
  std::string reasons;
  for (const std::string& notice : results.notices) reasons += "\n" + notice;
  throw Error("no run is left to compare" + reasons);
}

}  // namespace osteon::pipeline
