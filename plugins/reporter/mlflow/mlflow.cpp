// reporter/mlflow: a run in MLflow's file store.
//
//     [reporter.mlflow]
//     folder          = "mlruns"     # where the store lies; by default mlruns/ beside the folder of all runs
//     experiment      = "margins"    # MLflow's experiment; by default the title
//     steps_per_epoch = 100          # MLflow's steps are whole numbers: of a learning curve, so many an epoch
//
// With the defaults a run in runs/NAME-3f9a1c goes to mlruns/ in the working folder, where `mlflow ui` looks. From
// MLflow 3.13 on the store is read after `export MLFLOW_ALLOW_FILE_STORE=true`, or moved into a database by `mlflow
// migrate-filestore`.
//
// Parameters are the values of the resolved experiment by dotted key ("loss.margin"), cut at 6000 characters. Metrics
// are the learning curves ("curves/NAME") and the figures ("TABLE/ROW/COLUMN", step 0; undefined ones are left out).
// Tags say the command, the plan, the point of a sweep, the folder, how the run ended and the environment; points of a
// sweep are MLflow's nested runs. Artefacts are experiment.toml and the pictures.
//
// The run's id is made from the path of its folder: a run that begins again there takes the place of its own in the
// store, of no other. Names that MLflow does not allow are changed: in each of TABLE, ROW and COLUMN, every run of
// characters other than letters of ASCII, digits, "_", "-" and "." becomes one blank, blanks at the ends and dots at
// the beginning go, 76 characters stay ("identity, rank-1" → "identity rank-1"); where two become one, the second gets
// "-2".
//
// Each file is written beside the run and renamed; a run that is not complete has no meta.yaml yet, so MLflow does not
// see it. yaml-cpp reads the experiments that MLflow made and writes its descriptions.

#include "file_store.hpp"
#include "names.hpp"
#include "reports/text.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/png.hpp>
#include <osteon/reporter.hpp>

#include <cmath>
#include <cstdio>
#include <optional>
#include <system_error>

namespace osteon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestParameter = 6000, kLongestTag = 5000, kLongestExperiment = 500;

/// The same for every way to write it.
fs::path whole_path(const fs::path& path) {
  std::error_code problem;
  const fs::path canonical = fs::weakly_canonical(path, problem);
  return problem ? fs::absolute(path).lexically_normal() : fs::absolute(canonical);
}

/// Of a run's folder: 32 hexadecimal digits, as MLflow's own are.
std::string run_id(const fs::path& folder) { return sha256("run\n" + folder.string()).substr(0, 32); }

class MlFlow final : public Reporter {
 public:
  static Schema schema() {
    return {"A run's parameters, metrics, tags and pictures in MLflow's file store.",
            {Parameter::path("folder", "", "Where the store lies; mlruns beside the folder of all runs by default."),
             Parameter::text("experiment", "", "MLflow's experiment; the title by default.").not_in_key(),
             Parameter::integer("steps_per_epoch", 100,
                                "Steps of MLflow, which are whole numbers, in an epoch of a learning curve.")
                 .at_least(1)
                 .at_most(1000000)
                 .not_in_key()}};
  }

  explicit MlFlow(const Parameters& parameters)
      : root_(parameters.path("folder")),
        experiment_(parameters.text("experiment")),
        steps_per_epoch_(static_cast<double>(parameters.integer("steps_per_epoch"))) {}

  void report(const Event& event) override {
    std::visit([this](const auto& one) { take(one); }, event);
  }

 private:
  void take(const RunStarted& run) {
    run_.reset();
    names_ = {};
    metrics_.clear();
    pictures_ = 0;
    const fs::path folder = whole_path(run.folder);
    const bool is_point = !run.point.empty();
    const fs::path whole = is_point ? folder.parent_path() : folder;  // a point's folder lies in its sweep's
    const fs::path root = root_.empty() ? whole.parent_path().parent_path() / "mlruns" : whole_path(root_);
    const std::string experiment = experiment_.empty() ? run.title : experiment_;
    const std::string name = whole.filename().string() + (is_point ? "/" + folder.filename().string() : "");
    run_.emplace(root, mlflow::shortened(reports::utf8(reports::one_line(experiment)), kLongestExperiment),
                 run_id(folder), reports::utf8(name), parameters_of(run), tags_of(run, name, folder, whole));
    put("artifacts/experiment.toml", run.experiment);
  }

