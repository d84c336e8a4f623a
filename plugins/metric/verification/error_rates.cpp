// Verification (is it this bone?) and the open set (is it anybody of the gallery?): error rates over thresholds.

#include "setting.hpp"
#include "verification/roc.hpp"

#include <cmath>

namespace osteon::verification {

namespace {

/// A cell and the figure of a curve that it shows; without `of` it is finished already.
struct RocFigure {
  MetricValue value;
  double scale;
  std::function<double(const Roc&)> of;
};

/// Adds the cells with the figures of all trials, and their intervals: one curve a draw serves all of them.
void add_measured(const Setting& setting, const std::vector<Trial>& trials, const std::vector<RocFigure>& figures,
                  MetricResult& result) {
  const RocDraws draws(trials);
  const auto figures_of = [&](const Roc& roc) {
    std::vector<double> all;
    for (const RocFigure& one : figures) all.push_back(one.of ? one.scale * one.of(roc) : NAN);
    return all;
  };
  const std::vector<double> measured = figures_of(draws.roc());
  const std::vector<Interval> intervals = intervals_over_people(
      setting, figures.size(), [&](std::span<const double> times) { return figures_of(draws.roc(times)); });
  for (std::size_t i = 0; i < figures.size(); ++i) {
    MetricValue value = figures[i].value;
    if (figures[i].of) {
      value.value = measured[i];
      value.interval = intervals[i];
    }
    result.values.push_back(std::move(value));
  }
}

/// Why no error rate can be told, or "".
std::string why_undefined(const Setting& setting, const std::vector<Trial>& trials) {
  if (setting.people.empty()) return "no query images";
  if (setting.people.size() == 1) return "queries show one person: there are no pairs of people";
  if (roc_of(trials).false_accepts.empty()) return "no query image shows an enrolled bone, or nobody else is enrolled";
  return "";
}

void add_roc_curve(const Setting& setting, const Roc& roc, MetricResult& result) {
  constexpr int kPoints = 91;
  constexpr double kLeast = 0.001;
  Chart& chart = chart_of(result, text("Receiver operating characteristic, bones ", setting.name()),
                          "false-accept rate", "true-accept rate, %");
  if (chart.guides.empty()) {
    chart.log_x = true;
    chart.guides = {{text("3 / ", setting.pairs(), " pairs of people"),
                     std::min(1.0, least_false_accept_rate(std::ssize(setting.people)))}};
    chart.note = text("Left of the line ", setting.people.size(), " people can't tell a false-accept rate.");
  }
  ChartSeries series{setting.table->embedding_set, ChartSeries::Mark::line, {}, {}, setting.table->is_trivial, {}};
  for (int i = 0; i < kPoints; ++i) {
    series.x.push_back(std::pow(kLeast, 1 - static_cast<double>(i) / (kPoints - 1)));
    series.y.push_back(100 * true_accepts_at(roc, series.x.back()));
  }
  chart.series.push_back(std::move(series));
}

/// Of the methods only: how far a bone is from itself and from those of other people.
void add_histogram(const Setting& setting, const std::vector<Trial>& trials, MetricResult& result) {
  constexpr int kBins = 40;
  if (setting.table->is_trivial || trials.empty()) return;
  const double largest = -trials.back().score, width = largest > 0 ? largest / kBins : 1;
  std::vector<double> share[2] = {std::vector<double>(kBins), std::vector<double>(kBins)};
  double total[2] = {};
  for (const Trial& trial : trials) {
    const int bin = std::min(kBins - 1, static_cast<int>(-trial.score / width));
    share[trial.is_genuine][static_cast<std::size_t>(bin)] += trial.weight;
    total[trial.is_genuine] += trial.weight;
  }
  Chart& chart = chart_of(result, text("Distances of ", setting.table->embedding_set, ", bones ", setting.name()),
                          "distance to the nearest gallery image of a bone", "comparisons, %");
  chart.note = "Each bone counts the same, and so does each pair of people, however many images there are.";
  for (const bool genuine : {true, false}) {
    ChartSeries series{genuine ? "same bone" : "other people's bones", ChartSeries::Mark::bars, {}, {}, false, {}};
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      series.x.push_back((static_cast<double>(bin) + 0.5) * width);
      series.y.push_back(100 * share[genuine][bin] / total[genuine]);
    }
    chart.series.push_back(std::move(series));
  }
}

RocFigure true_accepts(const Setting& setting, MetricValue value, double rate) {
  const double least = least_false_accept_rate(std::ssize(setting.people));
  if (rate < least)
    return {
        undefined(value, text("below 3 / ", setting.pairs(), " pairs of ", setting.people.size(), " people")), 0, {}};
  return {std::move(value), 100, [rate](const Roc& roc) { return true_accepts_at(roc, rate); }};
}

}  // namespace

void add_error_rates(const Setting& setting, const Options& options, MetricResult& result) {
  const std::vector<Trial> trials = verification_trials(setting.table->probes, *setting.cohort);
  const auto cell = [&](const std::string& column) {
    MetricValue value = figure(setting, text("verification, bones ", setting.name()), column);
    value.counted = text("people, ", setting.pairs(), " pairs of them");
    return value;
  };
  MetricValue equal = cell("equal error rate"), area = cell("area under ROC");
  equal.larger_is_better = false;
  area.unit = "";
  if (const std::string reason = why_undefined(setting, trials); !reason.empty()) {
    for (const MetricValue& value : {equal, area}) result.values.push_back(undefined(value, reason));
    return;
  }
  std::vector<RocFigure> figures = {{equal, 100, equal_error_rate}, {area, 1, area_under}};
  for (const double rate : options.false_accept_rates)
    figures.push_back(true_accepts(setting, cell(text("true accepts at ", 100 * rate, " % false accepts")), rate));
  add_measured(setting, trials, figures, result);
  add_roc_curve(setting, roc_of(trials), result);
  add_histogram(setting, trials, result);
}

void add_open_set(const Setting& setting, MetricResult& result) {
  const std::vector<Trial> trials = watch_list_trials(setting.table->probes, *setting.cohort);
  MetricValue value = figure(setting, "open set, enrolled or not: equal error rate", setting.name());
  value.larger_is_better = false;
  if (const std::string reason = why_undefined(setting, trials); !reason.empty())
    result.values.push_back(undefined(value, reason));
  else
    add_measured(setting, trials, {{value, 100, equal_error_rate}}, result);
}

}  // namespace osteon::verification
