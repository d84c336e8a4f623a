// Points of a sweep as lines over parallel axes (Inselberg, "The plane with parallel coordinates", 1985), one for each
// factor that varies and each of the main figures, the better side of figures up. Lines are links to the points' pages.

#include "chart.hpp"
#include "markup.hpp"
#include "plot.hpp"
#include "sweep.hpp"

#include <osteon/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kAxesHeight = 330, kAxesTop = 56, kAxesBottom = 24, kAxesLeft = 90, kAxesRight = 90, kAxesWidth = 1020,
                 kLeastGap = 150, kMostGap = 300;
constexpr std::size_t kMostLines = 1000;

struct Axis {
  std::string name, remark;  ///< two lines above it
  std::vector<double> values;
  std::vector<std::string> names;  ///< of 0, 1, …
  bool is_log = false, is_down = false;
  double low = INFINITY, high = -INFINITY;

  void fit() {
    for (const double value : values)
      if (std::isfinite(value)) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
    if (is_one_value(low, high) && std::isfinite(low)) {
      const double room = low == 0 ? 1 : std::abs(low) * 0.1;
      low -= room;
      high += room;
    }
  }
  [[nodiscard]] bool is_empty() const { return low > high; }
  [[nodiscard]] double place(double value) const {
    const double share = is_log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return kAxesTop + (is_down ? share : 1 - share) * (kAxesHeight - kAxesTop - kAxesBottom);
  }
  [[nodiscard]] std::vector<double> ticks() const {
    if (!names.empty()) {
      std::vector<double> all;
      for (std::size_t i = 0; i < names.size(); ++i) all.push_back(static_cast<double>(i));
      return all;
    }
    std::vector<double> all = is_log ? log_ticks(low, high) : round_ticks(low, high, 4);
    std::erase_if(all, [this](double tick) { return tick < low || tick > high; });
    return all;
  }
  [[nodiscard]] std::string words(double value) const {
    return names.empty() ? number(value, 4) : names[static_cast<std::size_t>(value)];
  }
};

std::vector<Axis> axes_of(const SweepSummary& sweep) {
  std::vector<Axis> axes;
  for (std::size_t factor = 0; factor < sweep.factors.size(); ++factor) {
    const Levels levels = levels_of(sweep, factor);
    if (levels.varies()) axes.push_back({sweep.factors[factor], "", levels.of_point, levels.names, levels.is_log});
  }
  for (const std::size_t place : main_figures(sweep)) {
    const SweepFigure& figure = sweep.figures[place];
    const std::string unit = figure.figure.unit.empty() ? "" : text(", ", figure.figure.unit);
    axes.push_back(
        {figure.figure.table, figure.figure.column + unit, figure.points, {}, false, !figure.figure.larger_is_better});
  }
  for (Axis& axis : axes) axis.fit();
  std::erase_if(axes, [](const Axis& axis) { return axis.is_empty(); });
  return axes;
}

std::string drawn(const Axis& axis, double x) {
  std::string svg = text("<g class=\"axis\"><text class=\"name\" x=\"", x, "\" y=\"22\" text-anchor=\"middle\">",
                         escaped(shortened(axis.name, 26)), "<title>", escaped(axis.name), "</title></text><text x=\"",
                         x, "\" y=\"38\" text-anchor=\"middle\">", escaped(shortened(axis.remark, 28)), "<title>",
                         escaped(axis.remark), "</title></text><line x1=\"", x, "\" x2=\"", x, "\" y1=\"", kAxesTop,
                         "\" y2=\"", kAxesHeight - kAxesBottom, "\"/>");
  for (const double tick : axis.ticks()) {
    const std::string y = tenths(axis.place(tick));
    svg += text("<line x1=\"", x - 4, "\" x2=\"", x, "\" y1=\"", y, "\" y2=\"", y, "\"/><text x=\"", x - 7, "\" y=\"",
                tenths(axis.place(tick) + 3.5), "\" text-anchor=\"end\">", escaped(shortened(axis.words(tick), 10)),
                "</text>");
  }
  return svg + "</g>";
}

}  // namespace

std::string parallel_axes(const SweepSummary& sweep) {
  const std::vector<Axis> axes = axes_of(sweep);
  if (axes.size() < 2) return "";
  const double gap =
      std::clamp((kAxesWidth - kAxesLeft - kAxesRight) / static_cast<double>(axes.size() - 1), kLeastGap, kMostGap);
  const auto across = [gap](std::size_t axis) { return std::round(kAxesLeft + gap * static_cast<double>(axis)); };
  const double width = across(axes.size() - 1) + kAxesRight;
  Json lines = Json::array(), places = Json::array();
  std::string svg;
  std::size_t count = 0;
  for (std::size_t i = 0; i < sweep.points.size() && count < kMostLines; ++i) {
    std::string path, title = sweep.points[i].name;
    Json heights = Json::array(), words = Json::array();
    bool pen_down = false;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const double value = axes[a].values[i];
      if (!std::isfinite(value)) {
        pen_down = false;
        heights.push_back(nullptr);
        continue;
      }
      const std::string y = tenths(axes[a].place(value));
      path += text(pen_down ? "L" : "M", across(a), " ", y);
      pen_down = true;
      heights.push_back(std::round(axes[a].place(value) * 10) / 10);
      words.push_back(
          text(axes[a].name, axes[a].remark.empty() ? "" : " · ", axes[a].remark, ": ", axes[a].words(value)));
    }
    if (!sweep.points[i].setting) continue;
    ++count;
    svg += text("<a href=\"", escaped(page_of(sweep.points[i])), "\" aria-label=\"", escaped(title), "\"><path d=\"",
                path, "\"><title>", escaped(title), "</title></path></a>\n");
    lines.push_back({{"name", title}, {"y", heights}, {"says", words}});
  }
  if (count == 0) return "";
  std::string grid;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    grid += drawn(axes[a], across(a));
    places.push_back(across(a));
  }
  const auto left_out = std::ranges::count_if(sweep.points, [](const SweepPoint& p) { return p.setting.has_value(); }) -
                        static_cast<std::ptrdiff_t>(count);
  return text(
      "<p class=\"quiet\">A line is a point of the sweep; a click opens its page. Up is better on the axes of "
      "figures. Drag along an axis to keep the lines that pass there; a click on the axis lets them all back.</p>\n",
      left_out > 0 ? text("<p class=\"quiet\">", left_out, " more points are not drawn.</p>\n") : "",
      "<figure class=\"parallel\"><div class=\"wide\"><div class=\"stage\" style=\"width:", width,
      "px\"><svg viewBox=\"0 0 ", width, " ", kAxesHeight, "\" role=\"group\" aria-label=\"", count, " points over ",
      axes.size(), " axes\">\n<g class=\"lines\">", svg, "</g>", grid, "</svg></div></div>",
      data_block({{"axes", places}, {"top", kAxesTop}, {"bottom", kAxesHeight - kAxesBottom}, {"lines", lines}}),
      "</figure>\n");
}

}  // namespace osteon::report
