// What is written of a comparison whatever the format: digits, titles, notes.

#include "pipeline/comparison_text.hpp"

#include "pipeline/paired_statistics.hpp"
#include "pipeline/words.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::pipeline {

namespace {

constexpr const char* kNothing = "–";

std::string with_sign(double value, int decimals) {
  const std::string digits = fixed(value, decimals);
  const bool is_zero = digits.find_first_of("123456789") == std::string::npos;
  return (value > 0 && !is_zero ? "+" : "") + digits;
}

/// What reports give this unit, or enough to see the smallest number that is not 0 nor a rounding error.
int decimals_of(const ComparedFigure& figure) {
  int decimals = figure.unit == "%" ? 1 : figure.unit == "mm" || figure.unit == "°" ? 2 : 3;
  for (const ComparedValue& value : figure.values)
    for (const double number : {value.mean, value.deviation, value.difference.value_or(0)})
      if (std::isfinite(number) && std::abs(number) > 1e-9 * std::max(1.0, std::abs(value.mean)))
        decimals = std::max(decimals, -static_cast<int>(std::floor(std::log10(std::abs(number)))));
  return std::min(decimals, 6);
}

std::string p_text(double p) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.2g", p);
  return digits;
}

std::string range(std::vector<std::int64_t> counts) {
  const auto [fewest, most] = std::ranges::minmax(counts);
  return fewest == most ? text(fewest) : text(fewest, " to ", most);
}

std::string value_text(const ComparedValue& value, int decimals) {
  if (!std::isfinite(value.mean)) return kNothing;
  const std::string mean = fixed(value.mean, decimals);
  return std::isfinite(value.deviation) ? mean + " ± " + fixed(value.deviation, decimals) : mean;
}

std::string difference_text(const ComparedValue& value, bool is_baseline, int decimals) {
  if (is_baseline) return "baseline";
  if (!value.difference) return kNothing;
  const std::string difference = with_sign(*value.difference, decimals);
  if (!value.interval) return difference;
  return text(difference, " [", with_sign(value.interval->first, decimals), ", ",
              with_sign(value.interval->second, decimals), "]");
}

}  // namespace

std::string Footnotes::marks(const std::vector<std::string>& notes) {
  std::string marks;
  for (const std::string& note : notes) {
    auto known = std::ranges::find(notes_, note);
    if (known == notes_.end()) known = notes_.insert(known, note);
    marks += text(marks.empty() ? "" : ",", known - notes_.begin() + 1);
  }
  return marks;
}

std::vector<std::string> column_names(const RunComparison& comparison) {
  std::vector<std::string> names{"setting", "value"};
  if (comparison.settings.size() > 1)
    for (const char* name : {"difference [95 %]", "p", "rank", "first"}) names.emplace_back(name);
  return names;
}

std::vector<ComparedLine> lines_of(const ComparedFigure& figure, const RunComparison& comparison, Footnotes& notes) {
  const int decimals = decimals_of(figure);
  std::vector<ComparedLine> lines;
  for (const ComparedValue& value : figure.values) {
    ComparedLine line{{comparison.settings[value.setting].name, value_text(value, decimals)}, notes.marks(value.notes)};
    if (comparison.settings.size() > 1) {
      line.cells.push_back(difference_text(value, value.setting == comparison.baseline, decimals));
      line.cells.push_back(value.corrected ? p_text(*value.corrected) : kNothing);
      line.cells.push_back(value.rank > 0 ? std::to_string(value.rank) : kNothing);
      line.cells.push_back(value.first ? fixed(100 * *value.first, 0) + " %" : kNothing);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string title_of(const ComparedFigure& figure) {
  std::vector<std::int64_t> counts, people;
  for (const ComparedValue& value : figure.values) {
    counts.push_back(value.count);
    people.push_back(static_cast<std::int64_t>(value.people));
  }
  std::string details = figure.unit.empty() ? "" : figure.unit + ", ";
  if (!figure.counted.empty()) details += text(range(counts), " ", figure.counted, ", ");
  if (std::ranges::max(people) > 0 && figure.counted != "people") details += text(range(people), " people, ");
  return text(figure.row, figure.row.empty() ? "" : ": ", figure.column, " (", details,
              figure.larger_is_better ? "larger" : "smaller", " is better)");
}

std::vector<std::string> methods_of(const RunComparison& comparison) {
  std::vector<std::string> methods{"Values are means over the seeds of a setting ± their standard deviation."};
  if (comparison.settings.size() < 2) return methods;
  methods.push_back(
      text("Differences are from ", comparison.settings[comparison.baseline].name,
           ", over the people that both settings measured; figures that are no means over people have none."));
  methods.push_back(text("Intervals (95 %) and how often a setting comes first: ", paired::kSamples,
                         " samples of people and, in each, of seeds; from ", paired::kFewestForInterval,
                         " people on for intervals."));
  methods.push_back(
      text("p: two-sided, from flips of the signs of people's differences, their seeds averaged (all flips up to ",
           paired::kMostForAllFlips, " people, else ", paired::kFlips,
           " random ones), by Holm over all comparisons of a table. It says whether other people would show the "
           "difference, not whether other trainings would."));
  return methods;
}

}  // namespace osteon::pipeline
