#pragma once

// A metric's charts as inline SVG, which shows without a script and in print. The script adds what the nearest point
// says; without it the marks' titles do.

#include <osteon/metric.hpp>

#include <string>
#include <vector>

namespace osteon::report {

/// Marks of one series that are drawn at most; of more, the chart's note says how many there were.
inline constexpr std::size_t kMostMarks = 3000;

/// What a chart of the page's own may have beside what a metric's has.
struct ChartExtras {
  std::vector<std::string> x_names;             ///< of x = 0, 1, …: names instead of numbers
  std::vector<std::vector<std::string>> links;  ///< of each series nothing, or where a click on each point leads
};

/// HTML of one chart. Throws a failure when a series' lists differ in length.
[[nodiscard]] std::string chart_figure(const Chart& chart, const ChartExtras& extras = {});

/// At most so many characters, the last an ellipsis where some are left out.
[[nodiscard]] std::string shortened(const std::string& words, std::size_t most);

/// Which values of a series are drawn, ascending: all, or of a line and of bars the lowest, the highest and a break of
/// each stretch, and of points evenly many. On a logarithmic axis x must be above 0 to be drawn.
[[nodiscard]] std::vector<std::size_t> drawn_marks(const ChartSeries& series, bool log_x);

/// Ticks of a logarithmic axis inside [low, high], both above 0: powers of ten, also twice and five times these where
/// there are few.
[[nodiscard]] std::vector<double> log_ticks(double low, double high);

}  // namespace osteon::report
