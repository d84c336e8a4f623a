// Pages in headless Chromium: they open without a mistake, what is to be drawn is drawn, and what is to be used works.

#include "browser.hpp"
#include "report.hpp"
#include "sweeps.hpp"

#include <ATen/ATen.h>

#include <vector>

namespace osteon {
namespace {

using Json = nlohmann::json;

MetricValue figure(const char* row, double value, bool baseline) {
  MetricValue made;
  made.table = "identity, rank-1";
  made.row = row;
  made.column = "never trained on";
  made.value = value;
  made.unit = "of 12";
  made.is_baseline = baseline;
  made.count = 12;
  made.counted = "bones";
  return made;
}

class InBrowser : public HtmlReport {
 protected:
  void SetUp() override {
    HtmlReport::SetUp();
    if (browser().empty())
      GTEST_SKIP() << "Chromium is not installed (apt-get install --no-install-recommends chromium): the page is not "
                      "opened in a browser";
  }

  void write_run() const {
    const auto reporter = make_reporter();
    reporter.report(start("Quickstart"));
    reporter.report(StageStarted{"source", "phantom", 12, "volumes"});
    reporter.report(StageFinished{"source", 8.1, 12, 0, "12 volumes", "nothing of it was stored"});
    for (int epoch = 0; epoch < 6; ++epoch)
      reporter.report(Scalar{"loss", static_cast<double>(epoch), 1.0 / (1 + epoch)});
    const at::Tensor xray = at::full({32, 64}, 90, at::kByte), heat = at::full({32, 64, 3}, 200, at::kByte);
    reporter.report(Picture{"Grad-CAM", "bone 1", heat, xray});
    reporter.report(Picture{"Grad-CAM", "bone 2", heat, xray});
    reporter.report(SurfacePair{"bone 1, nearest", octahedron(20), octahedron(24), at::full({6}, 4.0F)});
    reporter.report(SurfacePair{"bone 2, nearest", octahedron(20), octahedron(12), at::zeros({6})});
    reporter.report(Chart{"Pairs",
                          "distances",
                          "distance",
                          "share",
                          {{"same", ChartSeries::Mark::line, {0, 1, 2}, {3, 1, 2}, false, {}}},
                          {},
                          false,
                          ""});
    reporter.report(Results{{figure("fingerprint + knn", 10, false), figure("raw pixels", 9, true),
                             figure("bone length", 2, true), figure("undefined row", NAN, true)}});
    reporter.report(RunFinished{"complete", 151, ""});
  }
};

// Two bones: one wider than the truth and 4 mm from it, one narrower that is on it.
constexpr const char* kUseARun = R"js(
    const solid = one('.solid'), canvas = one('.solid canvas'), fade = one('[data-role=fade]');
    seen.shown = !solid.hidden && !all('button.turn').some((button) => button.hidden);
    seen.predicted = await drawn(canvas);
    fade.value = 100;
    seen.truth = await after(canvas, () => act(fade, 'input'));
    fade.value = 50;
    seen.half = await after(canvas, () => act(fade, 'input'));
    fade.value = 0;
    seen.turned = await after(canvas, () => {
      act(canvas, 'keydown', {key: 'ArrowRight'});
      act(canvas, 'keydown', {key: 'ArrowDown'});
    });
    seen.larger = await after(canvas, () => act(canvas, 'keydown', {key: '+'}));
    seen.back = await after(canvas, () => act(canvas, 'dblclick'));
    seen.other = await after(canvas, () => all('button.turn')[1].click());
    seen.scale = one('[data-role=scale] b').textContent;

    const table = one('#results table'), heads = () => [...table.tHead.rows[0].cells].map((c) => c.getAttribute('aria-sort'));
    const rows = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
    seen.rows = [rows()];
    for (const times of [0, 1, 2]) {
      table.tHead.querySelectorAll('button')[1].click();
      seen.rows.push([heads()[1], ...rows()]);
    }
    table.tHead.querySelectorAll('button')[0].click();
    seen.rows.push([heads()[0], ...rows()]);

