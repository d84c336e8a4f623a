// reporter/html fed with all a run tells.

#include "report.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <regex>
#include <vector>

namespace osteon {
namespace {

namespace fs = std::filesystem;

MetricValue value(const char* table, const char* row, const char* column, double number, const char* unit,
                  bool baseline) {
  MetricValue result;
  result.table = table;
  result.row = row;
  result.column = column;
  result.value = number;
  result.unit = unit;
  result.is_baseline = baseline;
  result.larger_is_better = std::string(unit) != "mm";
  result.count = 3;
  result.counted = "bones";
  return result;
}

std::vector<MetricValue> figures() {
  std::vector<MetricValue> values = {
      value("identity, rank-1", "fingerprint + knn", "never trained on", 2.8, "of 3", false),
      value("identity, rank-1", "raw pixels + knn", "never trained on", 2, "of 3", true),
      value("identity, rank-1", "chance", "never trained on", 0.25, "of 3", true),
      value("identity, rank-1", "fingerprint + knn", "seen in training", 9, "of 9", false),
      value("shape", "nearest", "RMS, rigid", 3.02, "mm", false),
      value("shape", "mean shape", "RMS, rigid", 5.0, "mm", true),
      value("shape", "oracle", "RMS, rigid", 2.84, "mm", true),
      value("triplet accuracy", "fingerprint", "margin 0.1", 98.1, "%", false),
      value("triplet accuracy", "<i>hostile</i>", "margin 0.1", std::nan(""), "%", true)};
  values[7].interval = {96.5, 99.2};
  values[8].note = "one \"bone\" & no pair";
  return values;
}

void tell_everything(const host::ReporterHandle& reporter, const RunStarted& start, int pictures) {
  reporter.report(start);
  reporter.report(StageStarted{"source", "phantom", 12, "volumes"});
  reporter.report(StageProgress{"source", 3, 12, 4.5, ""});
  reporter.report(StageFinished{"source", 8.1, 12, 0, "12 <volumes>", "nothing of it was stored"});
  reporter.report(StageStarted{"render", "joseph", 2160, "X-rays"});
  reporter.report(StageFinished{"render", 0.1, 0, 12, "2,160 X-rays", ""});
  reporter.report(SpecimenLeftOut{"bone<7>", "surface", "no bone found: the largest value is 12 HU"});
  reporter.report(Notice{"a <notice>"});
  for (int epoch = 0; epoch < 6; ++epoch) {
    reporter.report(Scalar{"loss", static_cast<double>(epoch), 1.0 / (1 + epoch)});
    reporter.report(Scalar{"triplet accuracy (validation)", static_cast<double>(epoch), 90.0 + epoch});
  }
  for (int i = 0; i < pictures; ++i)
    reporter.report(Picture{"bones", text("bone ", i, " \"<held out>\""), at::full({8, 16}, 10 * i, at::kByte)});
  reporter.report(SurfacePair{"bone <1> by nearest", octahedron(10), octahedron(11), at::arange(6, at::kFloat)});
  reporter.report(Results{figures()});
  reporter.report(RunFinished{"complete", 151, ""});
}

TEST_F(HtmlReport, IsOneFileThatAsksForNoAddress) {
  tell_everything(make_reporter(), start("Quickstart"), 3);
  const std::string html = page();
  const std::regex address("(src|href|action|data|poster|xlink:href)\\s*=\\s*\"([^\"]*)\"");
  std::size_t found = 0;
  for (std::sregex_iterator it(html.begin(), html.end(), address), end; it != end; ++it, ++found) {
    const std::string target = (*it)[2];
    EXPECT_TRUE(target.rfind("#", 0) == 0 || target.rfind("data:image/png;base64,", 0) == 0) << target.substr(0, 80);
  }
  EXPECT_GT(found, 20U);
  EXPECT_EQ(count(html, "<script"), 2U) << "the meshes and the page's own";
  EXPECT_EQ(html.find("@import"), std::string::npos);
  EXPECT_EQ(html.find("http:"), std::string::npos);
  EXPECT_EQ(html.find("https:"), std::string::npos);
  EXPECT_EQ(html.find("file:"), std::string::npos);
  EXPECT_EQ(html.find(folder_.parent_path().string() + "/"), std::string::npos) << "no path of this machine";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(HtmlReport, HasEverySectionOnce) {
  tell_everything(make_reporter(), start("Quickstart"), 3);
  const std::string html = page();
  for (const char* id : {"results", "shape", "bones", "learning-curves", "specimens-left-out", "notices", "stages",
                         "how-to-repeat-it", "resolved-experiment", "environment"}) {
    EXPECT_EQ(count(html, text("id=\"", id, "\"")), 1U) << id;
    EXPECT_EQ(count(html, text("<a href=\"#", id, "\">")), 1U) << id;
  }
  EXPECT_NE(html.find("Research software, not for clinical use"), std::string::npos);
  EXPECT_NE(html.find("2 min 31 s"), std::string::npos);
  EXPECT_NE(html.find("osteon run experiments/quickstart.toml --set &quot;a&lt;b&quot;"), std::string::npos);
  EXPECT_NE(html.find("no bone found: the largest value is 12 HU"), std::string::npos);
  EXPECT_NE(html.find("nothing of it was stored"), std::string::npos);
  EXPECT_NE(html.find("all reused"), std::string::npos);
  EXPECT_EQ(count(html, "class=\"status\""), 0U);
}

TEST_F(HtmlReport, EscapesHostileTexts) {
  tell_everything(make_reporter(), start("</title><script>alert(0)</script>"), 2);
  const std::string html = page();
  for (const char* hostile : {"<script>alert", "onerror=alert(1)>", "</code><script", "<held out>", "<i>hostile",
                              "<volumes>", "bone<7>", "<notice>"})
    EXPECT_EQ(html.find(hostile), std::string::npos) << hostile;
  EXPECT_EQ(count(html, "<title>"), 1U + 12U) << "the page's and one for each point of the curves";
  EXPECT_NE(html.find("<h1>&lt;/title&gt;&lt;script&gt;alert(0)&lt;/script&gt;</h1>"), std::string::npos);
}

TEST_F(HtmlReport, SaysTheAnswerWithTheBestTrivialRowBesideIt) {
  tell_everything(make_reporter(), start("Quickstart"), 1);
  const std::string html = page();
  EXPECT_NE(
      html.find(
          "<p class=\"answer\"><strong>fingerprint + knn</strong> recognised <strong>2.8&nbsp;of&nbsp;3</strong> "
          "bones that it was "
          "never trained on; the best trivial row, raw pixels + knn, 2&nbsp;of&nbsp;3. The shape predicted by "
          "<strong>nearest</strong> is <strong>3.02&nbsp;mm</strong> RMS from the true bone, on average over 3 bones; "
          "beside it: mean shape 5.00&nbsp;mm, oracle 2.84&nbsp;mm.</p>"),
      std::string::npos);
  EXPECT_EQ(count(html, "<div class=\"card\">"), 4U);
}

TEST_F(HtmlReport, SaysOnceHowManyMostFiguresCount) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  std::vector<MetricValue> values;
  for (const char* row : {"ssm", "deform", "mean shape", "opposite femur"})
    values.push_back(value("shape", row, "RMS", 3, "mm", false));
  values.back().count = 2;  // who had one bone has no opposite one
  reporter.report(Results{values});
  const std::string html = page();
  EXPECT_EQ(count(html, "<small>3 bones</small></th>"), 1U);
  EXPECT_EQ(count(html, "<small>3 bones</small></td>"), 0U);
  EXPECT_EQ(count(html, "<small>2 bones</small></td>"), 1U);
}

TEST_F(HtmlReport, BoundsAreNoTrivialRows) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(Results{{value("shape", "ssm", "RMS", 3, "mm", false),
                           value("shape", "ssm, its 3D ceiling", "RMS", 2, "mm", true),
                           value("shape", "opposite femur of the same person", "RMS", 1, "mm", true),
                           value("shape", "mean shape", "RMS", 5, "mm", true)}});
  const std::string html = page();
  EXPECT_EQ(html.find("The trivial row does as well."), std::string::npos);
  EXPECT_NE(html.find("beside it: mean shape, 5.00&nbsp;mm"), std::string::npos);
}

TEST_F(HtmlReport, SaysWhenATrivialRowDoesAsWell) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(Results{{value("identity, rank-1", "fingerprint + knn", "never trained on", 2, "of 3", false),
                           value("identity, rank-1", "bone length + knn", "never trained on", 3, "of 3", true)}});
  EXPECT_NE(
      page().find(
          "the best trivial row, bone length + knn, 3&nbsp;of&nbsp;3. <em>The trivial row does as well.</em></p>"),
      std::string::npos);
}

