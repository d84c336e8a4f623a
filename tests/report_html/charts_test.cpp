// Charts on the page: marks lie where their values say, nothing hostile gets out, and only the page's own script runs.

#include "plot.hpp"
#include "report.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <limits>
#include <regex>
#include <set>
#include <vector>

namespace osteon {
namespace {

using Mark = ChartSeries::Mark;
using Json = nlohmann::json;

Chart chart(const std::string& title, std::vector<ChartSeries> series, bool log_x = false) {
  return {"Pairwise separation", title, "distance", "share, %", std::move(series), {{"margin", 4}}, log_x, ""};
}

ChartSeries series(Mark mark, std::vector<double> x, std::vector<double> y) {
  return {"same bone", mark, std::move(x), std::move(y), false, {}};
}

/// Where the first series' marks lie: across and down, in the picture's units.
std::vector<std::pair<double, double>> places(const std::string& html) {
  std::vector<std::pair<double, double>> result;
  const Json at = blocks(html).at(0).at("series")[0].at("at");
  for (std::size_t i = 0; i < at.size(); i += 2) result.emplace_back(at[i], at[i + 1]);
  return result;
}

TEST(ChartFigure, MarksLieWhereTheirValuesSay) {
  // A tenth of a unit is what coordinates are rounded to.
  const auto straight = places(report::chart_figure(chart("a", {series(Mark::line, {0, 5, 20}, {0, 50, 200})})));
  ASSERT_EQ(straight.size(), 3U);
  EXPECT_NEAR(straight[1].first - straight[0].first, (straight[2].first - straight[0].first) / 4, 0.15);
  EXPECT_NEAR(straight[1].second - straight[0].second, (straight[2].second - straight[0].second) / 4, 0.15);
  EXPECT_GT(straight[2].first, straight[0].first + 200);
  EXPECT_LT(straight[2].second, straight[0].second - 100) << "more is higher";
  const auto decades = places(report::chart_figure(chart("a", {series(Mark::points, {1, 10, 1000}, {1, 2, 3})}, true)));
  EXPECT_NEAR(decades[1].first - decades[0].first, (decades[2].first - decades[0].first) / 3, 0.15);
}

TEST(ChartFigure, IsDrawnWhereTheScriptLooks) {
  const std::string html = report::chart_figure(chart("a", {series(Mark::line, {0, 1, 2}, {3, 1, 2})}));
  std::string path;
  for (const auto& [x, y] : places(html)) path += text(path.empty() ? "M" : "L", Json(x).dump(), " ", Json(y).dump());
  const std::string drawn = std::regex_replace(path, std::regex("\\.0(?![0-9])"), "");
  EXPECT_NE(html.find("d=\"" + drawn + "\""), std::string::npos) << drawn << "\n" << html;
}

TEST(ChartFigure, BarsStandOnZeroAndAreAsHighAsTheirValues) {
  const std::string html = report::chart_figure(chart("a", {series(Mark::bars, {1, 2, 3}, {10, 20, -5})}));
  const std::regex bar("<rect x=\"([-0-9.]+)\" y=\"([-0-9.]+)\" width=\"([-0-9.]+)\" height=\"([-0-9.]+)\">");
  std::vector<std::array<double, 4>> bars;
  for (std::sregex_iterator it(html.begin(), html.end(), bar), end; it != end; ++it)
    bars.push_back({std::stod((*it)[1]), std::stod((*it)[2]), std::stod((*it)[3]), std::stod((*it)[4])});
  ASSERT_EQ(bars.size(), 3U);
  EXPECT_NEAR(bars[1][3], 2 * bars[0][3], 0.3);
  EXPECT_NEAR(bars[2][3], bars[0][3] / 2, 0.3);
  const double floor = bars[0][1] + bars[0][3];
  EXPECT_NEAR(bars[1][1] + bars[1][3], floor, 0.2);
  EXPECT_NEAR(bars[2][1], floor, 0.2) << "a negative one hangs down from it";
  EXPECT_LE(bars[0][0] + bars[0][2], bars[1][0] + 0.2) << "neighbours do not cover each other";
}

TEST(ChartFigure, WhatIsNotFiniteBreaksALine) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::string html =
      report::chart_figure(chart("a", {series(Mark::line, {0, 1, 2, 3, 4, 5}, {1, 2, none, 3, INFINITY, 2})}));
  const std::size_t at = html.find("<path class=\"line\" d=\"M", html.find("<svg viewBox"));
  const std::string path = html.substr(at, html.find("/>", at) - at);
  EXPECT_EQ(count(path, "M"), 3U) << path;
  EXPECT_EQ(places(html).size(), 4U);
  EXPECT_EQ(html.find("nan"), std::string::npos);
  EXPECT_EQ(html.find("inf"), std::string::npos);
  EXPECT_NE(report::chart_figure(chart("a", {series(Mark::line, {1}, {none})})).find("no finite value"),
            std::string::npos);
  EXPECT_NE(report::chart_figure(chart("a", {})).find("no finite value"), std::string::npos);
}

TEST(ChartFigure, SaysWhatALogarithmicAxisCannotShow) {
  const std::string html = report::chart_figure(chart("a", {series(Mark::points, {0, -1, 1, 10}, {1, 2, 3, 4})}, true));
  EXPECT_EQ(places(html).size(), 2U);
  EXPECT_NE(html.find("same bone: 2 points at 0 or below have no place on a logarithmic axis."), std::string::npos);
}

TEST(ChartFigure, DrawsGuidesWithTheirNames) {
  const std::string html = report::chart_figure(chart("a", {series(Mark::line, {0, 8}, {0, 1})}));
  const auto ends = places(html);
  const double middle = std::round(5 * (ends[0].first + ends[1].first)) / 10;
  const std::regex guide("<line class=\"guide\" x1=\"([0-9.]+)\"[^>]*/><text class=\"guide\"[^>]*>margin</text>");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(html, found, guide));
  EXPECT_NEAR(std::stod(found[1]), middle, 0.11);
  Chart far = chart("a", {series(Mark::line, {0, 1}, {0, 1})});
  far.guides = {{"beyond", 9}, {"nowhere", std::numeric_limits<double>::quiet_NaN()}};
  const std::string wide = report::chart_figure(far);
  EXPECT_NE(wide.find(">beyond</text>"), std::string::npos) << "the axis reaches a guide beyond the values";
  EXPECT_EQ(wide.find(">nowhere</text>"), std::string::npos);
}

