// Likelihood ratios of same bone against another person's bone, and their Tippett plot.

#include "verification/likelihood_ratio.hpp"

#include "setting.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace osteon::verification {

namespace {

void add_tippett_plot(const Setting& setting, std::span<const LogRatio> ratios, MetricResult& result) {
  constexpr int kPoints = 121;
  if (setting.table->is_trivial) return;
  const auto [least, most] = std::ranges::minmax(ratios, {}, &LogRatio::value);
  const double low = std::min(-1.0, std::floor(least.value / std::numbers::ln10));
  const double high = std::max(1.0, std::ceil(most.value / std::numbers::ln10));
  Chart& chart = chart_of(result, text("Tippett plot of ", setting.table->embedding_set, ", bones ", setting.name()),
                          "log10 of the likelihood ratio", "comparisons with a larger ratio, %");
  chart.guides = {{"LR = 1", 0}};
  for (const bool genuine : {true, false}) {
    ChartSeries series{genuine ? "same bone" : "other people's bones", ChartSeries::Mark::line, {}, {}, false, {}};
    for (int i = 0; i < kPoints; ++i) {
      series.x.push_back(std::lerp(low, high, static_cast<double>(i) / (kPoints - 1)));
      series.y.push_back(100 * share_above(ratios, genuine, series.x.back()));
    }
    chart.series.push_back(std::move(series));
  }
}

}  // namespace

void add_likelihood_ratios(const Setting& setting, MetricResult& result) {
  const auto cell = [&](const char* column) {
    MetricValue value = figure(setting, text("likelihood ratios, bones ", setting.name()), column);
    value.unit = "bits";
    value.larger_is_better = false;
    value.counted = text("people, ", setting.pairs(), " pairs of them");
    return value;
  };
  const MetricValue cost = cell("Cllr"), least = cell("Cllr min");
  const auto give_up = [&](const std::string& reason) {
    for (const MetricValue& value : {cost, least}) result.values.push_back(undefined(value, reason));
  };
  if (std::ssize(setting.people) < kFewestToCalibrate)
    return give_up(text("calibrating without both people of a pair needs ", kFewestToCalibrate, " people; there ",
                        setting.people.size() == 1 ? "is " : "are ", setting.people.size()));
  const std::vector<Trial> trials = verification_trials(setting.table->probes, *setting.cohort);
  const auto ratios = cross_calibrated(trials);
  if (!ratios) return give_up("too few people have enrolled bones to calibrate without both people of a pair");

  MetricValue calibrated = cost;
  const CllrDraws draws(*ratios);
  calibrated.value = draws();
  calibrated.interval = interval_over_people(setting, draws);
  MetricValue discriminated = least;
  discriminated.value = least_cllr(trials);
  add_note(discriminated, "Cllr min is fitted to the trials that it is measured on");
  result.values.push_back(calibrated);
  result.values.push_back(discriminated);
  add_tippett_plot(setting, *ratios, result);
}

}  // namespace osteon::verification