TEST_F(HtmlReport, ShowsUndefinedIntervalsNotesAndQuietRows) {
  tell_everything(make_reporter(), start("Quickstart"), 1);
  const std::string html = page();
  EXPECT_NE(html.find("<td class=\"baseline\" data-v=\"\">undefined<sup>1</sup></td>"), std::string::npos);
  EXPECT_NE(html.find("<p class=\"note\"><sup>1</sup> one &quot;bone&quot; &amp; no pair</p>"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"own\" data-v=\"98.1\">98.1 %<small>[96.5, 99.2]</small></td>"), std::string::npos);
  EXPECT_NE(html.find("<tr class=\"baseline\"><th scope=\"row\">mean shape</th>"), std::string::npos);
  EXPECT_NE(html.find("smaller is better\">↓"), std::string::npos);
}

TEST_F(HtmlReport, ShowsSoManyPicturesAndSaysHowManyMore) {
  tell_everything(make_reporter({{"pictures", std::int64_t{2}}}), start("Quickstart"), 5);
  const std::string few = page();
  EXPECT_NE(few.find("<p class=\"quiet\">3 more pictures are not shown.</p>"), std::string::npos);
  tell_everything(make_reporter(), start("Quickstart"), 5);
  EXPECT_EQ(count(page(), "<img "), count(few, "<img ") + 3);
}

