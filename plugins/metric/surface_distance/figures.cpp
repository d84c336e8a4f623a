#include "figures.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace osteon::surface_distance {

namespace {

using open3d_support::DirectedDistance;

constexpr std::size_t kDirections = 3, kColumns = 4;
constexpr std::array<const char*, kColumns> kNames{"RMS", "mean", "HD95", "Hausdorff"};

using Row = std::array<double, kColumns>;
using Block = std::array<Row, kDirections>;  ///< both directions together, from the truth, from the prediction

Row row_of(const DirectedDistance& one) { return {one.rms, one.mean, one.percentile_95, one.max}; }

/// mm, or per cent of the diagonal.
Block block_of(const Measured& one, bool relative) {
  const auto& d = one.distance;
  Block block{Row{d.rms, d.mean, d.hd95, d.hausdorff}, row_of(d.a_to_b), row_of(d.b_to_a)};
  if (relative)
    for (Row& row : block)
      for (double& value : row) value *= 100 / one.diagonal;
  return block;
}

std::array<std::string, kDirections> row_names(const std::string& truth, const std::string& prediction) {
  return {truth + " ↔ " + prediction, truth + " → " + prediction, prediction + " → " + truth};
}

std::string scale_note(const Measured& one, const std::string& alignment) {
  if (alignment != "similarity") return "";
  char note[64];
  std::snprintf(note, sizeof note, "scaled by %.4f", one.scale);
  return note;
}

MetricValue empty_value(const std::string& table, bool relative) {
  MetricValue value;
  value.table = table + (relative ? ", % of the true bone's diagonal" : "");
  value.unit = relative ? "%" : "mm";
  value.larger_is_better = false;
  value.counted = "bones";
  return value;
}

void add(std::vector<MetricValue>& values, MetricValue value, const Block& block,
         const std::array<std::string, kDirections>& rows) {
  for (std::size_t direction = 0; direction < kDirections; ++direction)
    for (std::size_t column = 0; column < kColumns; ++column) {
      value.row = rows[direction];
      value.column = kNames[column];
      value.value = block[direction][column];
      values.push_back(value);
    }
}

void add_means(std::vector<MetricValue>& values, const std::vector<Measured>& measured, const std::string& table,
               bool relative) {
  std::vector<std::string> estimators;
  for (const Measured& one : measured)
    if (std::ranges::find(estimators, one.estimator) == estimators.end()) estimators.push_back(one.estimator);
  for (const std::string& estimator : estimators) {
    const auto of_it = [&](const Measured& one) { return one.estimator == estimator; };
    MetricValue value = empty_value(table, relative);
    value.count = std::ranges::count_if(measured, of_it);
    Block mean{};
    for (const Measured& one : measured)
      if (of_it(one)) {
        const Block block = block_of(one, relative);
        for (std::size_t direction = 0; direction < kDirections; ++direction)
          for (std::size_t column = 0; column < kColumns; ++column)
            mean[direction][column] += block[direction][column] / static_cast<double>(value.count);
      }
    add(values, value, mean, row_names("truth", estimator));
  }
}

}  // namespace

std::string alignment_text(const std::string& alignment) {
  if (alignment == "similarity") return "similarity alignment (size removed)";
  return alignment == "none" ? "no alignment" : alignment + " alignment";
}

std::vector<MetricValue> figures(const std::vector<Measured>& measured, const std::string& alignment, bool each_bone) {
  const std::string table = "surface distance, " + alignment_text(alignment);
  std::vector<MetricValue> values;
  if (measured.empty()) {
    MetricValue value = empty_value(table, false);
    value.row = "truth ↔ prediction";
    value.column = kNames.front();
    value.note = "no bone was held out and predicted";
    return {value};
  }
  const bool one_bone =
      std::ranges::all_of(measured, [&](const Measured& one) { return one.bone == measured.front().bone; });
  for (const bool relative : {false, true}) {
    if (!one_bone) add_means(values, measured, table, relative);
    if (!one_bone && !each_bone) continue;
    for (const Measured& one : measured) {
      MetricValue value = empty_value(one_bone ? table : table + ", each bone", relative);
      value.count = 1;
      value.note = scale_note(one, alignment);
      add(values, value, block_of(one, relative), row_names(one.bone, one.estimator));
    }
  }
  return values;
}

}  // namespace osteon::surface_distance
