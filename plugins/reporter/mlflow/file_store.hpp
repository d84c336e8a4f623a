#pragma once

// MLflow's file store (mlflow/store/tracking/file_store.py), as much of it as one run needs:
//
//     ROOT/EXPERIMENT_ID/meta.yaml                        name, artefact location, lifecycle stage, times
//     ROOT/EXPERIMENT_ID/RUN_ID/meta.yaml                 status, start, end, name, artefact URI
//     ROOT/EXPERIMENT_ID/RUN_ID/{params,tags}/NAME        the value
//     ROOT/EXPERIMENT_ID/RUN_ID/metrics/NAME              a line a value: milliseconds since 1970, value, step
//     ROOT/EXPERIMENT_ID/RUN_ID/artifacts/…               any files
//
// A folder without meta.yaml is no run to MLflow: what is not complete lies in RUN_ID.partial.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::mlflow {

/// Milliseconds since 1970.
[[nodiscard]] std::int64_t now();

/// "file:///home/me/my%20runs" of an absolute path.
[[nodiscard]] std::string file_uri(const std::filesystem::path& path);

enum class Status { running = 1, finished = 3, failed = 4, killed = 5 };  // RunStatus of MLflow's service.proto

/// One run in a store.
class StoredRun {
 public:
  /// Finds or makes the experiment of that name below `root` and puts a running run of that id in it, in place of one
  /// that is there. Throws an error where the experiment was deleted in MLflow, a failure where a file can't be
  /// written.
  StoredRun(const std::filesystem::path& root, const std::string& experiment, std::string run_id, std::string run_name,
            const std::map<std::string, std::string>& parameters, const std::map<std::string, std::string>& tags);

  /// `name`, below the run's folder ("metrics/loss", "artifacts/experiment.toml"), in one rename.
  void put(const std::string& name, std::string_view bytes);
  void finish(Status status);

 private:
  void write_meta(Status status, std::optional<std::int64_t> end);

  std::filesystem::path experiment_, run_, partial_;
  std::string experiment_id_, run_id_, run_name_;
  std::int64_t start_;
};

}  // namespace osteon::mlflow
