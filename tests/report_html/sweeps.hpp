#pragma once

// A sweep as its reporters are told of it: three margins, two seeds, the last point of which failed.

#include <osteon/reporter.hpp>

#include <cmath>
#include <limits>
#include <string>

namespace osteon {

inline SweepFigure sweep_figure(const char* table, const char* column, const char* unit, bool larger,
                                std::vector<double> points) {
  SweepFigure figure;
  figure.figure.table = table;
  figure.figure.row = "fingerprint + knn";
  figure.figure.column = column;
  figure.figure.unit = unit;
  figure.figure.larger_is_better = larger;
  figure.title = std::string(column) + " (over 3 bones)";
  figure.points = std::move(points);
  return figure;
}

inline SweepSummary margins() {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  SweepSummary sweep;
  sweep.factors = {"loss.margin"};
  sweep.settings = {"loss.margin = 0.05", "loss.margin = 0.1", "loss.margin = 1.0"};
  sweep.baseline = 1;
  sweep.columns = {"value", "difference [95 %]", "p", "rank", "first"};
  const char* levels[] = {"0.05", "0.05", "0.1", "0.1", "1.0", "1.0"};
  for (std::size_t i = 0; i < 6; ++i) {
    SweepPoint point{"loss.margin = " + std::string(levels[i]) + " (point " + std::to_string(i + 1) + " of 6)",
                     {levels[i]},
                     "0" + std::to_string(i + 1),
                     "complete",
                     "",
                     12.5 + static_cast<double>(i),
                     i / 2};
    if (i == 5) {
      point.status = "failed";
      point.message = "crashed <here> with signal 11";
      point.setting.reset();
    }
    sweep.points.push_back(point);
  }
  sweep.figures.push_back(sweep_figure("identity, rank-1", "never trained on", "%", true, {90, 92, 95, 97, 60, kNone}));
  sweep.figures[0].settings = {
      {0, 91, -5, {{-9, -1}}, {"91.0 ± 1.4", "-5.0 [-9.0, -1.0]", "0.031", "2", "4 %"}, {"a <note>"}},
      {1, 96, {}, {}, {"96.0 ± 1.4", "baseline", "–", "1", "96 %"}, {}},
      {2, 60, -36, {{-40, -30}}, {"60.0", "-36.0 [-40.0, -30.0]", "0.031", "3", "0 %"}, {"a <note>"}}};
  sweep.figures.push_back(sweep_figure("shape, held-out bones", "RMS", "mm", false, {3.1, 3.0, 2.9, 2.8, 4.5, kNone}));
  sweep.figures[1].settings = {{0, 3.05, {}, {}, {"3.05 ± 0.07", "–", "–", "2", "–"}, {}},
                               {1, 2.85, {}, {}, {"2.85 ± 0.07", "baseline", "–", "1", "–"}, {}},
                               {2, 4.5, {}, {}, {"4.50", "–", "–", "3", "–"}, {}}};
  sweep.methods = {"Values are means over the seeds of a setting."};
  sweep.notices = {"a notice"};
  return sweep;
}

}  // namespace osteon
