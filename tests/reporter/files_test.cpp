// reporter/files: every file of a run folder.

#include "reporters.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <regex>
#include <set>

namespace osteon {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    run_.title = "Quickstart";
    run_.folder = scratch_.path() / "runs/quickstart-3f9a1c";
    run_.plan = "12 bones";
    run_.command = "osteon run quickstart.toml";
    run_.environment = {{"LibTorch", "1.13.1"}, {"threads", "2"}};
    run_.experiment = "title = \"Quickstart\"\n";
  }

  std::string content(const std::string& name) { return read_file(run_.folder / name); }
  bool has(const std::string& name) { return std::filesystem::exists(run_.folder / name); }
  void report(const std::vector<Event>& events) {
    for (const Event& event : events) reporter_.report(event);
  }

  Scratch scratch_;
  RunStarted run_;
  host::ReporterHandle reporter_ = make_reporter("files");
};

std::vector<MetricValue> figures() {
  MetricValue shape = figure("shape, RMS", "nearest \"by\" print", "3 bones", 0.8125, "mm");
  shape.larger_is_better = false;
  shape.count = 3;
  shape.counted = "bones";
  shape.interval = {0.5, 1.25};
  shape.people = {{"Ann", 2.5, 3}};
  MetricValue undefined = figure("identity", "chance", "seen", std::numeric_limits<double>::quiet_NaN(), "%", true);
  undefined.note = "one bone";
  return {shape, undefined};
}

TEST_F(Files, SayWhatRunsAtItsStart) {
  report({run_});
  EXPECT_EQ(content("status"), "running\n");
  EXPECT_EQ(content("experiment.toml"), run_.experiment);
  EXPECT_EQ(content("environment.json"), R"({
  "command": "osteon run quickstart.toml",
  "LibTorch": "1.13.1",
  "threads": "2"
}
)");
  EXPECT_FALSE(has("metrics.json") || has("curves.csv") || has("left_out.csv"));
}

TEST_F(Files, KeepEveryFigure) {
  report({run_, Results{figures()}, RunFinished{"complete", 72.5, ""}});
  EXPECT_EQ(content("status"), "complete\n");
  EXPECT_EQ(content("metrics.json"), R"({
  "title": "Quickstart",
  "point": "",
  "status": "complete",
  "seconds": 72.5,
  "message": "",
  "values": [
    {
      "table": "shape, RMS",
      "row": "nearest \"by\" print",
      "column": "3 bones",
      "value": 0.8125,
      "unit": "mm",
      "larger_is_better": false,
      "is_baseline": false,
      "count": 3,
      "counted": "bones",
      "interval": [
        0.5,
        1.25
      ],
      "people": {
        "Ann": [
          2.5,
          3.0
        ]
      },
      "note": ""
    },
    {
      "table": "identity",
      "row": "chance",
      "column": "seen",
      "value": null,
      "unit": "%",
      "larger_is_better": true,
      "is_baseline": true,
      "count": 0,
      "counted": "",
      "interval": null,
      "people": {},
      "note": "one bone"
    }
  ]
}
)");
  EXPECT_EQ(content("metrics.csv"),
            "table,row,column,value,unit,larger_is_better,is_baseline,count,counted,interval_low,interval_high,note\r\n"
            "\"shape, RMS\",\"nearest \"\"by\"\" print\",3 bones,0.8125,mm,false,false,3,bones,0.5,1.25,\r\n"
            "identity,chance,seen,,%,true,true,0,,,,one bone\r\n");
}

TEST_F(Files, KeepEveryChartWithAllItsValues) {
  report({run_, chart("Same & other")});
  EXPECT_EQ(content("charts.json"), R"({
  "charts": [
    {
      "section": "Pairwise separation",
      "title": "Same & other",
      "x_label": "distance, mm",
      "y_label": "share \"of\" pairs",
      "log_x": true,
      "note": "a <note>",
      "series": [
        {
          "name": "same, bone",
          "mark": "line",
          "is_baseline": false,
          "x": [
            0.1,
            0.25,
            0.3333333333333333
          ],
          "y": [
            1.0,
            null,
            2.0
          ],
          "hover": [
            "first",
            "gap",
            "third"
          ]
        },
        {
          "name": "others",
          "mark": "points",
          "is_baseline": true,
          "x": [
            4.0
          ],
          "y": [
            5.0
          ],
          "hover": []
        }
      ],
      "guides": [
        {
          "name": "margin",
          "x": 0.2
        }
      ]
    }
  ]
}
)");
  Chart bars = chart("Second");
  bars.series[0].mark = ChartSeries::Mark::bars;
  bars.guides[0].x = std::numeric_limits<double>::infinity();
  report({bars});
  const auto both = nlohmann::json::parse(content("charts.json")).at("charts");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].at("title"), "Same & other");
  EXPECT_EQ(both[1].at("series")[0].at("mark"), "bars");
  EXPECT_TRUE(both[1].at("guides")[0].at("x").is_null());
}

TEST_F(Files, KeepEveryMapAsOneLineAnImage) {
  report({run_, map("Fingerprint, t-SNE (2D)")});
  EXPECT_EQ(content("maps/fingerprint-t-sne-2d.csv"),
            "image,bone,x,y,role,held_out,pose,axial,tilt,in_plane,energy\r\n"
            "17,\"p01, left\",0.5,-1.25,query,true,3,-21,2.5,10,60\r\n"
            "4,p02,3,0.001,training,false,0,0,0,0,0\r\n");
}

