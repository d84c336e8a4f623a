// A sweep's page: settings, effects, parallel axes and points.

#include "sweep.hpp"
#include "report.hpp"
#include "sweeps.hpp"

#include <nlohmann/json.hpp>

#include <regex>
#include <vector>

namespace osteon {
namespace {

using Json = nlohmann::json;

SweepSummary with_levels(const std::vector<std::string>& levels) {
  SweepSummary sweep;
  sweep.factors = {"a"};
  for (const std::string& level : levels) sweep.points.push_back({"", {level}, "", "complete", "", 0, std::nullopt});
  return sweep;
}

TEST(Levels, AreNumbersWhereAllAreAndLogarithmicOverDecades) {
  const report::Levels wide = report::levels_of(with_levels({"1e-5", "0.01", "1e-3"}), 0);
  EXPECT_EQ(wide.of_point, (std::vector<double>{1e-5, 0.01, 1e-3}));
  EXPECT_TRUE(wide.is_log);
  EXPECT_TRUE(wide.names.empty());
  EXPECT_FALSE(report::levels_of(with_levels({"1", "2", "9.9"}), 0).is_log);
  EXPECT_FALSE(report::levels_of(with_levels({"0", "100"}), 0).is_log) << "0 has no place on a logarithmic axis";
}

TEST(Levels, AreNamesInOrderOfAppearanceOtherwise) {
  const report::Levels names = report::levels_of(with_levels({"triplet", "1", "triplet", "softmax"}), 0);
  EXPECT_EQ(names.names, (std::vector<std::string>{"triplet", "1", "softmax"}));
  EXPECT_EQ(names.of_point, (std::vector<double>{0, 1, 0, 2}));
  EXPECT_TRUE(names.varies());
  EXPECT_FALSE(report::levels_of(with_levels({"18", "18"}), 0).varies());
}

TEST(SweepAnswer, SaysWhatComesFirstHowOftenAndWhatFailed) {
  EXPECT_EQ(report::sweep_answer(margins()),
            "Setting <strong>loss.margin = 0.1</strong> comes first in identity, rank-1: fingerprint + knn, never "
            "trained on, "
            "with <strong>96.0 ± 1.4 %</strong>, and in 96 % of samples of people and seeds. <em>1 of 6 points have no "
            "figures; <a href=\"#points\">why</a>.</em>");
  SweepSummary sweep = margins();
  sweep.baseline = 0;
  sweep.figures[0].settings[1].difference = 5;
  sweep.figures[0].settings[1].cells[1] = "+5.0 [+1.0, +9.0]";
  EXPECT_NE(report::sweep_answer(sweep).find("; difference from loss.margin = 0.05: +5.0 [+1.0, +9.0]."),
            std::string::npos);
  EXPECT_NE(report::sweep_answer(SweepSummary()).find("No point has a figure."), std::string::npos);
}

TEST(SweepSettings, HaveWhatTheComparisonSaysWithNumberedNotes) {
  const std::string html = report::sweep_settings(margins());
  EXPECT_NE(html.find("<th scope=\"row\" data-v=\"0.05\">loss.margin = 0.05</th><td data-v=\"91\">91.0 ± "
                      "1.4<sup>1</sup></td><td data-v=\"-5\">−5.0 [−9.0, −1.0]</td><td data-v=\"0.031\">0.031</td>"),
            std::string::npos)
      << html;
  EXPECT_NE(html.find("<tr class=\"own\"><th scope=\"row\" data-v=\"0.1\">"), std::string::npos) << "the first";
  EXPECT_NE(html.find("<td data-v=\"\">baseline</td>"), std::string::npos);
  EXPECT_EQ(count(html, "<p class=\"note\"><sup>1</sup> a &lt;note&gt;</p>"), 1U) << "once for both settings";
  EXPECT_NE(html.find("never trained on (over 3 bones)"), std::string::npos);
  EXPECT_NE(html.find("a notice"), std::string::npos);
  EXPECT_EQ(html.find("more figure"), std::string::npos) << "both are main figures";
}

TEST(SweepEffects, DrawRunsMeansAndIntervalsOverALogarithmicAxis) {
  const std::string html = report::sweep_effects(margins());
  const std::vector<Json> charts = blocks(html);
  ASSERT_EQ(charts.size(), 2U) << "one factor, two figures";
  const Json& series = charts[0].at("series");
  ASSERT_EQ(series.size(), 3U);
  EXPECT_EQ(series[0].at("x"), (std::vector<double>{0.05, 0.1, 1}));
  EXPECT_EQ(series[0].at("y"), (std::vector<double>{91, 96, 60})) << "means of the level's runs";
  EXPECT_EQ(series[1].at("y"), (std::vector<double>{87, 95, 56, 66})) << "the baseline's 96, and the interval";
  EXPECT_EQ(series[2].at("y"), (std::vector<double>{90, 92, 95, 97, 60}));
  EXPECT_EQ(series[2].at("link")[3], "04/report.html");
  EXPECT_EQ(series[2].at("hover")[3], "loss.margin = 0.1 (point 4 of 6)");
  const std::vector<double> at = series[0].at("at");
  EXPECT_NEAR((at[2] - at[0]) / (at[4] - at[2]), std::log(2.0) / std::log(10.0), 0.01);
  EXPECT_EQ(charts[1].at("series").size(), 2U) << "no interval, no stroke";
}

TEST(SweepEffects, NameLevelsThatAreNoNumbers) {
  SweepSummary sweep = margins();
  for (std::size_t i = 0; i < 6; ++i) sweep.points[i].levels = {i < 2 ? "triplet" : i < 4 ? "soft<max>" : "circle"};
  const std::string html = report::sweep_effects(sweep);
  EXPECT_EQ(blocks(html).at(0).at("names"), (std::vector<std::string>{"triplet", "soft<max>", "circle"}));
  EXPECT_NE(html.find(">soft&lt;max&gt;</text>"), std::string::npos);
}

TEST(SweepEffects, OfSeveralFactorsHaveMeansOverTheOthersAndNoIntervals) {
  SweepSummary sweep = margins();
  sweep.factors.emplace_back("head.dimensions");
  for (std::size_t i = 0; i < 6; ++i) sweep.points[i].levels.push_back(i % 2 == 0 ? "64" : "128");
  for (std::size_t i = 0; i < 6; ++i) sweep.points[i].setting = i;
  const std::vector<Json> charts = blocks(report::sweep_effects(sweep));
  ASSERT_EQ(charts.size(), 4U);
  EXPECT_EQ(charts[2].at("series")[0].at("x"), (std::vector<double>{64, 128}));
  EXPECT_NEAR(charts[2].at("series")[0].at("y")[0].get<double>(), (90 + 95 + 60) / 3.0, 1e-4);
  EXPECT_EQ(charts[2].at("series").size(), 2U);
}

TEST(ParallelAxes, HaveALineAPointWithTheBetterSideUp) {
  const std::string html = report::parallel_axes(margins());
  const Json data = blocks(html).at(0);
  EXPECT_EQ(data.at("axes").size(), 3U) << "the factor and two figures";
  ASSERT_EQ(data.at("lines").size(), 5U) << "the failed point has none";
  EXPECT_EQ(count(html, "<a href=\"0"), 5U);
  EXPECT_NE(html.find("<a href=\"04/report.html\" aria-label=\"loss.margin = 0.1 (point 4 of 6)\">"),
            std::string::npos);
  const auto height = [&](int line, int axis) { return data.at("lines")[line].at("y")[axis].get<double>(); };
  EXPECT_LT(height(3, 1), height(4, 1)) << "97 % above 60 %";
  EXPECT_LT(height(3, 2), height(4, 2)) << "2.8 mm above 4.5 mm, as smaller is better";
  EXPECT_EQ(height(3, 2), data.at("top").get<double>());
  EXPECT_EQ(report::parallel_axes(SweepSummary()), "");
}

TEST_F(HtmlReport, ASweepsPageLinksToItsPointsAndSaysWhyOneFailed) {
  const auto reporter = make_reporter();
  reporter.report(start("Margins"));
  reporter.report(margins());
  MetricValue value;
  value.table = "identity, rank-1";
  value.row = "loss.margin = 0.1";
  value.column = "fingerprint + knn: never trained on";
  value.value = 96;
  reporter.report(Results{{value}});
  reporter.report(RunFinished{"failed", 60, "1 of 6 points failed"});
  const std::string html = page();
  for (const char* id : {"settings", "effects", "all-points-at-once", "points", "how-to-repeat-it",
                         "resolved-experiment", "environment"})
    EXPECT_EQ(count(html, text("id=\"", id, "\"")), 1U) << id;
  EXPECT_EQ(html.find("id=\"stages\""), std::string::npos) << "these are on the points' pages";
  EXPECT_NE(html.find("<a href=\"01/report.html\">report</a>"), std::string::npos);
  EXPECT_NE(html.find("<strong>failed</strong>"), std::string::npos);
  EXPECT_NE(html.find("crashed &lt;here&gt; with signal 11"), std::string::npos);
  const std::regex address("(src|href)=\"([^\"#]+)\"");
  for (std::sregex_iterator it(html.begin(), html.end(), address), end; it != end; ++it)
    EXPECT_TRUE(std::regex_match((*it)[2].str(), std::regex("0[1-6]/report.html"))) << (*it)[2].str().substr(0, 60);
}

}  // namespace
}  // namespace osteon
