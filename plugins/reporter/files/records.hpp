#pragma once

// A run's records as JSON and as CSV (RFC 4180: commas, CRLF, quotes doubled inside quotes).

#include <osteon/reporter.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace osteon::files {

/// Shortest text that reads back to the same number of its type; "" for NaN.
[[nodiscard]] std::string number_text(double value);
[[nodiscard]] std::string number_text(float value);

/// Line breaks and other control characters become blanks: a line of the log is one event's.
[[nodiscard]] std::string one_line(std::string_view words);

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
/// A title as a file's name: lower case letters, digits and hyphens, "map" where nothing is left.
[[nodiscard]] std::string file_word(std::string_view title);
[[nodiscard]] std::string left_out_csv(const std::vector<SpecimenLeftOut>& specimens);

}  // namespace osteon::files
