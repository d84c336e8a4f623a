#pragma once

// A comparison of runs as people and programs read it.

#include "pipeline/run_comparison.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace osteon::pipeline {

/// Aligned, so that it reads in a terminal too: a heading a table, and under it one small table a figure.
[[nodiscard]] std::string to_markdown(const RunComparison& comparison);
/// One `table` environment a table, for \usepackage{booktabs}.
[[nodiscard]] std::string to_latex(const RunComparison& comparison);
/// RFC 4180, one line a figure and setting, numbers in full; empty where there is none.
[[nodiscard]] std::string to_csv(const RunComparison& comparison);
/// Everything, numbers in full; null where there is none.
[[nodiscard]] std::string to_json(const RunComparison& comparison);

/// Text as LaTeX prints it: its special characters escaped, and the signs that its fonts lack by their commands.
[[nodiscard]] std::string latex_escaped(std::string_view words);

// What Markdown and LaTeX share.

/// Notes of a table, numbered as they are first made; the same note has one number.
class Footnotes {
 public:
  /// "1,2" for the notes of one value, "" for none.
  std::string marks(const std::vector<std::string>& notes);
  [[nodiscard]] const std::vector<std::string>& all() const { return notes_; }

 private:
  std::vector<std::string> notes_;
};

/// One line of a figure: setting, value, difference with interval, p, rank, first; the last four only where there are
/// several settings. Signs: "-" and "±".
struct ComparedLine {
  std::vector<std::string> cells;
  std::string marks;  ///< of footnotes, to be set on the value
};
[[nodiscard]] std::vector<ComparedLine> lines_of(const ComparedFigure& figure, const RunComparison& comparison,
                                                 Footnotes& notes);
/// The columns of those lines.
[[nodiscard]] std::vector<std::string> column_names(const RunComparison& comparison);
/// "fingerprint + knn: never trained on (%, 21 bones, 12 people, larger is better)"
[[nodiscard]] std::string title_of(const ComparedFigure& figure);
/// How the figures of the tables were had, one sentence an item.
[[nodiscard]] std::vector<std::string> methods_of(const RunComparison& comparison);

}  // namespace osteon::pipeline