  std::map<std::string, std::string> parameters_of(const RunStarted& run) {
    std::map<std::string, std::string> parameters;
    for (const auto& [key, value] : mlflow::flattened(run.experiment))
      parameters[names_.of({"params", key}).substr(7)] = mlflow::shortened(value, kLongestParameter);
    return parameters;
  }

  std::map<std::string, std::string> tags_of(const RunStarted& run, const std::string& name, const fs::path& folder,
                                             const fs::path& whole) {
    std::map<std::string, std::string> tags{
        {"mlflow.runName", name},        {"mlflow.source.name", run.command},
        {"mlflow.source.type", "LOCAL"}, {"mlflow.note.content", run.point.empty() ? run.plan : run.point},
        {"osteon.command", run.command}, {"osteon.folder", folder.string()},
        {"osteon.plan", run.plan},       {"osteon.title", run.title}};
    if (!run.point.empty()) {
      tags["osteon.point"] = run.point;
      tags["mlflow.parentRunId"] = run_id(whole);
    }
    for (const auto& [fact, value] : run.environment)
      tags[names_.of({"tags", "environment." + fact}).substr(5)] = value;
    for (auto& [tag, value] : tags) value = mlflow::shortened(reports::utf8(value), kLongestTag);
    return tags;
  }

  void take(const Scalar& point) {
    const auto step = static_cast<std::int64_t>(std::llround(point.step * steps_per_epoch_));
    add_metric(names_.of({"metrics", "curves", point.curve}), point.value, step);
  }

  void take(const StageFinished& /*stage*/) { put_metrics(); }

  void take(const Picture& picture) {
    char number[24];
    std::snprintf(number, sizeof number, "%03lld ", static_cast<long long>(++pictures_));
    put("artifacts/" + names_.of({"pictures", picture.section, number + picture.caption}) + ".png",
        encode_png(picture.image));
  }

  void take(const Results& results) {
    for (const MetricValue& value : results.values)
      if (!std::isnan(value.value))
        add_metric(names_.of({"metrics", value.table, value.row, value.column}), value.value, 0);
    put_metrics();
  }

  void take(const RunFinished& end) {
    put_metrics();
    put("tags/osteon.status", reports::utf8(end.status));
    if (!end.message.empty()) put("tags/osteon.message", mlflow::shortened(reports::utf8(end.message), kLongestTag));
    using mlflow::Status;
    run_->finish(end.status == "complete" ? Status::finished
                                          : (end.status == "stopped" ? Status::killed : Status::failed));
  }

  /// MLflow has no place for the rest.
  template <class Other>
  void take(const Other& /*event*/) {}

  void add_metric(const std::string& file, double value, std::int64_t step) {
    Metric& metric = metrics_[file];
    metric.lines += text(mlflow::now(), " ", reports::number_text(value), " ", step, "\n");
    metric.is_written = false;
  }

  void put_metrics() {
    for (auto& [file, metric] : metrics_)
      if (!std::exchange(metric.is_written, true)) put(file, metric.lines);
  }

  void put(const std::string& name, std::string_view bytes) {
    if (!run_) throw failure("there is nothing to write to before a run has started");
    run_->put(name, bytes);
  }

  struct Metric {
    std::string lines;
    bool is_written = false;
  };

  fs::path root_;
  std::string experiment_;
  double steps_per_epoch_;
  std::optional<mlflow::StoredRun> run_;
  mlflow::Names names_;
  std::map<std::string, Metric> metrics_;  ///< by file
  std::int64_t pictures_ = 0;
};

}  // namespace

OSTEON_PLUGIN(reporter, mlflow, "0.1.0", MlFlow)

}  // namespace osteon
