#pragma once

// A run's records as JSON and as CSV (RFC 4180: commas, CRLF, quotes doubled inside quotes).

#include <osteon/reporter.hpp>

#include <string>
#include <vector>

namespace osteon::files {

/// Shortest text that reads back to the same number of its type; "" for NaN.
[[nodiscard]] std::string number_text(double value);
[[nodiscard]] std::string number_text(float value);

[[nodiscard]] std::string environment_json(const RunStarted& run);
/// `end.status` "running" has no seconds yet.
[[nodiscard]] std::string metrics_json(const RunStarted& run, const RunFinished& end,
                                       const std::vector<MetricValue>& values);
[[nodiscard]] std::string metrics_csv(const std::vector<MetricValue>& values);
[[nodiscard]] std::string curves_csv(const std::vector<Scalar>& curves);
/// Every chart with all its values; null for what is undefined.
[[nodiscard]] std::string charts_json(const std::vector<Chart>& charts);
/// A line an image. Throws a failure when the map's lists differ in length.
[[nodiscard]] std::string map_csv(const PicturedMap& map);
[[nodiscard]] std::string left_out_csv(const std::vector<SpecimenLeftOut>& specimens);

}  // namespace osteon::files
