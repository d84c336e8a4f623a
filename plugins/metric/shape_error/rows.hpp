#pragma once

// The rows of the shape table and how they become figures: means over cases, intervals over people.

#include <osteon/metric.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace osteon::shape_error {

/// What one prediction of one bone is worth.
struct Outcome {
  double rms = 0;                                            ///< mm, symmetric
  double hausdorff = 0;                                      ///< mm
  double relative = 0;                                       ///< rms in % of the true bone's bounding-box diagonal
  double better = std::numeric_limits<double>::quiet_NaN();  ///< gallery bones with a smaller rms; NaN: none was chosen
};

struct Row {
  std::string name;
  bool is_baseline = false;
  std::vector<std::optional<Outcome>> cases;  ///< in the order of the evidence; nothing where the row has no answer
  std::string note;
};

/// The figures of `rows`, with 95 % intervals from resampling people where there are at least 12 of them.
std::vector<MetricValue> figures(const std::vector<Row>& rows, const std::vector<std::string>& people,
                                 std::int64_t gallery_bones, std::uint64_t seed);

/// What stands in the table when there is nothing to measure.
std::vector<MetricValue> undefined(const std::string& note);

}  // namespace osteon::shape_error
