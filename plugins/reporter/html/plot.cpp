#include "plot.hpp"

#include "chart.hpp"
#include "markup.hpp"

#include <osteon/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace osteon::report {

namespace {

using Json = nlohmann::ordered_json;

using Mark = ChartSeries::Mark;
using Indices = std::vector<std::size_t>;

constexpr double kPlotWidth = 420, kPlotHeight = 270, kPlotLeft = 56, kPlotRight = 14, kPlotTop = 12, kPlotBottom = 40;
constexpr std::size_t kMostDots = 60;     ///< a line of more points has no dots on them
constexpr std::size_t kMostTitles = 400;  ///< a series of more marks leaves what they say to the script
constexpr std::size_t kColours = 8;       ///< of the style sheet

bool is_drawn(const ChartSeries& series, std::size_t i, bool log_x) {
  return std::isfinite(series.x[i]) && std::isfinite(series.y[i]) && (!log_x || series.x[i] > 0);
}

struct Range {
  double low = INFINITY, high = -INFINITY;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  [[nodiscard]] bool is_empty() const { return low > high; }
};

/// From values to the picture's units.
struct PlotAxes {
  Range x, y;
  bool log_x;

  [[nodiscard]] double across(double value) const {
    const double share =
        log_x ? std::log(value / x.low) / std::log(x.high / x.low) : (value - x.low) / (x.high - x.low);
    return kPlotLeft + share * (kPlotWidth - kPlotLeft - kPlotRight);
  }
  [[nodiscard]] double up(double value) const {
    return kPlotHeight - kPlotBottom - (value - y.low) / (y.high - y.low) * (kPlotHeight - kPlotTop - kPlotBottom);
  }
};

/// Half the widths of bars, in the picture's units: as wide as the nearest neighbours' middles let them be.
double half_bar(const ChartSeries& series, const Indices& drawn, const PlotAxes& axes) {
  std::vector<double> middles;
  for (const std::size_t i : drawn)
    if (is_drawn(series, i, axes.log_x)) middles.push_back(axes.across(series.x[i]));
  std::sort(middles.begin(), middles.end());
  double gap = 2 * 14;
  for (std::size_t i = 1; i < middles.size(); ++i)
    if (middles[i] > middles[i - 1]) gap = std::min(gap, middles[i] - middles[i - 1]);
  return std::max(gap / 2, 0.4);
}

/// The range of all that is drawn; bars stand on 0 and are as wide as they are.
PlotAxes axes_of(const Chart& chart, const ChartExtras& extras, const std::vector<Indices>& drawn) {
  PlotAxes axes{{}, {}, chart.log_x};
  bool has_bars = false;
  for (std::size_t s = 0; s < chart.series.size(); ++s)
    for (const std::size_t i : drawn[s]) {
      if (!is_drawn(chart.series[s], i, chart.log_x)) continue;
      has_bars = has_bars || chart.series[s].mark == Mark::bars;
      axes.x.include(chart.series[s].x[i]);
      axes.y.include(chart.series[s].y[i]);
    }
  if (axes.x.is_empty()) return axes;
  for (const Chart::Guide& guide : chart.guides)
    if (std::isfinite(guide.x) && (!chart.log_x || guide.x > 0)) axes.x.include(guide.x);
  if (has_bars) axes.y.include(0);
  if (!extras.x_names.empty()) {
    axes.x = {-0.5, static_cast<double>(extras.x_names.size()) - 0.5};
  } else if (chart.log_x) {
    const double room = axes.x.high > axes.x.low ? std::pow(axes.x.high / axes.x.low, 0.02) : 2;
    axes.x = {axes.x.low / room, axes.x.high * room};
  } else {
    const double size = axes.x.high - axes.x.low, share = has_bars ? 0.05 : 0.02;
    const double room = size > 0 ? share * size : std::max(1.0, std::abs(axes.x.low)) * 0.1;
    axes.x = {axes.x.low - room, axes.x.high + room};
  }
  const std::vector<double> ticks = round_ticks(axes.y.low, axes.y.high, 5);
  axes.y = {ticks.front(), ticks.back()};
  return axes;
}

std::string x_tick(const std::string& x, const std::string& words, const std::string& whole) {
  return text("<line class=\"grid\" x1=\"", x, "\" x2=\"", x, "\" y1=\"", kPlotHeight - kPlotBottom, "\" y2=\"",
              kPlotHeight - kPlotBottom + 4, "\"/><text x=\"", x, "\" y=\"", kPlotHeight - kPlotBottom + 16,
              "\" text-anchor=\"middle\">", escaped(words),
              words == whole ? "" : text("<title>", escaped(whole), "</title>"), "</text>");
}

std::string named_ticks(const std::vector<std::string>& names, const PlotAxes& axes) {
  constexpr double kLetter = 6.5;  // about its width
  if (names.empty()) return "";
  const auto room =
      static_cast<std::size_t>((kPlotWidth - kPlotLeft - kPlotRight) / kLetter / static_cast<double>(names.size()));
  std::string svg;
  for (std::size_t i = 0; i < names.size(); ++i)
    svg += x_tick(tenths(axes.across(static_cast<double>(i))), shortened(names[i], std::max<std::size_t>(room, 2)),
                  names[i]);
  return svg;
}

std::string grid(const Chart& chart, const ChartExtras& extras, const PlotAxes& axes) {
  std::string svg;
  for (const double tick : round_ticks(axes.y.low, axes.y.high, 5))
    svg += text("<line class=\"grid\" x1=\"", kPlotLeft, "\" x2=\"", kPlotWidth - kPlotRight, "\" y1=\"",
                tenths(axes.up(tick)), "\" y2=\"", tenths(axes.up(tick)), "\"/><text x=\"", kPlotLeft - 6, "\" y=\"",
                tenths(axes.up(tick) + 3.5), "\" text-anchor=\"end\">", number(tick, 4), "</text>");
  const std::vector<double> ticks = !extras.x_names.empty() ? std::vector<double>()
                                    : chart.log_x           ? log_ticks(axes.x.low, axes.x.high)
                                                            : round_ticks(axes.x.low, axes.x.high, 6);
  for (const double tick : ticks)
    if (tick >= axes.x.low && tick <= axes.x.high)
      svg += x_tick(tenths(axes.across(tick)), number(tick, 4), number(tick, 4));
  svg += named_ticks(extras.x_names, axes);
  const double middle = kPlotTop + (kPlotHeight - kPlotBottom - kPlotTop) / 2;
  return svg + text("<text class=\"label\" x=\"", tenths(kPlotLeft + (kPlotWidth - kPlotLeft - kPlotRight) / 2),
                    "\" y=\"", kPlotHeight - 5, "\" text-anchor=\"middle\">", escaped(chart.x_label),
                    "</text><text class=\"label\" transform=\"translate(11 ", tenths(middle),
                    ") rotate(-90)\" text-anchor=\"middle\">", escaped(chart.y_label), "</text>");
}

std::string guides(const Chart& chart, const PlotAxes& axes) {
  std::string svg;
  int row = 0;
  for (const Chart::Guide& guide : chart.guides) {
    if (!std::isfinite(guide.x) || (chart.log_x && guide.x <= 0)) continue;
    const double x = axes.across(guide.x);
    const bool is_left =
        x < kPlotLeft + (kPlotWidth - kPlotLeft - kPlotRight) * 0.6;  // its name has more room to the right
    svg += text("<line class=\"guide\" x1=\"", tenths(x), "\" x2=\"", tenths(x), "\" y1=\"", kPlotTop, "\" y2=\"",
                kPlotHeight - kPlotBottom, "\"/><text class=\"guide\" x=\"", tenths(x + (is_left ? 4 : -4)), "\" y=\"",
                tenths(kPlotTop + 9 + 13 * row), "\" text-anchor=\"", is_left ? "start" : "end", "\">",
                escaped(guide.name), "</text>");
    row = (row + 1) % 5;
  }
  return svg;
}

/// What a mark says without the script.
std::string title(const Chart& chart, const ChartSeries& series, std::size_t i) {
  return text("<title>", escaped(series.name), ": ", escaped(chart.x_label), " ", number(series.x[i], 4), ", ",
              escaped(chart.y_label), " ", number(series.y[i], 4),
              series.hover.empty() ? "" : text("; ", escaped(series.hover[i])), "</title>");
}

std::string drawn_line(const Chart& chart, const ChartSeries& series, const Indices& drawn, const PlotAxes& axes) {
  std::string path, dots;
  bool pen_down = false;
  for (const std::size_t i : drawn) {
    if (!is_drawn(series, i, axes.log_x)) {
      pen_down = false;
      continue;
    }
    const std::string x = tenths(axes.across(series.x[i])), y = tenths(axes.up(series.y[i]));
    path += text(pen_down ? "L" : "M", x, " ", y);
    pen_down = true;
    if (drawn.size() <= kMostDots)
      dots += text("<circle cx=\"", x, "\" cy=\"", y, "\" r=\"2.4\">", title(chart, series, i), "</circle>");
  }
  return text("<path class=\"line\" d=\"", path, "\"/>", dots);
}

std::string drawn_points(const Chart& chart, const ChartSeries& series, const Indices& drawn, const PlotAxes& axes) {
  std::string svg;
  for (const std::size_t i : drawn)
    if (is_drawn(series, i, axes.log_x))
      svg += text("<circle cx=\"", tenths(axes.across(series.x[i])), "\" cy=\"", tenths(axes.up(series.y[i])),
                  "\" r=\"2.4\"",
                  drawn.size() <= kMostTitles ? text(">", title(chart, series, i), "</circle>") : std::string("/>"));
  return svg;
}

std::string drawn_bars(const Chart& chart, const ChartSeries& series, const Indices& drawn, const PlotAxes& axes) {
  const double half = half_bar(series, drawn, axes), floor = axes.up(0);
  std::string svg;
  for (const std::size_t i : drawn) {
    if (!is_drawn(series, i, axes.log_x)) continue;
    const double top = std::min(axes.up(series.y[i]), floor), bottom = std::max(axes.up(series.y[i]), floor);
    svg += text("<rect x=\"", tenths(axes.across(series.x[i]) - half), "\" y=\"", tenths(top), "\" width=\"",
                tenths(2 * half), "\" height=\"", tenths(bottom - top), "\"",
                drawn.size() <= kMostTitles ? text(">", title(chart, series, i), "</rect>") : std::string("/>"));
  }
  return svg;
}

/// Colour and dashes of series `s`; a trivial method's is quieter.
std::string look(const ChartSeries& series, std::size_t s) {
  return text("series k", s % kColours, " dash-", s / kColours % 3, series.is_baseline ? " baseline" : "");
}

std::string drawing(const Chart& chart, std::size_t s, const Indices& drawn, const PlotAxes& axes) {
  const ChartSeries& series = chart.series[s];
  const auto draw = series.mark == Mark::line ? drawn_line : series.mark == Mark::points ? drawn_points : drawn_bars;
  const char* kind = series.mark == Mark::line ? " lines" : series.mark == Mark::points ? " points" : " bars";
  return text("<g class=\"", look(series, s), kind, "\">", draw(chart, series, drawn, axes), "</g>");
}

std::string legend(const Chart& chart) {
  std::string html = "<p class=\"keys\">";
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const ChartSeries& series = chart.series[s];
    const char* sample = series.mark == Mark::line     ? "<path class=\"line\" d=\"M1 5H21\"/>"
                         : series.mark == Mark::points ? "<circle cx=\"11\" cy=\"5\" r=\"3\"/>"
                                                       : "<rect x=\"6\" y=\"0\" width=\"10\" height=\"10\"/>";
    html += text("<span class=\"key\"><svg width=\"22\" height=\"10\" aria-hidden=\"true\" class=\"", look(series, s),
                 "\">", sample, "</svg>", escaped(series.name), "</span>");
  }
  return html + "</p>";
}

