#include "tables.hpp"

#include "people.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>

namespace osteon::shape_error {

namespace {

constexpr const char* kTable = "shape, held-out bones, rigid alignment";
constexpr const char* kDifferences = "surface error, paired differences of RMS";
constexpr const char* kBones = "surface error, RMS of each held-out bone";
constexpr const char* kRegionTable = "surface error, RMS by region of the true bone";

MetricValue cell(const char* table, const std::string& row, const std::string& column, const std::string& unit) {
  MetricValue value;
  value.table = table;
  value.row = row;
  value.column = column;
  value.unit = unit;
  value.larger_is_better = false;
  value.counted = "bones";
  return value;
}

using Figure = std::function<double(const Outcome&)>;

Samples of_row(const Row& row, const Figure& figure, const Setting& setting) {
  std::vector<std::optional<double>> values;
  for (const auto& one : row.cases) values.push_back(one ? std::optional(figure(*one)) : std::nullopt);
  return samples_of(values, setting.people);
}

MetricValue mean_cell(MetricValue value, const Samples& samples, const Setting& setting) {
  value.value = mean(samples.value);
  value.count = std::ssize(samples.value);
  value.interval = interval(samples, setting.seed);
  value.people = parts(samples);
  return value;
}

/// "first; second", without what is empty.
std::string joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : text(first, "; ", second);
}

void add_spread(const Row& row, const std::string& name, const Figure& figure, const Setting& setting,
                std::vector<MetricValue>& values) {
  const Samples samples = of_row(row, figure, setting);
  if (samples.value.size() < 2) return;
  MetricValue value = cell(kTable, row.name, "sd of " + name, "mm");
  value.is_baseline = row.is_baseline;
  value.value = deviation(samples.value);
  value.count = std::ssize(samples.value);
  value.note = row.note;
  values.push_back(std::move(value));
}

void add_mean(const Row& row, const std::string& name, const std::string& unit, const Figure& figure,
              const Setting& setting, std::vector<MetricValue>& values) {
  const Samples samples = of_row(row, figure, setting);
  if (samples.value.empty()) return;
  MetricValue value = mean_cell(cell(kTable, row.name, name, unit), samples, setting);
  value.is_baseline = row.is_baseline;
  value.note = name == "RMS" ? joined(row.note, row.verdict) : row.note;
  values.push_back(std::move(value));
}

void add_worst(const Row& row, std::vector<MetricValue>& values) {
  const Outcome* worst = nullptr;
  MetricValue value = cell(kTable, row.name, "worst RMS", "mm");
  for (const auto& one : row.cases) {
    if (!one) continue;
    ++value.count;
    if (worst == nullptr || one->worst > worst->worst) worst = &*one;
  }
  if (worst == nullptr) return;
  value.value = worst->worst;
  value.is_baseline = row.is_baseline;
  value.note = joined(row.note, row.is_baseline ? "" : worst->worst_of);
  values.push_back(std::move(value));
}

const Row* named(const std::vector<Row>& rows, const std::string& name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  return row == rows.end() ? nullptr : &*row;
}

/// RMS of a row minus that of another, bone by bone.
Samples paired(const Row& row, const Row& reference, const Setting& setting) {
  std::vector<std::optional<double>> values(row.cases.size());
  for (std::size_t c = 0; c < values.size(); ++c)
    if (row.cases[c] && reference.cases[c]) values[c] = row.cases[c]->rms - reference.cases[c]->rms;
  return samples_of(values, setting.people);
}

void add_difference(const Row& row, const Row& reference, const std::string& whose, const Setting& setting,
                    std::vector<MetricValue>& values) {
  const Samples samples = paired(row, reference, setting);
  if (samples.value.empty()) return;
  MetricValue difference = mean_cell(cell(kDifferences, row.name, text("minus ", whose), "mm"), samples, setting);
  MetricValue count = cell(kDifferences, row.name, text("better than ", whose), text("of ", samples.value.size()));
  count.value = static_cast<double>(std::ranges::count_if(samples.value, [](double d) { return d < 0; }));
  count.count = std::ssize(samples.value);
  Samples is_better = samples;
  for (double& d : is_better.value) d = d < 0 ? 100 : 0;
  count.people = parts(is_better);
  count.larger_is_better = true;
  difference.is_baseline = count.is_baseline = row.is_baseline;
  if (reference.name == kTwoScalarsRow) difference.note = row.verdict;
  values.push_back(std::move(difference));
  values.push_back(std::move(count));
}

}  // namespace

