#include "chart.hpp"

#include "markup.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::report {

namespace {

using Point = std::pair<double, double>;

constexpr double kWidth = 400, kHeight = 230, kLeft = 46, kRight = 12, kTop = 12, kBottom = 30;
constexpr std::size_t kMostPoints = 400;  ///< of one line; more are thinned to the extremes of each stretch

/// The words before " (" and those in the brackets: "triplet accuracy (validation)".
std::pair<std::string, std::string> panel_and_series(const std::string& name) {
  const std::size_t bracket = name.find(" (");
  if (bracket == std::string::npos || name.back() != ')') return {name, ""};
  return {name.substr(0, bracket), name.substr(bracket + 2, name.size() - bracket - 3)};
}

/// Keeps the lowest and the highest value of each stretch: thinning never hides a spike.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= kMostPoints) return points;
  std::vector<Point> result;
  const std::size_t stretches = kMostPoints / 2;
  for (std::size_t s = 0; s < stretches; ++s) {
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(s * points.size() / stretches);
    const auto last = points.begin() + static_cast<std::ptrdiff_t>((s + 1) * points.size() / stretches);
    auto [low, high] =
        std::minmax_element(first, last, [](const Point& a, const Point& b) { return a.second < b.second; });
    if (high < low) std::swap(low, high);
    result.push_back(*low);
    if (high != low) result.push_back(*high);
  }
  return result;
}

/// Pixels of a panel.
struct Axes {
  double low_x, high_x, low_y, high_y;
  [[nodiscard]] double x(double value) const {
    return kLeft + (value - low_x) / (high_x - low_x) * (kWidth - kLeft - kRight);
  }
  [[nodiscard]] double y(double value) const {
    return kHeight - kBottom - (value - low_y) / (high_y - low_y) * (kHeight - kTop - kBottom);
  }
};

std::string grid(const Axes& axes, const std::vector<double>& x_ticks, const std::vector<double>& y_ticks) {
  std::string svg;
  for (const double tick : y_ticks)
    svg += text("<line class=\"grid\" x1=\"", kLeft, "\" x2=\"", kWidth - kRight, "\" y1=\"", tenths(axes.y(tick)),
                "\" y2=\"", tenths(axes.y(tick)), "\"/><text x=\"", kLeft - 6, "\" y=\"", tenths(axes.y(tick) + 3.5),
                "\" text-anchor=\"end\">", number(tick, 4), "</text>");
  for (const double tick : x_ticks)
    svg += text("<text x=\"", tenths(axes.x(tick)), "\" y=\"", kHeight - kBottom + 15, "\" text-anchor=\"middle\">",
                number(tick, 4), "</text>");
  return svg + text("<text x=\"", tenths((kLeft + kWidth - kRight) / 2), "\" y=\"", kHeight - 2,
                    "\" text-anchor=\"middle\">epoch</text>");
}

std::string line(const Curve& curve, const Axes& axes, std::size_t series) {
  std::string path, dots;
  bool pen_down = false;
  const std::vector<Point> points = thinned(curve.points);
  for (const auto& [step, value] : points) {
    if (!std::isfinite(step) || !std::isfinite(value)) {
      pen_down = false;
      continue;
    }
    const std::string x = tenths(axes.x(step)), y = tenths(axes.y(value));
    path += text(pen_down ? "L" : "M", x, " ", y);
    pen_down = true;
    if (points.size() <= 60)
      dots += text("<circle cx=\"", x, "\" cy=\"", y, "\" r=\"2.6\"><title>", escaped(curve.name), ", epoch ",
                   number(step, 4), ": ", number(value, 4), "</title></circle>");
  }
  return text("<g class=\"series series-", series % 4, "\"><path d=\"", path, "\"/>", dots, "</g>");
}

std::string description(const std::vector<const Curve*>& curves) {
  std::string result;
  for (const Curve* curve : curves) {
    if (curve->points.empty()) continue;
    const Point& first = curve->points.front();
    const Point& last = curve->points.back();
    result += text(result.empty() ? "" : "; ", curve->name, " from ", number(first.second, 4), " at epoch ",
                   number(first.first, 4), " to ", number(last.second, 4), " at epoch ", number(last.first, 4));
  }
  return result;
}

std::string legend(const std::vector<const Curve*>& curves) {
  std::string html;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto series = panel_and_series(curves[i]->name).second;
    const double last = curves[i]->points.empty() ? NAN : curves[i]->points.back().second;
    html += text("<span class=\"key series-", i % 4,
                 "\"><svg width=\"22\" height=\"8\" aria-hidden=\"true\"><path d=\"M1 4H21\"/></svg>",
                 escaped(series.empty() ? "last" : series), " ", number(last, 4), "</span>");
  }
  return html;
}

std::string panel(const std::string& title, const std::vector<const Curve*>& curves) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Axes axes{kFar, -kFar, kFar, -kFar};
  for (const Curve* curve : curves)
    for (const auto& [step, value] : curve->points) {
      if (!std::isfinite(step) || !std::isfinite(value)) continue;
      axes = {std::min(axes.low_x, step), std::max(axes.high_x, step), std::min(axes.low_y, value),
              std::max(axes.high_y, value)};
    }
  std::string picture = "<p class=\"quiet\">no finite value</p>";
  if (axes.low_x <= axes.high_x) {
    if (axes.low_x == axes.high_x) axes.high_x += 1;
    const std::vector<double> y_ticks = round_ticks(axes.low_y, axes.high_y, 4);
    std::vector<double> x_ticks = round_ticks(axes.low_x, axes.high_x, 6);
    std::erase_if(x_ticks, [&](double tick) { return tick < axes.low_x || tick > axes.high_x; });
    axes.low_y = y_ticks.front();
    axes.high_y = y_ticks.back();
    picture = text("<svg viewBox=\"0 0 ", kWidth, " ", kHeight, "\" role=\"img\" aria-label=\"",
                   escaped(description(curves)), "\">", grid(axes, x_ticks, y_ticks));
    for (std::size_t i = curves.size(); i-- > 0;) picture += line(*curves[i], axes, i);
    picture += "</svg>";
  }
  return text("<figure class=\"chart\"><figcaption>", escaped(title), "<span class=\"keys\">", legend(curves),
              "</span></figcaption>", picture, "</figure>\n");
}

}  // namespace

bool is_one_value(double low, double high) { return !(high - low > 1e-9 * std::max(std::abs(low), std::abs(high))); }

std::vector<double> round_ticks(double low, double high, int wanted) {
  if (is_one_value(low, high)) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= room;
    high += room;
  }
  const double rough = (high - low) / wanted, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough * 0.999) step = factor * power;
  std::vector<double> ticks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double i = first; i <= last; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string learning_curves(std::span<const Curve> curves) {
  std::vector<std::pair<std::string, std::vector<const Curve*>>> panels;
  for (const Curve& curve : curves) {
    // A count of troubles that stays 0 would be a panel that says nothing.
    if (std::ranges::all_of(curve.points, [](const auto& point) { return point.second == 0; })) continue;
    const std::string title = panel_and_series(curve.name).first;
    auto place = std::find_if(panels.begin(), panels.end(), [&](const auto& one) { return one.first == title; });
    if (place == panels.end()) place = panels.insert(panels.end(), {title, {}});
    place->second.push_back(&curve);
  }
  std::string html = "<div class=\"charts\">\n";
  for (const auto& [title, members] : panels) html += panel(title, members);
  return html + "</div>\n";
}

}  // namespace osteon::report