std::string description(const Chart& chart, const std::vector<Indices>& drawn) {
  std::string result = text(chart.title, ": ", chart.y_label, " over ", chart.x_label);
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    Range x, y;
    for (const std::size_t i : drawn[s])
      if (is_drawn(chart.series[s], i, chart.log_x)) {
        x.include(chart.series[s].x[i]);
        y.include(chart.series[s].y[i]);
      }
    result += text("; ", chart.series[s].name, x.is_empty() ? " has no value" : "");
    if (!x.is_empty())
      result += text(" from ", number(x.low, 4), " to ", number(x.high, 4), ", between ", number(y.low, 4), " and ",
                     number(y.high, 4));
  }
  return result;
}

/// The chart's own note, then what is not drawn.
std::string notes(const Chart& chart, const std::vector<Indices>& drawn) {
  std::string html = chart.note.empty() ? "" : text("<p class=\"note\">", escaped(chart.note), "</p>");
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const ChartSeries& series = chart.series[s];
    if (drawn[s].size() < series.x.size())
      html += text("<p class=\"note\">", escaped(series.name), ": ", drawn[s].size(), " of ", series.x.size(),
                   " points are drawn.</p>");
    const auto below = std::ranges::count_if(series.x, [](double x) { return x <= 0; });
    if (chart.log_x && below > 0)
      html += text("<p class=\"note\">", escaped(series.name), ": ", below, below == 1 ? " point" : " points",
                   " at 0 or below have no place on a logarithmic axis.</p>");
  }
  return html;
}

