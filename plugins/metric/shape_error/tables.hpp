#pragma once

// Rows become figures: means over bones, intervals over people.

#include "rows.hpp"

namespace osteon::shape_error {

/// Whose bones the cases are, how many candidates they have, and the seed of the resampling.
struct Setting {
  std::vector<std::string> bones, people;
  std::string of_candidates;  ///< "of 24"
  std::uint64_t seed = 0;
};

Setting setting_of(const Comparison& comparison);

/// "no better than two scalars" on rows of methods that choose, where their RMS is not shown to be smaller than that of
/// the bone nearest by length and volume.
void give_verdicts(std::vector<Row>& rows, const std::vector<Method>& methods, const Setting& setting);

/// The main table.
std::vector<MetricValue> figures(const std::vector<Row>& rows, const Setting& setting);
/// Each method's RMS minus that of the bone nearest by length and volume, and of the oracle, bone by bone.
std::vector<MetricValue> differences(const std::vector<Row>& rows, const Setting& setting);
/// The RMS of each bone.
std::vector<MetricValue> bones(const std::vector<Row>& rows, const std::vector<Method>& methods,
                               const Setting& setting);
/// RMS in the regions of the true surface.
std::vector<MetricValue> regions(const std::vector<Row>& rows, const Setting& setting);
/// What methods say of their own error, beside what it was.
std::vector<MetricValue> estimates(const std::vector<Method>& methods);

/// What stands in the table when there is nothing to measure.
std::vector<MetricValue> undefined(const std::string& note);

}  // namespace osteon::shape_error
