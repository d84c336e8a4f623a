#pragma once

// The whole page: what a run or a sweep told, put in order for a reader. One file, no address but a sweep's links to
// its points' pages, and no script but the page's own: it opens without network, and shows all figures without the
// script.

#include "chart.hpp"
#include "maps.hpp"

#include <osteon/reporter.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::report {

struct Stage {
  std::string name, plugin;
  std::optional<StageFinished> finished;  ///< nothing while it runs, or when the run ended in it
};

struct PictureSection {
  std::string name;
  std::string figures;  ///< HTML
  int shown = 0, left_out = 0;
  bool is_layered = false;  ///< has pictures that are laid over others
};

struct ChartSection {
  std::string name;
  std::string figures;  ///< HTML
  std::size_t count = 0;
};

struct Page {
  RunStarted start;
  std::chrono::system_clock::time_point began;
  std::optional<RunFinished> finish;  ///< nothing while the run goes on
  std::vector<Stage> stages;
  std::vector<SpecimenLeftOut> left_out;
  std::vector<std::string> notices;
  std::vector<Curve> curves;
  Maps maps;
  std::vector<ChartSection> charts;
  std::vector<PictureSection> pictures;
  std::vector<MetricValue> values;
  std::optional<SweepSummary> sweep;
  std::string surfaces;  ///< HTML of `surface_figures`
  int surfaces_shown = 0, surfaces_left_out = 0;
};

[[nodiscard]] std::string whole_page(const Page& page);

/// The answer in one or two sentences of HTML, made from the figures: recognition of bones never trained on beside the
/// best trivial row, and shape beside its baselines.
[[nodiscard]] std::string answer(const std::vector<MetricValue>& values);

/// Up to four figures that matter most: the best of their columns.
[[nodiscard]] std::vector<const MetricValue*> chosen_figures(const std::vector<MetricValue>& values);

/// The same as HTML cards.
[[nodiscard]] std::string key_figures(const std::vector<MetricValue>& values);

/// One HTML table for each table name, in order of appearance.
[[nodiscard]] std::string result_tables(const std::vector<MetricValue>& values);

/// A figure without its interval and note: "2.8 of 3", "undefined".
[[nodiscard]] std::string plain_text(const MetricValue& value);

/// "[58.3, 100]", or nothing.
[[nodiscard]] std::string interval_text(const MetricValue& value);

/// The style sheet.
extern const char* const kStyle;

}  // namespace osteon::report