TEST_F(HtmlReport, DrawsBonesOfTheAskedSize) {
  tell_everything(make_reporter({{"surface_size", std::int64_t{100}}}), start("Quickstart"), 0);
  EXPECT_EQ(count(page(), "height=\"100\""), 6U);  // true, predicted and both, from two sides
}

TEST_F(HtmlReport, ARunThatIsKilledAfterTheFiguresHasAPage) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(Results{figures()});
  EXPECT_NE(page().find("<strong>running</strong> this page shows what there is so far"), std::string::npos);
}

TEST_F(HtmlReport, AStoppedRunSaysHowItGoesOn) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(StageStarted{"train", "", 6, "epochs"});
  reporter.report(RunFinished{"stopped", 12, "go on with: osteon run <file>"});
  const std::string html = page();
  EXPECT_NE(html.find("<strong>stopped</strong> go on with: osteon run &lt;file&gt;"), std::string::npos);
  EXPECT_NE(html.find("There are no figures: the run ended before it was evaluated."), std::string::npos);
  EXPECT_NE(html.find("did not end"), std::string::npos);
}

TEST_F(HtmlReport, TheNextPointOfASweepBeginsAnEmptyPage) {
  const auto reporter = make_reporter();
  tell_everything(reporter, start("First"), 3);
  reporter.report(start("Second"));
  reporter.report(RunFinished{"complete", 1, ""});
  EXPECT_EQ(count(page(), "<img "), 0U);
  EXPECT_EQ(page().find("First"), std::string::npos);
}

TEST_F(HtmlReport, RefusesDistancesThatDoNotFitTheSurface) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(SurfacePair{"bone 1", octahedron(10), octahedron(11), at::arange(5, at::kFloat)});
  try {
    reporter.report(RunFinished{"complete", 1, ""});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "reporter/html: surface pair \"bone 1\": distance must be float32 with one value for each of the 6 "
                 "predicted vertices");
  }
}

TEST_F(HtmlReport, NamesAFolderThatCannotBeWritten) {
  const auto reporter = make_reporter();
  RunStarted run = start("Quickstart");
  run.folder = folder_ / "missing";
  reporter.report(run);
  try {
    reporter.report(RunFinished{"complete", 1, ""});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find((folder_ / "missing/report.html").string()), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace osteon
