// reporter/files: what a run says, as files that other programs read.
//
// Into the run's folder: metrics.json and metrics.csv (every figure with unit, direction, count and interval),
// curves.csv (learning curves), charts.json (every chart of a metric, only if there are any), maps/TITLE.csv (images as
// points of a plane, one file a map), left_out.csv (specimens that failed, only if any did), environment.json,
// experiment.toml (resolved, runnable as it is), log.txt (everything but progress, appended, times in UTC) and status
// (one word: running, complete, stopped, failed). JSON is UTF-8 with null for what is undefined; CSV follows RFC 4180,
// with an empty field for it. Every file but the log is replaced in one rename, so a reader never sees a part of one.
//
// It has no parameters:
//
//     [reporter.files]

#include "records.hpp"
#include "reports/text.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/reporter.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <set>

namespace osteon {

namespace {

std::string time_stamp() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char words[32];
  std::strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return words;
}

class Files : public Reporter {
 public:
  static Schema schema() {
    return {"Metrics, curves, log, environment and the resolved experiment as files (JSON; CSV of RFC 4180).", {}};
  }

  explicit Files(const Parameters& /*parameters*/) {}

  void report(const Event& event) override {
    std::visit([this](const auto& what) { on(what); }, event);
  }

 private:
  void on(const RunStarted& run) {
    run_ = run;
    values_.clear();
    curves_.clear();
    left_out_.clear();
    charts_.clear();
    maps_.clear();
    std::error_code problem;
    std::filesystem::create_directories(run.folder, problem);
    if (problem) throw failure(text(run.folder.string(), ": cannot make the folder: ", problem.message()));
    // Of an earlier run in this folder; this one may have none.
    for (const char* name : {"curves.csv", "left_out.csv", "charts.json"})
      std::filesystem::remove(run.folder / name, problem);
    std::filesystem::remove_all(run.folder / "maps", problem);
    write("status", "running\n");
    write("environment.json", files::environment_json(run));
    write("experiment.toml", run.experiment);
    log("run", run.title);
    if (!run.point.empty()) log("point", run.point);
    log("command", run.command);
    log("plan", run.plan);
  }

  void on(const Chart& chart) {
    charts_.push_back(chart);
    log("chart", chart.section + ": " + chart.title);
    write("charts.json", files::charts_json(charts_));
  }

  void on(const PicturedMap& map) {
    const std::string word = reports::file_word(map.map.title);
    std::string name = word;
    for (int more = 2; !maps_.insert(name).second; ++more) name = text(word, "-", more);
    log("map", map.map.title);
    if (run_.folder.empty()) return;
    std::error_code problem;
    std::filesystem::create_directories(run_.folder / "maps", problem);
    if (problem) throw failure(text((run_.folder / "maps").string(), ": cannot make the folder: ", problem.message()));
    write("maps/" + name + ".csv", files::map_csv(map));
  }

  void on(const StageStarted& stage) {
    std::string words = stage.stage;
    if (!stage.plugin.empty()) words += " (" + stage.plugin + ")";
    words += " begins";
    if (stage.total > 0) words += text(": ", stage.total, " ", stage.unit);
    log("stage", words);
  }

  void on(const StageProgress& /*progress*/) {}

  void on(const SweepSummary& /*sweep*/) {}  // its points keep their figures; the results follow

  void on(const StageFinished& stage) {
    std::string words = text(stage.stage, " ends after ", files::number_text(stage.seconds), " s: ", stage.made,
                             " made, ", stage.reused, " reused");
    if (!stage.detail.empty()) words += "; " + stage.detail;
    if (!stage.reason.empty()) words += "; ran because: " + stage.reason;
    log("stage", words);
    write_curves();
  }

  void on(const SpecimenLeftOut& specimen) {
    left_out_.push_back(specimen);
    log("left out", specimen.specimen + " (" + specimen.stage + "): " + specimen.reason);
    write("left_out.csv", files::left_out_csv(left_out_));
  }

  void on(const Notice& notice) { log("note", notice.message); }

  void on(const Scalar& point) {
    curves_.push_back(point);
    log("curve", text(point.curve, " at ", files::number_text(point.step), ": ", files::number_text(point.value)));
  }

  void on(const Picture& picture) { log("picture", picture.section + ": " + picture.caption); }

  void on(const SurfacePair& pair) { log("surfaces", pair.caption); }

  void on(const Results& results) {
    values_.insert(values_.end(), results.values.begin(), results.values.end());
    for (const MetricValue& value : results.values) {
      std::string words = value.table + " | " + value.row + " | " + value.column + ": " + to_text(value);
      if (!value.counted.empty()) words += text("; ", value.count, " ", value.counted);
      if (!value.note.empty() && !std::isnan(value.value)) words += "; " + value.note;
      log("result", words);
    }
    write_metrics({"running", 0, ""});
  }

  void on(const RunFinished& end) {
    log(end.status,
        "after " + files::number_text(end.seconds) + " s" + (end.message.empty() ? "" : ": " + end.message));
    write_curves();
    write_metrics(end);
    write("status", end.status + "\n");  // last: whoever reads "complete" finds the rest
  }

  void write_curves() {
    if (!curves_.empty()) write("curves.csv", files::curves_csv(curves_));
  }

  void write_metrics(const RunFinished& end) {
    write("metrics.json", files::metrics_json(run_, end, values_));
    write("metrics.csv", files::metrics_csv(values_));
  }

  void write(const std::string& name, const std::string& content) {
    if (!run_.folder.empty()) write_file(run_.folder / name, content);
  }

  /// Before a run has a folder its lines wait.
  void log(const std::string& label, const std::string& words) {
    waiting_ += time_stamp() + " " + reports::one_line(label) +
                std::string(label.size() < 9 ? 9 - label.size() : 1, ' ') + reports::one_line(words) + "\n";
    if (run_.folder.empty()) return;
    const std::filesystem::path file = run_.folder / "log.txt";
    std::ofstream out(file, std::ios::app | std::ios::binary);
    out << waiting_ << std::flush;
    if (!out) throw failure(text(file.string(), ": cannot write: ", std::strerror(errno)));
    waiting_.clear();
  }

  RunStarted run_;
  std::vector<MetricValue> values_;
  std::vector<Scalar> curves_;
  std::vector<SpecimenLeftOut> left_out_;
  std::vector<Chart> charts_;
  std::set<std::string> maps_;  ///< names of the files
  std::string waiting_;
};

}  // namespace

OSTEON_PLUGIN(reporter, files, "0.1.0", Files)

}  // namespace osteon
