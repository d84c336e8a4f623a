#include "sweep.hpp"

#include "markup.hpp"
#include "page.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace osteon::report {

namespace {

constexpr std::size_t kMostRows = 200;  ///< of a table of settings

/// The number that a cell begins with, to sort by: "99.2 ± 0.1", "+0.3 [-0.6, 1.0]". Nothing of "–".
std::optional<double> leading_number(const std::string& words) {
  char* end = nullptr;
  const double value = std::strtod(words.c_str(), &end);
  return end == words.c_str() || !std::isfinite(value) ? std::nullopt : std::optional(value);
}

std::string cell(const std::string& words, const std::string& marks) {
  const auto sorted_by = leading_number(words);
  return text("<td data-v=\"", sorted_by ? number(*sorted_by, 9) : "", "\">", escaped(with_minus(words)),
              marks.empty() ? "" : text("<sup>", marks, "</sup>"), "</td>");
}

/// Numbers of notes, which grow by those that are new.
std::string marks_of(const std::vector<std::string>& notes, std::vector<std::string>& known) {
  std::string marks;
  for (const std::string& note : notes) {
    auto place = std::ranges::find(known, note);
    if (place == known.end()) place = known.insert(known.end(), note);
    marks += text(marks.empty() ? "" : ",", place - known.begin() + 1);
  }
  return marks;
}

/// By what a setting sorts: its level where there is one factor and that is a number.
std::string setting_cell(const SweepSummary& sweep, std::size_t setting) {
  std::string order;
  if (sweep.factors.size() == 1) {
    const Levels levels = levels_of(sweep, 0);
    for (std::size_t i = 0; i < sweep.points.size() && levels.names.empty() && order.empty(); ++i)
      if (sweep.points[i].setting == setting) order = text(" data-v=\"", number(levels.of_point[i], 9), "\"");
  }
  return text("<th scope=\"row\"", order, ">", escaped(sweep.settings[setting]), "</th>");
}

const std::string& cell_of(const SweepSummary& sweep, const SettingFigure& own, const char* column) {
  static const std::string none;
  const auto place = static_cast<std::size_t>(std::ranges::find(sweep.columns, column) - sweep.columns.begin());
  return place < own.cells.size() ? own.cells[place] : none;
}

bool is_first(const SweepSummary& sweep, const SettingFigure& own) { return cell_of(sweep, own, "rank") == "1"; }

std::string table(const SweepSummary& sweep, const SweepFigure& figure) {
  std::string html =
      text("<article class=\"result settings\"><h3>", escaped(figure.figure.table), "</h3>\n<p class=\"quiet\">",
           escaped(figure.title), "</p>\n<div class=\"wide\"><table class=\"sortable\"><thead><tr><th scope=\"col\">",
           "setting</th>");
  for (std::size_t c = 0; c < sweep.columns.size(); ++c)
    html +=
        text("<th scope=\"col\">", escaped(sweep.columns[c]),
             c == 0 ? (figure.figure.larger_is_better ? " <span class=\"arrow\" title=\"larger is better\">↑</span>"
                                                      : " <span class=\"arrow\" title=\"smaller is better\">↓</span>")
                    : "",
             "</th>");
  html += "</tr></thead>\n<tbody>\n";
  std::vector<std::string> notes;
  const std::size_t shown = std::min(kMostRows, figure.settings.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const SettingFigure& own = figure.settings[i];
    html += text("<tr", is_first(sweep, own) ? " class=\"own\"" : "", ">", setting_cell(sweep, own.setting));
    for (std::size_t c = 0; c < own.cells.size(); ++c)
      html += cell(own.cells[c], c == 0 ? marks_of(own.notes, notes) : "");
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  if (shown < figure.settings.size())
    html += text("<p class=\"note\">", shown, " of ", figure.settings.size(), " settings.</p>\n");
  for (std::size_t i = 0; i < notes.size(); ++i)
    html += text("<p class=\"note\"><sup>", i + 1, "</sup> ", escaped(notes[i]), "</p>\n");
  return html + "</article>\n";
}

std::string state(const SweepPoint& point) {
  return point.status == "complete" ? text("<a href=\"", escaped(page_of(point)), "\">report</a>")
                                    : text("<strong>", escaped(point.status), "</strong>");
}

}  // namespace

bool Levels::varies() const {
  return std::ranges::any_of(of_point, [this](double one) { return one != of_point.front(); });
}

Levels levels_of(const SweepSummary& sweep, std::size_t factor) {
  Levels levels;
  for (const SweepPoint& point : sweep.points) {
    char* end = nullptr;
    levels.of_point.push_back(std::strtod(point.levels[factor].c_str(), &end));
    if (*end == '\0' && end != point.levels[factor].c_str() && std::isfinite(levels.of_point.back())) continue;
    levels.of_point.clear();
    break;
  }
  if (!levels.of_point.empty()) {
    const auto [low, high] = std::ranges::minmax(levels.of_point);
    levels.is_log = low > 0 && high >= 10 * low;
    return levels;
  }
  for (const SweepPoint& point : sweep.points) {
    const auto known = std::ranges::find(levels.names, point.levels[factor]);
    levels.of_point.push_back(static_cast<double>(known - levels.names.begin()));
    if (known == levels.names.end()) levels.names.push_back(point.levels[factor]);
  }
  return levels;
}

std::string page_of(const SweepPoint& point) { return point.folder.string() + "/report.html"; }

std::string full_name(const SweepFigure& figure) {
  return text(figure.figure.table, ": ", figure.figure.row, figure.figure.row.empty() ? "" : ", ",
              figure.figure.column);
}

std::vector<std::size_t> main_figures(const SweepSummary& sweep) {
  std::vector<MetricValue> best;
  for (const SweepFigure& figure : sweep.figures) {
    best.push_back(figure.figure);
    for (const double value : figure.points) {
      double& own = best.back().value;
      if (std::isfinite(value) && (!std::isfinite(own) || (figure.figure.larger_is_better ? value > own : value < own)))
        own = value;
    }
  }
  std::vector<std::size_t> places;
  for (const MetricValue* one : chosen_figures(best)) places.push_back(static_cast<std::size_t>(one - best.data()));
  return places;
}

std::string sweep_answer(const SweepSummary& sweep) {
  const auto failed = std::ranges::count_if(sweep.points, [](const SweepPoint& p) { return p.status != "complete"; });
  const std::string missing = failed == 0 ? ""
                                          : text(" <em>", failed, " of ", sweep.points.size(),
                                                 " points have no figures; <a href=\"#points\">why</a>.</em>");
  const std::vector<std::size_t> shown = main_figures(sweep);
  if (shown.empty()) return text("No point has a figure.", missing);
  const SweepFigure& figure = sweep.figures[shown.front()];
  const SettingFigure* best = nullptr;
  for (const SettingFigure& own : figure.settings)
    if (std::isfinite(own.mean) &&
        (best == nullptr || (figure.figure.larger_is_better ? own.mean > best->mean : own.mean < best->mean)))
      best = &own;
  if (best == nullptr) return text(sweep.points.size(), " points.", missing);
  std::string sentence =
      text("Setting <strong>", escaped(sweep.settings[best->setting]), "</strong> comes first in ",
           escaped(full_name(figure)), ", with <strong>", escaped(with_minus(cell_of(sweep, *best, "value"))),
           figure.figure.unit.empty() ? "" : text(" ", escaped(figure.figure.unit)), "</strong>");
  if (const std::string first = cell_of(sweep, *best, "first"); !first.empty() && first != "–")
    sentence += text(", and in ", escaped(first), " of samples of people and seeds");
  if (best->difference)
    sentence += text("; difference from ", escaped(sweep.settings[sweep.baseline]), ": ",
                     escaped(with_minus(cell_of(sweep, *best, "difference [95 %]"))));
  return sentence + "." + missing;
}

std::string sweep_settings(const SweepSummary& sweep) {
  const std::vector<std::size_t> shown = main_figures(sweep);
  std::string html = "<div class=\"results\">\n", others;
  for (const std::size_t place : shown) html += table(sweep, sweep.figures[place]);
  html += "</div>\n";
  std::size_t count = 0;
  for (std::size_t i = 0; i < sweep.figures.size(); ++i)
    if (std::ranges::find(shown, i) == shown.end() && !sweep.figures[i].settings.empty()) {
      others += table(sweep, sweep.figures[i]);
      ++count;
    }
  if (count > 0)
    html += text("<details class=\"more\"><summary>", count, count == 1 ? " more figure" : " more figures",
                 "</summary>\n<div class=\"results\">\n", others, "</div></details>\n");
  for (const std::string& one : sweep.methods) html += text("<p class=\"note\">", escaped(one), "</p>\n");
  for (const std::string& one : sweep.notices) html += text("<p class=\"note\">", escaped(one), "</p>\n");
  return html;
}

std::string sweep_points(const SweepSummary& sweep) {
  const std::vector<std::size_t> shown = main_figures(sweep);
  std::string html =
      "<div class=\"wide\"><table class=\"sortable points\"><thead><tr><th scope=\"col\">point</th><th "
      "scope=\"col\">page</th><th scope=\"col\">time</th>";
  for (const std::size_t place : shown)
    html += text("<th scope=\"col\">", escaped(full_name(sweep.figures[place])), "</th>");
  html += "<th scope=\"col\">why not</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < sweep.points.size(); ++i) {
    const SweepPoint& point = sweep.points[i];
    html += text("<tr><th scope=\"row\" data-v=\"", i, "\">", escaped(point.name), "</th><td>", state(point),
                 "</td><td data-v=\"", point.seconds, "\">", duration(point.seconds), "</td>");
    for (const std::size_t place : shown) {
      MetricValue value = sweep.figures[place].figure;
      value.value = sweep.figures[place].points[i];
      html += std::isfinite(value.value)
                  ? text("<td data-v=\"", number(value.value, 9), "\">", escaped(plain_text(value)), "</td>")
                  : std::string("<td class=\"none\" data-v=\"\">–</td>");
    }
    html += text("<td class=\"prose\">", escaped(point.message), "</td></tr>\n");
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace osteon::report
