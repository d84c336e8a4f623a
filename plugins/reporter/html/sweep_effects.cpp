// What each swept factor does to a figure: a point a run, the mean of each level, and where the settings are the levels
// the interval of the difference from the baseline.

#include "plot.hpp"
#include "sweep.hpp"

#include <osteon/error.hpp>

#include <cmath>
#include <map>
#include <set>

namespace osteon::report {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// The level of each setting; nothing where two settings share a level, since another factor then varies too.
std::optional<std::map<std::size_t, double>> levels_of_settings(const SweepSummary& sweep, const Levels& levels) {
  std::map<std::size_t, double> result;
  for (std::size_t i = 0; i < sweep.points.size(); ++i)
    if (sweep.points[i].setting) result[*sweep.points[i].setting] = levels.of_point[i];
  std::set<double> seen;
  for (const auto& [setting, level] : result)
    if (!seen.insert(level).second) return std::nullopt;
  return result;
}

ChartSeries means(const SweepFigure& figure, const Levels& levels) {
  std::map<double, std::pair<double, int>> sums;
  for (std::size_t i = 0; i < figure.points.size(); ++i)
    if (std::isfinite(figure.points[i])) {
      sums[levels.of_point[i]].first += figure.points[i];
      ++sums[levels.of_point[i]].second;
    }
  ChartSeries series{"mean", ChartSeries::Mark::line, {}, {}, false, {}};
  for (const auto& [level, sum] : sums) {
    series.x.push_back(level);
    series.y.push_back(sum.first / sum.second);
  }
  return series;
}

/// Upright strokes: the interval of the difference, from where the baseline's mean would be.
ChartSeries intervals(const SweepSummary& sweep, const SweepFigure& figure, const Levels& levels) {
  ChartSeries series{"difference from the baseline, 95 %", ChartSeries::Mark::line, {}, {}, true, {}};
  const auto places = levels_of_settings(sweep, levels);
  if (!places) return series;
  for (const SettingFigure& own : figure.settings) {
    if (!own.interval || !own.difference) continue;
    const double baseline = own.mean - *own.difference;
    series.x.insert(series.x.end(), 3, places->at(own.setting));
    for (const double y : {baseline + own.interval->first, baseline + own.interval->second, kNone})
      series.y.push_back(y);
  }
  return series;
}

std::string effect(const SweepSummary& sweep, std::size_t factor, const Levels& levels, const SweepFigure& figure) {
  ChartExtras extras{levels.names, {}};
  ChartSeries runs{"one run", ChartSeries::Mark::points, levels.of_point, figure.points, false, {}};
  std::vector<std::string> pages;
  for (const SweepPoint& point : sweep.points) {
    runs.hover.push_back(point.name);
    pages.push_back(point.status == "complete" ? page_of(point) : "");
  }
  Chart chart{
      "", full_name(figure), sweep.factors[factor], figure.figure.column, {means(figure, levels)}, {}, levels.is_log,
      ""};
  if (!figure.figure.unit.empty()) chart.y_label += text(", ", figure.figure.unit);
  chart.note = sweep.factors.size() > 1 ? "Means are over all runs of a level, whatever the other factors are." : "";
  extras.links.emplace_back();
  if (ChartSeries strokes = intervals(sweep, figure, levels); !strokes.x.empty()) {
    chart.note += text("Strokes: the 95 % interval of the difference from ", sweep.settings[sweep.baseline],
                       ", drawn from its mean.");
    chart.series.push_back(std::move(strokes));
    extras.links.emplace_back();
  }
  chart.series.push_back(std::move(runs));
  extras.links.push_back(std::move(pages));
  return chart_figure(chart, extras);
}

}  // namespace

std::string sweep_effects(const SweepSummary& sweep) {
  std::string html;
  const std::vector<std::size_t> shown = main_figures(sweep);
  for (std::size_t factor = 0; factor < sweep.factors.size(); ++factor) {
    const Levels levels = levels_of(sweep, factor);
    if (!levels.varies()) continue;
    for (const std::size_t place : shown) html += effect(sweep, factor, levels, sweep.figures[place]);
  }
  if (html.empty()) return "";
  return text(
      "<p class=\"quiet\">A grey point is one run: a click opens its page.</p>\n<div class=\"plots effects\">\n", html,
      "</div>\n");
}

}  // namespace osteon::report
