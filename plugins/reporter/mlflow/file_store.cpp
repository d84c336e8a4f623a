#include "file_store.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <system_error>

namespace osteon::mlflow {

namespace {

namespace fs = std::filesystem;

constexpr int kLocalSource = 4;  ///< SourceType of MLflow's service.proto

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    throw failure(text(folder.string(), ": cannot make the folder: ", problem.message(),
                       "; reporter.mlflow.folder names another place"));
}

void take_away(const fs::path& path) {
  std::error_code problem;
  fs::remove_all(path, problem);
  if (problem) throw failure(text(path.string(), ": cannot remove what an earlier run left: ", problem.message()));
}

void move(const fs::path& from, const fs::path& to) {
  std::error_code problem;
  fs::rename(from, to, problem);
  if (problem) throw failure(text(to.string(), ": cannot write: ", problem.message()));
}

/// The document's keys in their order. Strings are quoted: "07" must not become a number.
class Yaml {
 public:
  Yaml() { out_ << YAML::BeginMap; }
  Yaml& text(const char* key, const std::string& value) {
    out_ << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value;
    return *this;
  }
  Yaml& number(const char* key, std::optional<std::int64_t> value) {
    out_ << YAML::Key << key << YAML::Value;
    if (value) {
      out_ << *value;
    } else {
      out_ << YAML::Null;
    }
    return *this;
  }
  Yaml& empty_list(const char* key) {
    out_ << YAML::Key << key << YAML::Value << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;
    return *this;
  }
  std::string done() {
    out_ << YAML::EndMap;
    return std::string(out_.c_str()) + "\n";
  }

 private:
  YAML::Emitter out_;
};

void write_experiment(const fs::path& root, const std::string& id, const std::string& name) {
  make_folder(root / id);
  const std::int64_t time = now();
  // Another process may write the same at this moment.
  const fs::path own = root / text(".", id, "-", ::getpid());
  write_file(own, Yaml()
                      .text("artifact_location", file_uri(root / id))
                      .number("creation_time", time)
                      .text("experiment_id", id)
                      .number("last_update_time", time)
                      .text("lifecycle_stage", "active")
                      .text("name", name)
                      .done());
  move(own, root / id / "meta.yaml");
}

/// Id of the experiment of that name among the folders of `root`.
std::optional<std::string> known_experiment(const fs::path& root, const std::string& name) {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(root, problem)) {
    const fs::path meta = entry.path() / "meta.yaml";
    std::error_code ignored;
    if (!fs::is_regular_file(meta, ignored)) continue;
    try {
      const YAML::Node node = YAML::LoadFile(meta.string());
      if (node["name"] && node["name"].as<std::string>() == name) return entry.path().filename().string();
    } catch (const YAML::Exception&) {
      continue;  // MLflow passes over it too
    }
  }
  return std::nullopt;
}

/// 18 digits, as MLflow's own are; the same for the same name.
std::string new_id(const std::string& name) {
  std::string digits;
  for (const char c : sha256("experiment\n" + name))
    digits += static_cast<char>('0' + (c <= '9' ? c - '0' : c - 'a' + 10) % 10);
  if (digits[0] == '0') digits[0] = '1';
  return digits.substr(0, 18);
}

std::string experiment_id(const fs::path& root, const std::string& name) {
  if (const auto known = known_experiment(root, name)) return *known;
  if (const auto deleted = known_experiment(root / ".trash", name))
    throw Error(text(root.string(), ": the experiment \"", name,
                     "\" was deleted in MLflow; restore it (mlflow "
                     "experiments restore --experiment-id ",
                     *deleted, "), or give another name: reporter.mlflow.experiment"));
  const std::string id = new_id(name);
  if (fs::exists(root / id / "meta.yaml")) {
    if (known_experiment(root, name)) return id;  // made by another process a moment ago
    throw Error(text((root / id).string(), ": the experiment of this number is no longer called \"", name,
                     "\"; give its new name: reporter.mlflow.experiment"));
  }
  write_experiment(root, id, name);
  return id;
}

}  // namespace

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string file_uri(const fs::path& path) {
  std::string uri = "file://";
  for (const char c : path.string()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, plain ? "%c" : "%%%02X", static_cast<int>(byte));
    uri += escaped;
  }
  return uri;
}

StoredRun::StoredRun(const fs::path& root, const std::string& experiment, std::string run_id, std::string run_name,
                     const std::map<std::string, std::string>& parameters,
                     const std::map<std::string, std::string>& tags)
    : run_id_(std::move(run_id)), run_name_(std::move(run_name)), start_(now()) {
  std::error_code ignored;
  const bool is_new = !fs::exists(root, ignored);
  make_folder(root);
  if (is_new) write_experiment(root, "0", "Default");  // MLflow makes it together with the folder, and counts on it
  experiment_id_ = experiment_id(root, experiment);
  experiment_ = root / experiment_id_;
  run_ = experiment_ / run_id_;
  partial_ = experiment_ / (run_id_ + ".partial");
  take_away(partial_);
  for (const char* part : {"artifacts", "metrics", "params", "tags"}) make_folder(partial_ / part);
  for (const auto& [name, value] : parameters) write_file(partial_ / "params" / name, value);
  for (const auto& [name, value] : tags) write_file(partial_ / "tags" / name, value);
  take_away(run_ / "meta.yaml");  // first: with it, half of an old run would be a run
  take_away(run_);
  move(partial_, run_);
  write_meta(Status::running, std::nullopt);
}

void StoredRun::put(const std::string& name, std::string_view bytes) {
  make_folder(partial_);
  write_file(partial_ / "file", bytes);
  make_folder((run_ / name).parent_path());
  move(partial_ / "file", run_ / name);
  take_away(partial_);
}

void StoredRun::finish(Status status) { write_meta(status, now()); }

void StoredRun::write_meta(Status status, std::optional<std::int64_t> end) {
  put("meta.yaml", Yaml()
                       .text("artifact_uri", file_uri(run_ / "artifacts"))
                       .number("deleted_time", std::nullopt)
                       .number("end_time", end)
                       .text("entry_point_name", "")
                       .text("experiment_id", experiment_id_)
                       .text("lifecycle_stage", "active")
                       .text("run_id", run_id_)
                       .text("run_name", run_name_)
                       .text("run_uuid", run_id_)
                       .text("source_name", "")
                       .number("source_type", kLocalSource)
                       .text("source_version", "")
                       .number("start_time", start_)
                       .number("status", static_cast<int>(status))
                       .empty_list("tags")
                       .text("user_id", "")
                       .done());
}

}  // namespace osteon::mlflow