TEST(ChartFigure, RefusesListsOfUnequalLength) {
  for (const auto& [x, y, hover] : {std::tuple{2U, 3U, 0U}, {2U, 2U, 1U}}) {
    ChartSeries broken = series(Mark::line, std::vector<double>(x, 1), std::vector<double>(y, 1));
    broken.hover.assign(hover, "text");
    try {
      (void)report::chart_figure(chart("Pairs", {broken}));
      FAIL() << "nothing was thrown";
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()), text("chart \"Pairs\", series \"same bone\": ", x, " x, ", y, " y and ", hover,
                                            " texts; there must be as many of each, or no texts"));
    }
  }
}

TEST(DrawnMarks, OfALongLineKeepItsSpikesAndGaps) {
  constexpr std::size_t kCount = 100000;
  ChartSeries one = series(Mark::line, {}, {});
  for (std::size_t i = 0; i < kCount; ++i) {
    one.x.push_back(static_cast<double>(i));
    one.y.push_back(i == 54321 ? 80 : i == 200 ? -80 : i == 77777 ? NAN : 1 + static_cast<double>(i % 7));
  }
  const auto drawn = report::drawn_marks(one, false);
  EXPECT_LE(drawn.size(), report::kMostMarks + 2);
  EXPECT_TRUE(std::ranges::is_sorted(drawn));
  const std::set<std::size_t> kept(drawn.begin(), drawn.end());
  EXPECT_EQ(kept.size(), drawn.size()) << "none twice";
  for (const std::size_t i : {std::size_t{0}, std::size_t{54321}, std::size_t{200}, std::size_t{77777}, kCount - 1})
    EXPECT_TRUE(kept.contains(i)) << i;
  EXPECT_NE(report::chart_figure(chart("a", {one})).find(text(drawn.size(), " of 100000 points are drawn.")),
            std::string::npos);
}

TEST(DrawnMarks, OfManyPointsAreEvenlyManyAndOfFewAll) {
  ChartSeries one = series(Mark::points, {}, {});
  for (int i = 0; i < 50000; ++i) {
    one.x.push_back(i);
    one.y.push_back(i);
  }
  const auto drawn = report::drawn_marks(one, false);
  ASSERT_EQ(drawn.size(), report::kMostMarks);
  EXPECT_EQ(drawn.front(), 0U);
  EXPECT_EQ(drawn.back(), 49999U);
  for (std::size_t i = 1; i < drawn.size(); ++i) EXPECT_NEAR(static_cast<double>(drawn[i] - drawn[i - 1]), 16.7, 1);
  EXPECT_EQ(report::drawn_marks(series(Mark::points, {3, 1, 2}, {1, 1, 1}), false).size(), 3U);
}

