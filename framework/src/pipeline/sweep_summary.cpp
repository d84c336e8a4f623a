#include "pipeline/sweep_summary.hpp"

#include "pipeline/comparison_text.hpp"
#include "pipeline/run_figures.hpp"
#include "pipeline/run_status.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <limits>
#include <map>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTrainingSeed = "training.seed";

/// What tells the points of one plan apart, and whose people they are.
RunResult result_of(const config::Plan& plan, std::size_t index, const fs::path& folder,
                    const std::vector<MetricValue>& values) {
  const config::Point& point = plan.points[index];
  RunResult run{folder, {}, std::to_string(point.repeat), {}, values};
  const config::PluginChoice& source = point.experiment.only("source");
  run.parameters["source.plugin"] = source.plugin;
  if (source.parameters.values().contains("seed"))
    run.parameters["source.seed"] = std::to_string(source.parameters.integer("seed"));
  for (const auto& [path, value] : point.changes)
    if (path == kTrainingSeed)
      run.training_seed += text("+", value);
    else
      run.parameters[path] = value;
  return run;
}

std::vector<SweepPoint> told_points(const config::Plan& plan, const fs::path& folder) {
  std::vector<SweepPoint> points;
  for (const PointStatus& status : status_of(folder)) {
    SweepPoint point{status.point,   {},          status.folder.filename(), status.status, status.message,
                     status.seconds, std::nullopt};
    for (const auto& [path, value] : plan.points.at(points.size()).changes) point.levels.push_back(value);
    points.push_back(std::move(point));
  }
  return points;
}

/// The setting that the experiment's file describes without its sweep, else the first.
std::size_t baseline_of(const config::Plan& plan, const std::vector<SweepPoint>& points) {
  config::Experiment file = plan.base;
  file.repeats = 1;  // as a point's
  const std::string own = file.digest();
  for (std::size_t i = 0; i < points.size(); ++i)
    if (points[i].setting && plan.points[i].repeat == 0 && plan.points[i].experiment.digest() == own)
      return *points[i].setting;
  return 0;
}

/// The figure of each point, in the unit in which the settings' are compared.
std::vector<double> values_of(const SweepFigure& figure, const SweepResults& results) {
  std::vector<double> values(results.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) continue;
    const auto own = std::ranges::find_if(*results[i], [&](const MetricValue& value) {
      return !value.is_baseline && value.table == figure.figure.table && value.row == figure.figure.row &&
             value.column == figure.figure.column;
    });
    if (own != results[i]->end()) values[i] = value_in(figure.figure.unit, *own);
  }
  return values;
}

SweepFigure told(const std::string& table, const ComparedFigure& compared, const RunComparison& comparison) {
  SweepFigure figure;
  figure.figure.table = table;
  figure.figure.row = compared.row;
  figure.figure.column = compared.column;
  figure.figure.unit = compared.unit;
  figure.figure.counted = compared.counted;
  figure.figure.larger_is_better = compared.larger_is_better;
  figure.title = title_of(compared);
  Footnotes numbered;  // the notes go with their values
  const std::vector<ComparedLine> lines = lines_of(compared, comparison, numbered);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const ComparedValue& value = compared.values[i];
    figure.settings.push_back({value.setting,
                               value.mean,
                               value.difference,
                               value.interval,
                               {lines[i].cells.begin() + 1, lines[i].cells.end()},
                               value.notes});
  }
  return figure;
}

/// Figures without what only a comparison says.
std::vector<SweepFigure> uncompared(const std::vector<RunSetting>& settings) {
  std::vector<SweepFigure> figures;
  for (const GatheredFigure& gathered : gathered_figures(settings)) {
    SweepFigure figure;
    figure.figure.table = gathered.table;
    figure.figure.row = gathered.row;
    figure.figure.column = gathered.column;
    figure.figure.unit = gathered.unit;
    figure.figure.counted = gathered.counted;
    figure.figure.larger_is_better = gathered.larger_is_better;
    figure.title = text(gathered.row, gathered.row.empty() ? "" : ": ", gathered.column);
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace

SweepSummary sweep_summary(const config::Plan& plan, const SweepResults& results, const fs::path& folder) {
  SweepSummary summary;
  summary.factors = plan.swept;
  summary.points = told_points(plan, folder);
  RunResults runs;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i]) runs.runs.push_back(result_of(plan, i, summary.points[i].folder, *results[i]));
  if (runs.runs.empty()) return summary;
  RunComparison comparison;
  comparison.settings = settings_of(std::move(runs), summary.notices);
  std::map<fs::path, std::size_t> setting_of;
  for (std::size_t s = 0; s < comparison.settings.size(); ++s) {
    summary.settings.push_back(comparison.settings[s].name);
    for (const RunResult& run : comparison.settings[s].seeds) setting_of[run.folder] = s;
  }
  for (SweepPoint& point : summary.points)
    if (const auto own = setting_of.find(point.folder); own != setting_of.end()) point.setting = own->second;
  if (comparison.settings.size() > kMostCompared) {
    summary.figures = uncompared(comparison.settings);
    summary.notices.push_back(text(comparison.settings.size(),
                                   " settings are not compared here, as they are more than ", kMostCompared,
                                   "; `osteon compare` compares those that it is told"));
  } else {
    summary.baseline = comparison.baseline = baseline_of(plan, summary.points);
    for (const ComparedTable& table : compared_tables(comparison.settings, comparison.baseline))
      for (const ComparedFigure& figure : table.figures)
        summary.figures.push_back(told(table.name, figure, comparison));
    summary.columns = column_names(comparison);
    summary.columns.erase(summary.columns.begin());
    summary.methods = methods_of(comparison);
  }
  for (SweepFigure& figure : summary.figures) figure.points = values_of(figure, results);
  return summary;
}

}  // namespace osteon::pipeline