    const over = all('img.over'), box = one('.layers input[type=checkbox]'), strength = one('.layers input[type=range]');
    const seenThrough = () => over.map((img) => getComputedStyle(img).opacity);
    seen.over = [seenThrough()];
    box.click();
    seen.over.push(seenThrough());
    box.click();
    strength.value = 50;
    act(strength, 'input');
    seen.over.push(seenThrough());
    const [top, below] = [over[0], over[0].previousElementSibling].map((img) => img.getBoundingClientRect());
    seen.fits = ['x', 'y', 'width', 'height'].every((side) => Math.abs(top[side] - below[side]) < 0.5);

    const svg = one('figure.plot .stage svg');
    const dot = svg.querySelectorAll('.lines circle')[1].getBoundingClientRect();
    act(svg, 'pointermove', {clientX: dot.x + dot.width / 2, clientY: dot.y + dot.height / 2});
    seen.tip = one('figure.plot .tip:not([hidden])')?.textContent ?? '';

    seen.environment = [one('#environment').open];
    location.hash = '#environment';
    await pause();
    seen.environment.push(one('#environment').open);
    dispatchEvent(new Event('beforeprint'));
    seen.printed = all('details').every((section) => section.open);
    dispatchEvent(new Event('afterprint'));
    seen.experiment = one('#resolved-experiment').open;
)js";

TEST_F(InBrowser, ARunsPageWorks) {
  write_run();
  const Json seen = seen_in_browser(folder_ / "report.html", kUseARun);
  EXPECT_EQ(seen.at("mistakes"), Json::array());

  EXPECT_EQ(seen.at("shown"), true);
  const auto drawn = [&](const char* what) { return seen.at(what).at("count").get<double>(); };
  const double all = seen.at("predicted").at("size");
  EXPECT_GT(drawn("predicted"), 0.01 * all);
  EXPECT_LT(drawn("predicted"), 0.5 * all);
  EXPECT_LT(drawn("truth"), 0.8 * drawn("predicted")) << "20 mm and 24 mm: 0.69 of the area";
  EXPECT_GT(drawn("truth"), 0.6 * drawn("predicted"));
  const auto colour = [&](const char* what, int k) { return seen.at(what).at("colour")[k].get<int>(); };
  EXPECT_GT(colour("predicted", 0), colour("predicted", 2) + 60) << "4 of 4 mm: yellow";
  EXPECT_LT(colour("truth", 0), colour("truth", 2) + 60) << "the colour of bone";
  EXPECT_GT(colour("half", 2), colour("predicted", 2));
  EXPECT_LT(colour("half", 2), colour("truth", 2));
  EXPECT_NE(seen.at("turned").at("mark"), seen.at("predicted").at("mark"));
  EXPECT_GT(drawn("larger"), 1.3 * drawn("turned"));
  EXPECT_EQ(seen.at("back"), seen.at("predicted"));
  EXPECT_GT(colour("other", 2), colour("other", 1)) << "0 mm: violet";
  EXPECT_TRUE(seen.at("scale").get<std::string>().ends_with(" mm"));

  const Json& rows = seen.at("rows");
  const Json given = {"fingerprint + knn", "raw pixels", "bone length", "undefined row"};
  EXPECT_EQ(rows[0], given);
  EXPECT_EQ(rows[1], (Json{"descending", "fingerprint + knn", "raw pixels", "bone length", "undefined row"}))
      << "larger is better: the best first";
  EXPECT_EQ(rows[2], (Json{"ascending", "bone length", "raw pixels", "fingerprint + knn", "undefined row"}))
      << "2, 9, 10 as numbers, and what is undefined last";
  EXPECT_EQ(rows[3], (Json{"none", "fingerprint + knn", "raw pixels", "bone length", "undefined row"}));
  EXPECT_EQ(rows[4], (Json{"ascending", "bone length", "fingerprint + knn", "raw pixels", "undefined row"}));

  EXPECT_EQ(seen.at("over"), Json::parse(R"([["1", "1"], ["0", "0"], ["0.5", "0.5"]])"));
  EXPECT_EQ(seen.at("fits"), true) << "the heat map lies on its X-ray";
  EXPECT_EQ(seen.at("tip"), "samedistance: 1share: 1");
  EXPECT_EQ(seen.at("environment"), (Json{false, true})) << "a link opens what it leads to";
  EXPECT_EQ(seen.at("printed"), true);
  EXPECT_EQ(seen.at("experiment"), false) << "as it was";
}

constexpr const char* kUseASweep = R"js(
    seen.charts = all('#effects svg .points circle').length;
    const chart = one('#effects .stage svg'), mark = chart.querySelector('.points circle').getBoundingClientRect();
    act(chart, 'pointermove', {clientX: mark.x + mark.width / 2, clientY: mark.y + mark.height / 2});
    seen.point = one('#effects .tip:not([hidden])')?.textContent ?? '';
    seen.link = getComputedStyle(one('#effects .stage')).cursor;

