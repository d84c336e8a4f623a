#include "rows.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace osteon::shape_error {

namespace {

constexpr const char* kTable = "shape, held-out bones, rigid alignment";
constexpr std::size_t kFewestPeople = 12;  // below, an interval says more than the data do
constexpr int kDraws = 2000;

struct Column {
  std::string name, unit;
  double (*value)(const Outcome&);
  bool is_worst = false;  ///< the largest of the cases instead of their mean
};

std::vector<Column> columns(std::int64_t gallery_bones) {
  return {{"RMS", "mm", [](const Outcome& o) { return o.rms; }},
          {"Hausdorff", "mm", [](const Outcome& o) { return o.hausdorff; }},
          {"RMS / diagonal", "%", [](const Outcome& o) { return o.relative; }},
          {"better candidates", text("of ", gallery_bones), [](const Outcome& o) { return o.better; }},
          {"worst RMS", "mm", [](const Outcome& o) { return o.rms; }, true}};
}

/// One number a case and whose bone it is.
struct Samples {
  std::vector<double> value;
  std::vector<std::size_t> person;
  std::size_t people = 0;
};

Samples samples_of(const Row& row, const Column& column, const std::vector<std::string>& people) {
  Samples samples;
  std::map<std::string, std::size_t> number;
  for (std::size_t i = 0; i < row.cases.size(); ++i)
    if (row.cases[i]) {
      samples.value.push_back(column.value(*row.cases[i]));
      samples.person.push_back(number.try_emplace(people[i], number.size()).first->second);
    }
  samples.people = number.size();
  return samples;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Percentile interval of the mean over cases when people are drawn with replacement (Efron & Tibshirani, "An
/// introduction to the bootstrap", 1993, chapter 13).
std::pair<double, double> interval(const Samples& samples, std::uint64_t seed) {
  std::vector<double> sum(samples.people, 0), cases(samples.people, 0), means;
  for (std::size_t i = 0; i < samples.value.size(); ++i) {
    sum[samples.person[i]] += samples.value[i];
    ++cases[samples.person[i]];
  }
  Random random(seed, "people of the shape intervals");
  for (int draw = 0; draw < kDraws; ++draw) {
    double total = 0, count = 0;
    for (std::size_t i = 0; i < samples.people; ++i) {
      const auto person = static_cast<std::size_t>(random.below(samples.people));
      total += sum[person];
      count += cases[person];
    }
    means.push_back(total / count);
  }
  std::sort(means.begin(), means.end());
  return {means[static_cast<std::size_t>(0.025 * kDraws)], means[static_cast<std::size_t>(0.975 * kDraws) - 1]};
}

MetricValue empty_value(const std::string& row, const std::string& column, const std::string& unit) {
  MetricValue value;
  value.table = kTable;
  value.row = row;
  value.column = column;
  value.unit = unit;
  value.larger_is_better = false;
  value.counted = "bones";
  return value;
}

}  // namespace

std::vector<MetricValue> figures(const std::vector<Row>& rows, const std::vector<std::string>& people,
                                 std::int64_t gallery_bones, std::uint64_t seed) {
  std::vector<MetricValue> values;
  for (const Row& row : rows)
    for (const Column& column : columns(gallery_bones)) {
      const Samples samples = samples_of(row, column, people);
      if (samples.value.empty() || std::isnan(samples.value.front())) continue;
      MetricValue value = empty_value(row.name, column.name, column.unit);
      value.is_baseline = row.is_baseline;
      value.value =
          column.is_worst ? *std::max_element(samples.value.begin(), samples.value.end()) : mean(samples.value);
      value.count = static_cast<std::int64_t>(samples.value.size());
      if (samples.people >= kFewestPeople && !column.is_worst) value.interval = interval(samples, seed);
      value.note = row.note;
      values.push_back(std::move(value));
    }
  return values;
}

std::vector<MetricValue> undefined(const std::string& note) {
  MetricValue value = empty_value("best bone in the gallery (oracle)", "RMS", "mm");
  value.is_baseline = true;
  value.note = note;
  return {value};
}

}  // namespace osteon::shape_error
