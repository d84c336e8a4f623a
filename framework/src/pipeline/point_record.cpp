#include "pipeline/point_record.hpp"

#include "pipeline/reporters.hpp"
#include "pipeline/sweep_run.hpp"
#include "pipeline/typed_command.hpp"
#include "store/users.hpp"
#include "training/runtime.hpp"
#include "training/weights_fit.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

#include <iostream>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kFormat = 1;
constexpr const char* kLockFile = "lock";

/// SHA-256 of the library that this code stands in.
const std::string& host_build() {
  static const std::string build = [] {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&host_build), &info) == 0) throw failure("cannot find libosteon's file");
    return sha256_of_file(info.dli_fname);
  }();
  return build;
}

/// Nothing when the file is not there or no JSON.
json read_json(const fs::path& file) {
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) return {};
  return json::parse(read_file(file), nullptr, false);
}

/// Files that change without a run, or say how it stands rather than what it found.
bool is_of_the_state(const std::string& name) {
  return name == kRecordFile || name == kStateFile || name == kOutputFile || name == kCommandFile || name == kLockFile;
}

/// The run's files by name below its folder, with their sizes.
std::map<std::string, std::uintmax_t> files_of(const fs::path& folder) {
  std::map<std::string, std::uintmax_t> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && !is_of_the_state(name)) files[name] = entry.file_size();
  }
  return files;
}

bool are_there(const fs::path& folder, const json& files) {
  for (const auto& [name, size] : files.items()) {
    std::error_code gone;
    if (fs::file_size(folder / name, gone) != size.get<std::uintmax_t>() || gone) return false;
  }
  return true;
}

}  // namespace

PointInputs InputReader::read(const config::Experiment& experiment) {
  PointInputs inputs{{"experiment", sha256(experiment.to_toml())}, {"host", host_build()}};
  for (const auto& choice : experiment.plugins) {
    const host::LoadedPlugin& plugin = registry_.find(choice->kind, choice->plugin);
    inputs["plugin " + plugin.id()] = plugin.build_id;
  }
  const Parameters& training = experiment.sections.at("training");
  inputs["threads"] = std::to_string(training::resolved_threads(training));
  inputs["precision"] = training::resolved_precision(training);
  inputs["device"] = training::resolved_device(training).str();
  const Parameters& weights = experiment.sections.at("weights");
  const auto [content, is_new] = weights_.try_emplace(weights.path("path").string() + "\n" + weights.text("key"));
  if (is_new)
    for (const auto& [name, value] : training::weights_parts(weights)) content->second += name + " = " + value + "\n";
  inputs["weights"] = content->second;
  return inputs;
}

PointInputs InputReader::with_source(PointInputs inputs, const std::string& listing) {
  inputs["source"] = listing;
  return inputs;
}

store::Lock take_turn(const fs::path& folder) {
  const fs::path file = folder / kLockFile;
  {
    const store::HeldFile first(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (first && ::flock(first.descriptor(), LOCK_EX | LOCK_NB) != 0)
      std::cerr << folder.string() << ": another process runs there; waiting for it\n";
  }
  return store::Lock(file);
}

void forget_point(const fs::path& folder) { fs::remove(folder / kRecordFile); }

void remember_point(const fs::path& folder, const PointInputs& inputs) {
  write_file(folder / kRecordFile, json({{"format", kFormat},
                                         {"inputs", inputs},
                                         {"holds", files_of(folder)},
                                         {"values", sha256_of_file(folder / kValuesFile)}})
                                       .dump(1));
}

bool is_up_to_date(const fs::path& folder, const PointInputs& inputs, const store::Store& store) {
  const json record = read_json(folder / kRecordFile), state = read_json(folder / kStateFile);
  try {
    if (!record.is_object() || record.at("format") != kFormat || record.at("inputs") != json(inputs)) return false;
    if (!state.is_object() || state.at("status") != "complete" || !are_there(folder, record.at("holds"))) return false;
    if (record.at("values") != sha256_of_file(folder / kValuesFile)) return false;
    const std::vector<std::string> keys = artifacts_of(folder);
    return !keys.empty() && std::ranges::all_of(keys, [&](const std::string& key) { return store.contains(key); });
  } catch (const json::exception&) {  // of another version, or damaged: the point is run, which writes it anew
    return false;
  } catch (const Error&) {  // a file that is gone, a key that is none
    return false;
  }
}

std::vector<std::string> artifacts_of(const fs::path& folder) {
  std::vector<std::string> keys;
  const json stages = read_json(folder / "stages.json");
  if (!stages.is_array()) return keys;
  for (const json& stage : stages) {
    const auto artifacts = stage.find("artifacts");
    if (artifacts != stage.end() && artifacts->is_array())
      for (const json& key : *artifacts)
        if (key.is_string()) keys.push_back(key);
  }
  return keys;
}

}  // namespace osteon::pipeline