double rounded(double value) { return std::strtod(number(value, 6).c_str(), nullptr); }

/// What the script needs to find and describe the nearest point.
std::string data(const Chart& chart, const ChartExtras& extras, const std::vector<Indices>& drawn,
                 const PlotAxes& axes) {
  Json list = Json::array();
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const ChartSeries& series = chart.series[s];
    Json one = {{"name", series.name}, {"bars", series.mark == Mark::bars}, {"at", Json::array()}};
    one["x"] = one["y"] = one["hover"] = Json::array();
    for (const std::size_t i : drawn[s]) {
      if (!is_drawn(series, i, chart.log_x)) continue;
      one["at"].push_back(std::round(axes.across(series.x[i]) * 10) / 10);
      one["at"].push_back(std::round(axes.up(series.y[i]) * 10) / 10);
      one["x"].push_back(rounded(series.x[i]));
      one["y"].push_back(rounded(series.y[i]));
      if (!series.hover.empty()) one["hover"].push_back(series.hover[i]);
      if (s < extras.links.size() && !extras.links[s].empty()) one["link"].push_back(extras.links[s][i]);
    }
    list.push_back(std::move(one));
  }
  return data_block({{"labels", {chart.x_label, chart.y_label}}, {"names", extras.x_names}, {"series", list}});
}

