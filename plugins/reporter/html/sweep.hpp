#pragma once

// A sweep's page: its settings beside each other, what each factor does to the figures that matter most, all points as
// lines over parallel axes, and each point with a link to its own page. No statistics are made here: they come as
// `osteon compare` has them.

#include <osteon/reporter.hpp>

#include <optional>
#include <string>
#include <vector>

namespace osteon::report {

/// Up to four of `sweep.figures` that matter most, by their places.
[[nodiscard]] std::vector<std::size_t> main_figures(const SweepSummary& sweep);

/// The answer in a sentence of HTML: the setting that comes first in the first of the main figures.
[[nodiscard]] std::string sweep_answer(const SweepSummary& sweep);

/// Tables of the main figures, all others below, notes, and how they were had.
[[nodiscard]] std::string sweep_settings(const SweepSummary& sweep);

/// A chart for each factor that varies and each of the main figures.
[[nodiscard]] std::string sweep_effects(const SweepSummary& sweep);

/// A line for each point over axes of the factors and the main figures; "" where fewer than two could be drawn.
[[nodiscard]] std::string parallel_axes(const SweepSummary& sweep);

/// A table of all points: state, time, link, and why one failed.
[[nodiscard]] std::string sweep_points(const SweepSummary& sweep);

/// What points of one factor stand at: numbers, or names in order of appearance.
struct Levels {
  std::vector<std::string> names;  ///< of 0, 1, …; nothing where all levels are numbers
  std::vector<double> of_point;
  bool is_log = false;  ///< numbers above 0 that are spread over decades
  [[nodiscard]] bool varies() const;
};
[[nodiscard]] Levels levels_of(const SweepSummary& sweep, std::size_t factor);

/// "04/report.html".
[[nodiscard]] std::string page_of(const SweepPoint& point);

/// "identity, rank-1: fingerprint + knn, never trained on".
[[nodiscard]] std::string full_name(const SweepFigure& figure);

}  // namespace osteon::report
