#include "setting.hpp"

#include "statistics/statistics.hpp"

#include <algorithm>

namespace osteon::verification {

MetricValue figure(const Setting& setting, std::string table, std::string column) {
  MetricValue value;
  value.table = std::move(table);
  value.row = setting.table->embedding_set;
  value.column = std::move(column);
  value.unit = "%";
  value.is_baseline = setting.table->is_trivial;
  value.count = std::ssize(setting.people);
  value.counted = "people";
  if (setting.evidence->queries_share_volume())
    add_note(value, "gallery and queries share a CT volume: says nothing about identity");
  if (setting.table->held_out && setting.evidence->folds() > 1)
    add_note(value, text("distances of ", setting.evidence->folds(), " networks pooled"));
  return value;
}

MetricValue chance(MetricValue value, double by_chance) {
  value.row = "chance";
  value.value = by_chance;
  value.is_baseline = true;
  value.interval.reset();
  value.people.clear();
  return value;
}

MetricValue undefined(MetricValue value, const std::string& reason) {
  value.value = std::numeric_limits<double>::quiet_NaN();
  value.unit = "";
  value.note = reason;
  value.interval.reset();
  return value;
}

void add_note(MetricValue& value, const std::string& note) { value.note += (value.note.empty() ? "" : "; ") + note; }

Interval interval_over_people(const Setting& setting, const std::function<double(std::span<const double>)>& of) {
  return intervals_over_people(setting, 1, [&](std::span<const double> times) { return std::vector{of(times)}; })
      .front();
}

std::vector<Interval> intervals_over_people(const Setting& setting, std::size_t count,
                                            const std::function<std::vector<double>(std::span<const double>)>& of) {
  std::vector<double> times_of_person(static_cast<std::size_t>(setting.cohort->people), 1);
  return statistics::intervals(setting.people.size(), setting.evidence->seed(), count,
                               [&](std::span<const double> times) {
                                 for (std::size_t i = 0; i < times.size(); ++i)
                                   times_of_person[static_cast<std::size_t>(setting.people[i])] = times[i];
                                 return of(times_of_person);
                               });
}

Interval times_hundred(Interval interval) {
  if (interval) interval = {100 * interval->first, 100 * interval->second};
  return interval;
}

Chart& chart_of(MetricResult& result, const std::string& title, const std::string& x_label,
                const std::string& y_label) {
  const auto known = std::ranges::find(result.charts, title, &Chart::title);
  if (known != result.charts.end()) return *known;
  Chart chart;
  chart.section = kSection;
  chart.title = title;
  chart.x_label = x_label;
  chart.y_label = y_label;
  return result.charts.emplace_back(std::move(chart));
}

}  // namespace osteon::verification