void check(const Chart& chart) {
  for (const ChartSeries& series : chart.series)
    if (series.x.size() != series.y.size() || (!series.hover.empty() && series.hover.size() != series.x.size()))
      throw failure(text("chart \"", chart.title, "\", series \"", series.name, "\": ", series.x.size(), " x, ",
                         series.y.size(), " y and ", series.hover.size(),
                         " texts; there must be as many of each, or no texts"));
}

}  // namespace

Indices drawn_marks(const ChartSeries& series, bool log_x) {
  const std::size_t count = series.x.size();
  Indices result;
  if (count <= kMostMarks) {
    for (std::size_t i = 0; i < count; ++i) result.push_back(i);
    return result;
  }
  if (series.mark == Mark::points) {
    for (std::size_t i = 0; i < kMostMarks; ++i) result.push_back(i * (count - 1) / (kMostMarks - 1));
    return result;
  }
  const std::size_t stretches = kMostMarks / 3;
  for (std::size_t s = 0; s < stretches; ++s) {
    constexpr std::size_t kNone = -1;
    std::size_t low = kNone, high = kNone, gap = kNone;
    for (std::size_t i = s * count / stretches; i < (s + 1) * count / stretches; ++i) {
      if (!is_drawn(series, i, log_x)) {
        gap = i;
        continue;
      }
      if (low == kNone || series.y[i] < series.y[low]) low = i;
      if (high == kNone || series.y[i] > series.y[high]) high = i;
    }
    for (const std::size_t i : {low, high, gap})
      if (i != kNone) result.push_back(i);
  }
  result.push_back(0);
  result.push_back(count - 1);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::vector<double> log_ticks(double low, double high) {
  const double decades = std::log10(high / low);
  const double every = std::max(1.0, std::ceil(decades / 7));
  std::vector<double> ticks;
  for (double power = std::floor(std::log10(low)); power <= std::log10(high); power += every)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * std::pow(10, power);
      if ((factor == 1 || decades < 2) && tick >= low && tick <= high) ticks.push_back(tick);
    }
  if (ticks.size() >= 2) return ticks;
  ticks = round_ticks(low, high, 4);
  std::erase_if(ticks, [&](double tick) { return tick < low || tick > high; });
  return ticks;
}

std::string shortened(const std::string& words, std::size_t most) {
  std::size_t letters = 0, cut = words.size();
  for (std::size_t i = 0; i < words.size(); ++i) {
    if ((static_cast<unsigned char>(words[i]) & 0xC0U) == 0x80U) continue;  // within a letter
    ++letters;
    if (letters == most) cut = i;
  }
  return letters <= most ? words : words.substr(0, cut) + "…";
}

std::string chart_figure(const Chart& chart, const ChartExtras& extras) {
  check(chart);
  std::vector<Indices> drawn;
  for (const ChartSeries& series : chart.series) drawn.push_back(drawn_marks(series, chart.log_x));
  const PlotAxes axes = axes_of(chart, extras, drawn);
  std::string html = text("<figure class=\"plot\"><figcaption>", escaped(chart.title), "</figcaption>");
  if (axes.x.is_empty())
    return html + text("<p class=\"quiet\">no finite value</p>", notes(chart, drawn), "</figure>\n");
  html += text(legend(chart), "<div class=\"stage\"><svg viewBox=\"0 0 ", kPlotWidth, " ", kPlotHeight,
               "\" role=\"img\" aria-label=\"", escaped(description(chart, drawn)), "\">", grid(chart, extras, axes));
  // The first series is the method's own: it lies on top.
  for (std::size_t s = chart.series.size(); s-- > 0;) html += drawing(chart, s, drawn[s], axes);
  html +=
      text(guides(chart, axes), "</svg></div>", notes(chart, drawn), data(chart, extras, drawn, axes), "</figure>\n");
  return html;
}

}  // namespace osteon::report