TEST(LogTicks, AreRoundAndInside) {
  EXPECT_EQ(report::log_ticks(1, 1000), (std::vector<double>{1, 10, 100, 1000}));
  EXPECT_EQ(report::log_ticks(0.9, 12), (std::vector<double>{1, 2, 5, 10}));
  for (const auto& [low, high] : {std::pair{1e-12, 1e9}, {3.1, 3.4}, {0.02, 0.05}, {5.0, 5.5}}) {
    const auto ticks = report::log_ticks(low, high);
    EXPECT_GE(ticks.size(), 1U) << low;
    EXPECT_LE(ticks.size(), 12U) << low;
    for (const double tick : ticks) EXPECT_TRUE(tick >= low && tick <= high) << tick;
  }
}

TEST_F(HtmlReport, ChartsOfOneSectionStandTogether) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  Chart other = chart("Third", {series(Mark::line, {0, 1}, {1, 2})});
  other.section = "Verification";
  for (const Chart& one : {chart("First", {series(Mark::line, {0, 1}, {1, 2})}), other,
                           chart("Second", {series(Mark::bars, {0, 1}, {1, 2})})})
    reporter.report(one);
  reporter.report(RunFinished{"complete", 1, ""});
  const std::string html = page();
  for (const char* id : {"pairwise-separation", "verification"}) {
    EXPECT_EQ(count(html, text("id=\"", id, "\"")), 1U) << id;
    EXPECT_EQ(count(html, text("<a href=\"#", id, "\">")), 1U) << id;
  }
  EXPECT_NE(html.find("<span class=\"aside\">2 charts</span>"), std::string::npos);
  const std::size_t first = html.find(">First<"), second = html.find(">Second<"), third = html.find(">Third<");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos);
  EXPECT_EQ(count(html, "<figure class=\"plot\">"), 3U);

  reporter.report(start("Next point of a sweep"));
  reporter.report(RunFinished{"complete", 1, ""});
  EXPECT_EQ(page().find("<figure class=\"plot"), std::string::npos);
}

TEST_F(HtmlReport, HostileTextsOfChartsStayTexts) {
  const std::string hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028\"'&";
  Chart one = chart(hostile, {series(Mark::points, {1, 2}, {1, 2})});
  one.section = one.x_label = one.y_label = one.note = one.series[0].name = hostile;
  one.series[0].hover = {hostile, "fine"};
  one.guides = {{hostile, 1.5}};
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(one);
  reporter.report(RunFinished{"complete", 1, ""});
  const std::string html = page();
  EXPECT_EQ(html.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(html.find("<img src=x"), std::string::npos);
  EXPECT_EQ(count(html, "<script"), 2U) << "the data of one chart and the page's own script";
  EXPECT_EQ(count(html, "</script>"), 2U);
  const Json data = blocks(html).at(0);
  EXPECT_EQ(data.at("series")[0].at("name"), hostile) << "and the reader sees all of it";
  EXPECT_EQ(data.at("series")[0].at("hover")[0], hostile);
}

std::string base64_of_hex(const std::string& hex) {
  const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits, result;
  for (const char c : hex)
    for (int bit = 3; bit >= 0; --bit) bits += (std::stoi(std::string(1, c), nullptr, 16) >> bit & 1) != 0 ? '1' : '0';
  while (bits.size() % 6 != 0) bits += '0';
  for (std::size_t i = 0; i < bits.size(); i += 6)
    result += letters[std::stoi(bits.substr(i, 6), nullptr, 2)];  // NOLINT: a constant of 64 letters
  while (result.size() % 4 != 0) result += '=';
  return result;
}

TEST_F(HtmlReport, OnlyTheScriptWhoseDigestThePolicyNamesRuns) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(chart("First", {series(Mark::line, {0, 1}, {1, 2})}));
  reporter.report(RunFinished{"complete", 1, ""});
  const std::string html = page();
  const std::size_t from = html.find("<script>") + 8;
  write_file(folder_ / "script.js", html.substr(from, html.find("</script>", from) - from));
  const std::string command = "sha256sum '" + (folder_ / "script.js").string() + "'";
  std::FILE* output = ::popen(command.c_str(), "r");
  ASSERT_NE(output, nullptr);
  char hex[65] = "";
  ASSERT_EQ(std::fread(hex, 1, 64, output), 64U);
  ::pclose(output);
  EXPECT_NE(html.find("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" +
                      base64_of_hex(hex) + "'\""),
            std::string::npos);
}

}  // namespace
}  // namespace osteon