    const svg = one('.parallel svg'), lines = () => all('.parallel .lines a').map((a) => a.getAttribute('class') ?? '');
    const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
    const data = JSON.parse(one('.parallel script').textContent);
    const at = (axis, y) => ({clientX: frame.x + data.axes[axis] * scale, clientY: frame.y + y * scale});
    all('.parallel .lines a')[2].focus();
    seen.focused = [lines()[2], one('.parallel .tip').textContent];
    all('.parallel .lines a')[2].blur();
    seen.left = lines()[2];
    const y = data.lines[4].y[1];
    svg.setPointerCapture = () => {};
    act(svg, 'pointerdown', at(1, y - 10));
    act(svg, 'pointermove', at(1, y + 10));
    act(svg, 'pointerup', at(1, y + 10));
    seen.brushed = lines();
    act(svg, 'pointerdown', at(1, data.top + 5));
    act(svg, 'pointerup', at(1, data.top + 5));
    seen.cleared = lines();

    const table = one('#settings table');
    table.tHead.querySelectorAll('button')[0].click();
    seen.settings = [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
    seen.pages = all('#points a').map((a) => a.getAttribute('href')).filter((href) => !href.startsWith('#'));
)js";

TEST_F(InBrowser, ASweepsPageWorks) {
  const auto reporter = make_reporter();
  reporter.report(start("Margins"));
  SweepSummary sweep = margins();
  std::swap(sweep.figures[0].settings[0], sweep.figures[0].settings[2]);  // not in order of the levels
  reporter.report(sweep);
  reporter.report(RunFinished{"failed", 60, "1 of 6 points failed"});
  const Json seen = seen_in_browser(folder_ / "report.html", kUseASweep);
  EXPECT_EQ(seen.at("mistakes"), Json::array());
  EXPECT_EQ(seen.at("charts"), 10) << "five runs that have figures, two figures";
  EXPECT_EQ(seen.at("point"), "one runloss.margin: 0.05never trained on, %: 90loss.margin = 0.05 (point 1 of 6)");
  EXPECT_EQ(seen.at("link"), "pointer");
  EXPECT_EQ(seen.at("focused")[0], "raised");
  EXPECT_NE(seen.at("focused")[1].get<std::string>().find("loss.margin = 0.1 (point 3 of 6)"), std::string::npos);
  EXPECT_EQ(seen.at("left"), "");
  EXPECT_EQ(seen.at("brushed"), (Json{"faint", "faint", "faint", "faint", ""})) << "only the run with 60 %";
  EXPECT_EQ(seen.at("cleared"), (Json{"", "", "", "", ""}));
  EXPECT_EQ(seen.at("settings"), (Json{"loss.margin = 0.05", "loss.margin = 0.1", "loss.margin = 1.0"}));
  EXPECT_EQ(seen.at("pages").size(), 5U);
}

TEST_F(InBrowser, NothingIsWiderThanASmallScreen) {
  write_run();
  constexpr const char* kMeasure = R"js(
    seen.screen = innerWidth;
    seen.page = document.documentElement.scrollWidth;
)js";
  const Json run = seen_in_browser(folder_ / "report.html", kMeasure, 390);
  EXPECT_LE(run.at("page"), run.at("screen"));
  const auto reporter = make_reporter();
  reporter.report(start("Margins"));
  reporter.report(margins());
  reporter.report(RunFinished{"complete", 60, ""});
  const Json sweep = seen_in_browser(folder_ / "report.html", kMeasure, 390);
  EXPECT_LE(sweep.at("page"), sweep.at("screen"));
  EXPECT_EQ(sweep.at("screen"), 390);
}

}  // namespace
}  // namespace osteon