TEST_F(Files, GiveEachMapAFileOfItsOwnInsideTheRunsFolder) {
  // Titles of one word, titles without any, and one that would lead out of the folder.
  report({run_, map("PCA"), map("pca!"), map("…"), map("°"), map("../../outside"), map(std::string(5000, 'x'))});
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(run_.folder / "maps"))
    names.insert(entry.path().filename());
  EXPECT_EQ(names, (std::set<std::string>{"pca.csv", "pca-2.csv", "map.csv", "map-2.csv", "outside.csv",
                                          std::string(100, 'x') + ".csv"}));
}

TEST_F(Files, RefuseAMapWhoseListsDiffer) {
  PicturedMap broken = map("PCA");
  broken.bones.pop_back();
  report({run_});
  try {
    reporter_.report(broken);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "reporter/files: map \"PCA\": for each of its 2 images there must be a point (float32 [n, 2]), a "
                 "number, a bone, a role and whether it was held out");
  }
}

TEST_F(Files, HaveNeitherChartsNorMapsWhereNoMetricDrewAny) {
  report({run_, Results{figures()}, RunFinished{"complete", 72.5, ""}});
  EXPECT_FALSE(has("charts.json") || has("maps"));
}

TEST_F(Files, ShowFiguresWhileTheRunGoesOn) {
  report({run_, Results{figures()}});
  const auto metrics = nlohmann::json::parse(content("metrics.json"));
  EXPECT_EQ(metrics.at("status"), "running");
  EXPECT_TRUE(metrics.at("seconds").is_null());
  EXPECT_EQ(metrics.at("values").size(), 2u);
}

TEST_F(Files, KeepCurvesAndLeftOutSpecimens) {
  report({run_, Scalar{"loss", 0.5, 0.25}, Scalar{"loss, all", 1, std::numeric_limits<double>::quiet_NaN()},
          StageFinished{"train", 1, 1, 0, "", ""}});
  EXPECT_EQ(content("curves.csv"), "curve,step,value\r\nloss,0.5,0.25\r\n\"loss, all\",1,\r\n");
  EXPECT_FALSE(has("left_out.csv"));
  report({SpecimenLeftOut{"p07", "surface", "no bone found,\nat all"}});
  EXPECT_EQ(content("left_out.csv"), "specimen,stage,reason\r\np07,surface,\"no bone found,\nat all\"\r\n");
}

TEST_F(Files, DropWhatAnEarlierRunLeft) {
  report({run_, Scalar{"loss", 0.5, 0.25}, SpecimenLeftOut{"p07", "surface", "no bone"}, chart("Pairs"), map("PCA"),
          RunFinished{"complete", 1, ""}});
  EXPECT_TRUE(has("curves.csv") && has("left_out.csv") && has("charts.json") && has("maps/pca.csv"));
  report({run_, RunFinished{"stopped", 1, "go on with: osteon run a.toml"}});
  EXPECT_FALSE(has("curves.csv") || has("left_out.csv") || has("charts.json") || has("maps"));
  EXPECT_EQ(content("status"), "stopped\n");
  EXPECT_EQ(nlohmann::json::parse(content("metrics.json")).at("message"), "go on with: osteon run a.toml");
}

TEST_F(Files, LogEverythingButProgress) {
  report({Notice{"before the folder is known"}, run_, StageStarted{"render", "joseph", 2160, "X-rays"},
          StageProgress{"render", 1, 2160, 3, "never logged"}, SpecimenLeftOut{"p07", "render", "two\nlines\x1b"},
          StageFinished{"render", 1.5, 2, 10, "2,160 X-rays", "renderer.step changed 1.0 → 0.5"},
          Scalar{"loss", 1, 0.5}, Picture{"bones", "p01", {}}, SurfacePair{"p02", {}, {}, {}}, chart("Pairs"),
          map("PCA"), Results{figures()}, RunFinished{"complete", 72.5, ""}});
  const std::string stamped = content("log.txt");
  const std::regex stamp("(^|\n)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z ");
  EXPECT_EQ(std::regex_replace(stamped, stamp, "$1"), R"(note     before the folder is known
run      Quickstart
command  osteon run quickstart.toml
plan     12 bones
stage    render (joseph) begins: 2160 X-rays
left out p07 (render): two lines 
stage    render ends after 1.5 s: 2 made, 10 reused; 2,160 X-rays; ran because: renderer.step changed 1.0 → 0.5
curve    loss at 1: 0.5
picture  bones: p01
surfaces p02
chart    Pairwise separation: Pairs
map      PCA
result   shape, RMS | nearest "by" print | 3 bones: 0.81 mm [0.5, 1.25]; 3 bones
result   identity | chance | seen: undefined (one bone)
complete after 72.5 s
)");
  report({run_});
  EXPECT_TRUE(content("log.txt").starts_with(stamped)) << "appended";
}

TEST_F(Files, RefuseAFolderThatCannotBeWritten) {
  write_file(scratch_.path() / "runs", "a file");
  try {
    reporter_.report(run_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.cause(), Error::Cause::failure);
    EXPECT_EQ(std::string(e.what()),
              "reporter/files: " + run_.folder.string() + ": cannot make the folder: Not a directory");
  }
}

TEST(Reporters, ReadAllTheirParameters) {
  for (const char* name : {"files", "terminal"}) EXPECT_TRUE(make_reporter(name).parameters().unread().empty()) << name;
}

}  // namespace
}  // namespace osteon