Setting setting_of(const Comparison& comparison) {
  Setting setting{{}, comparison.people(), {}, comparison.evidence().seed()};
  std::size_t fewest = comparison.cases().front().candidates.size(), most = fewest;
  for (std::size_t c = 0; c < comparison.cases().size(); ++c) {
    setting.bones.push_back(comparison.bone_of_case(c).id);
    fewest = std::min(fewest, comparison.cases()[c].candidates.size());
    most = std::max(most, comparison.cases()[c].candidates.size());
  }
  setting.of_candidates = fewest == most ? text("of ", most) : text("of ", fewest, " to ", most);
  return setting;
}

void give_verdicts(std::vector<Row>& rows, const std::vector<Method>& methods, const Setting& setting) {
  const Row* two_scalars = named(rows, kTwoScalarsRow);
  for (Row& row : rows) {
    const bool chooses = std::ranges::any_of(methods, [&](const Method& method) {
      return !method.deforms && (row.name == method.name || row.name == method.name + ", one pair");
    });
    if (!chooses || row.is_baseline || two_scalars == nullptr) continue;
    const Samples samples = paired(row, *two_scalars, setting);
    const auto bounds = interval(samples, setting.seed);
    if (!((bounds ? bounds->second : mean(samples.value)) < 0)) row.verdict = "no better than two scalars";
  }
}

std::vector<MetricValue> figures(const std::vector<Row>& rows, const Setting& setting) {
  const Figure rms = &Outcome::rms, average = &Outcome::mean;
  std::vector<MetricValue> values;
  for (const Row& row : rows) {
    add_mean(row, "RMS", "mm", rms, setting, values);
    add_spread(row, "RMS", rms, setting, values);
    add_mean(row, "mean", "mm", average, setting, values);
    add_spread(row, "mean", average, setting, values);
    add_mean(row, "HD95", "mm", &Outcome::hd95, setting, values);
    add_mean(row, "Hausdorff", "mm", &Outcome::hausdorff, setting, values);
    add_mean(row, "RMS / diagonal", "%", &Outcome::relative, setting, values);
    add_mean(row, "better candidates", setting.of_candidates, &Outcome::better, setting, values);
    add_worst(row, values);
  }
  return values;
}

std::vector<MetricValue> differences(const std::vector<Row>& rows, const Setting& setting) {
  const Row* two_scalars = named(rows, kTwoScalarsRow);
  const Row* oracle = named(rows, kOracleRow);
  std::vector<MetricValue> values;
  for (const Row& row : rows) {
    const bool is_compared = !row.is_baseline || row.name == kScaledMeanRow || row.name.ends_with("3D ceiling");
    if (!is_compared) continue;
    if (two_scalars != nullptr) add_difference(row, *two_scalars, "length and volume", setting, values);
    if (oracle != nullptr) add_difference(row, *oracle, "oracle", setting, values);
  }
  return values;
}

std::vector<MetricValue> bones(const std::vector<Row>& rows, const std::vector<Method>& methods,
                               const Setting& setting) {
  std::vector<MetricValue> values;
  for (std::size_t c = 0; c < setting.bones.size(); ++c)
    for (const Row& row : rows) {
      const bool is_method = std::ranges::find(methods, row.name, &Method::name) != methods.end();
      if (!row.cases[c] || !(is_method || row.name == kTwoScalarsRow || row.name == kOracleRow)) continue;
      MetricValue value = cell(kBones, setting.bones[c], row.name, "mm");
      value.value = row.cases[c]->rms;
      value.count = 1;
      value.is_baseline = true;  // one bone is no result: sweeps and headlines leave it out
      values.push_back(std::move(value));
    }
  return values;
}

std::vector<MetricValue> regions(const std::vector<Row>& rows, const Setting& setting) {
  std::vector<MetricValue> values;
  for (const Row& row : rows)
    for (std::size_t r = 0; r < femur::kRegions; ++r) {
      const Samples samples = of_row(
          row, [r](const Outcome& one) { return one.regions[r]; }, setting);
      if (samples.value.empty()) continue;
      MetricValue value = mean_cell(cell(kRegionTable, row.name, femur::kRegionNames[r], "mm"), samples, setting);
      value.is_baseline = row.is_baseline;
      value.note = row.note;
      values.push_back(std::move(value));
    }
  return values;
}

std::vector<MetricValue> undefined(const std::string& note) {
  MetricValue value = cell(kTable, kOracleRow, "RMS", "mm");
  value.is_baseline = true;
  value.note = note;
  return {value};
}

}  // namespace osteon::shape_error
