#include "workplace.hpp"

#include <map>
#include <set>

namespace osteon::config {
namespace {

using Sweeps = Workplace;
using Changes = std::vector<std::pair<std::string, std::string>>;

TEST_F(Sweeps, WithoutOneThereIsOnePoint) {
  write("margin-study.toml", kWhole);
  const Plan plan = load("margin-study.toml");
  EXPECT_EQ(plan.title, "margin-study");
  EXPECT_EQ(plan.repeats, 1);
  EXPECT_TRUE(plan.swept.empty());
  ASSERT_EQ(plan.points.size(), 1u);
  EXPECT_TRUE(plan.points[0].changes.empty());
  EXPECT_EQ(plan.points[0].experiment.to_toml(), plan.base.to_toml());
}

TEST_F(Sweeps, ArePointsOfAGridInTheFilesOrderTimesRepeats) {
  write("a.toml", "repeats = 2\n" + kWhole +
                      "[training]\nseed = 5\n[sweep]\n\"loss.margin\" = [0.05, 1]\nbackbone.depth = [18, 34]\n");
  const Plan plan = load("a.toml");
  EXPECT_EQ(plan.swept, (std::vector<std::string>{"loss.margin", "backbone.depth"}));
  EXPECT_EQ(plan.repeats, 2);
  ASSERT_EQ(plan.points.size(), 8u);
  EXPECT_EQ(plan.points[0].changes, (Changes{{"loss.margin", "0.05"}, {"backbone.depth", "18"}}));
  EXPECT_EQ(plan.points[2].changes, (Changes{{"loss.margin", "0.05"}, {"backbone.depth", "34"}}));
  EXPECT_EQ(plan.points[5].changes, (Changes{{"loss.margin", "1"}, {"backbone.depth", "18"}}));
  for (std::size_t i = 0; i < 8; ++i) {
    const Experiment& experiment = plan.points[i].experiment;
    EXPECT_EQ(plan.points[i].repeat, static_cast<int>(i % 2));
    EXPECT_EQ(experiment.sections.at("training").integer("seed"), static_cast<std::int64_t>(5 + i % 2));
    EXPECT_EQ(experiment.only("loss").parameters.real("margin"), i < 4 ? 0.05 : 1.0);
    EXPECT_EQ(experiment.only("backbone").parameters.integer("depth"), i / 2 % 2 ? 34 : 18);
    EXPECT_EQ(experiment.repeats, 1);
  }
  EXPECT_EQ(plan.base.only("loss").parameters.real("margin"), 0.1);
  EXPECT_EQ(plan.points[5].experiment.origins.at("loss.margin"), "a.toml:15");
  EXPECT_EQ(plan.points[5].experiment.origins.at("training.seed"), "a.toml:1");
}

TEST_F(Sweeps, TablesAreMergedOverTheirSection) {
  write("a.toml", kWhole + R"(margin = 0.3
squared = false
[sweep]
"loss" = [{margin = 0.1}, {plugin = "triplet"}, {plugin = "contrastive", pull = 0.2}]
)");
  const Plan plan = load("a.toml");
  ASSERT_EQ(plan.points.size(), 3u);
  const auto loss = [&](int i) -> const PluginChoice& {
    return plan.points[static_cast<std::size_t>(i)].experiment.only("loss");
  };
  EXPECT_EQ(loss(0).parameters.real("margin"), 0.1);
  EXPECT_FALSE(loss(0).parameters.flag("squared"));
  EXPECT_EQ(loss(1).parameters.real("margin"), 0.3);
  EXPECT_EQ(loss(2).parameters.real("margin"), 1.0);
  EXPECT_EQ(loss(2).parameters.real("pull"), 0.2);
  EXPECT_EQ(plan.points[2].changes, (Changes{{"loss", "{plugin = \"contrastive\", pull = 0.2}"}}));
}

TEST_F(Sweeps, MayRunOverPluginsNamedTablesListsAndSeeds) {
  write("a.toml", "repeats = 2\n" + kWhole + R"([classifier.knn]
[sweep]
"loss.margin" = [0.2]
"loss.plugin" = ["triplet", "contrastive"]
"classifier.knn.k" = [1, 5]
"training.rates" = [[0.1], [0.1, 0.2]]
"training.seed" = [10, 20]
"source.bones" = [12]
)");
  const Plan plan = load("a.toml");
  ASSERT_EQ(plan.points.size(), 32u);
  const Experiment& last = plan.points[31].experiment;
  EXPECT_EQ(last.only("loss").plugin, "contrastive");
  EXPECT_EQ(last.only("loss").parameters.real("margin"), 0.2);
  EXPECT_EQ(last.only("classifier").parameters.integer("k"), 5);
  EXPECT_EQ(last.sections.at("training").reals("rates"), (std::vector<double>{0.1, 0.2}));
  EXPECT_EQ(last.sections.at("training").integer("seed"), 21);
  EXPECT_EQ(plan.points[31].changes[1], (std::pair<std::string, std::string>{"loss.plugin", "contrastive"}));
  EXPECT_EQ(plan.points[31].changes[3], (std::pair<std::string, std::string>{"training.rates", "[0.1, 0.2]"}));
}

TEST_F(Sweeps, OfAnExtendingFileReplacesTheBases) {
  write("base.toml", kWhole + "[sweep]\n\"loss.margin\" = [0.1, 0.2]\n");
  write("a.toml", "extends = \"base.toml\"\n[sweep]\n\"backbone.depth\" = [18, 34, 50]\n");
  write("none.toml", "extends = \"base.toml\"\n[sweep]\n");
  EXPECT_EQ(load("a.toml").swept, std::vector<std::string>{"backbone.depth"});
  EXPECT_EQ(load("a.toml").points.size(), 3u);
  EXPECT_EQ(load("none.toml").points.size(), 1u);
}

TEST_F(Sweeps, MayGiveWhatTheFileLacks) {
  write("a.toml", kWhole.substr(0, kWhole.find("[loss]")) + R"([sweep]
loss = [{plugin = "triplet", margin = 0.1}, {plugin = "contrastive"}]
)");
  const Plan plan = load("a.toml");
  EXPECT_EQ(plan.points.size(), 2u);
  EXPECT_EQ(plan.base.only("loss").plugin, "triplet");
}

TEST_F(Sweeps, MistakesStandAtTheirValue) {
  write("a.toml", kWhole + R"([sweep]
"loss.margin" = [0.1, 5, 0.2, "a"]
"loss.margn" = [1]
"backbone.depth" = []
"backbone.width" = 0.5
"title" = ["a", "b"]
"los.margin" = [1, 2]
renderer = [{plugin = "siddon", step = 1}, {plugin = "sidon"}, {step = 9}]
)");
  EXPECT_EQ(mistakes("a.toml"), R"(a.toml:12:23: loss.margin: 5 is not at most 4
   12 | "loss.margin" = [0.1, 5, 0.2, "a"]
      |                       ^
a.toml:12:31: loss.margin: must be real, above 0, at most 4; found text "a"
   12 | "loss.margin" = [0.1, 5, 0.2, "a"]
      |                               ^~~
a.toml:13:1: loss.margn: unknown parameter of loss/triplet; did you mean "margin"?
   13 | "loss.margn" = [1]
      | ^~~~~~~~~~~~
a.toml:14:20: sweep.backbone.depth: the list is empty; give it at least one value or leave it out
   14 | "backbone.depth" = []
      |                    ^~
a.toml:15:20: sweep.backbone.width: must be a list of values, e.g. [0.5]; found real 0.5
   15 | "backbone.width" = 0.5
      |                    ^~~
a.toml:16:1: sweep.title: can't be swept; only parameters and plugins can
   16 | "title" = ["a", "b"]
      | ^~~~~~~
a.toml:17:1: los: unknown section; did you mean "loss"?
   17 | "los.margin" = [1, 2]
      | ^~~~~~~~~~~~
a.toml:18:33: renderer.step: unknown parameter of renderer/siddon; it has no parameters
   18 | renderer = [{plugin = "siddon", step = 1}, {plugin = "sidon"}, {step = 9}]
      |                                 ^~~~
a.toml:18:54: renderer.plugin: no renderer plugin "sidon"; did you mean "siddon"? There are: joseph, siddon
   18 | renderer = [{plugin = "siddon", step = 1}, {plugin = "sidon"}, {step = 9}]
      |                                                      ^~~~~~~
a.toml:18:72: renderer.step: 9 is not at most 4
   18 | renderer = [{plugin = "siddon", step = 1}, {plugin = "sidon"}, {step = 9}]
      |                                                                        ^
10 mistakes, nothing was run)");
}

TEST_F(Sweeps, ARepeatMustBeAllowedASeed) {
  write("a.toml", "repeats = 3\n" + kWhole + "[training]\nseed = 999\n");
  EXPECT_EQ(mistakes("a.toml"), R"(a.toml:1:11: repeats: repeat 3 would set training.seed: 1001 is not at most 1000
    1 | repeats = 3
      |           ^
1 mistake, nothing was run)");
}

TEST_F(Sweeps, WithoutATrainingSeedRepeatsAreStillCounted) {
  sections.erase("training");
  write("a.toml", "repeats = 3\n" + kWhole);
  EXPECT_EQ(load("a.toml").points.size(), 3u);
}

TEST_F(Sweeps, TooManyPointsAreRefusedAtOnce) {
  std::string values = "1";
  for (int k = 2; k <= 100; ++k) values += ", " + std::to_string(k);
  write("a.toml", kWhole + "[sweep]\n\"classifier.a.k\" = [" + values + "]\n\"classifier.b.k\" = [" + values +
                      "]\n\"classifier.c.k\" = [" + values + "]\n");
  const std::string message =
      mistakes("a.toml", {"classifier.a.plugin=knn", "classifier.b.plugin=knn", "classifier.c.plugin=knn"});
  EXPECT_TRUE(message.starts_with("a.toml:14:1: sweep: has more than 10000 points\n")) << message;
}

TEST_F(Sweeps, RepeatsCountAsPoints) {
  std::string values = "1";
  for (int seed = 2; seed <= 101; ++seed) values += ", " + std::to_string(seed);
  write("a.toml", "repeats = 100\n" + kWhole + "[sweep]\n\"training.seed\" = [" + values + "]\n");
  EXPECT_EQ(mistakes("a.toml"),
            R"(a.toml:1:11: repeats: 100 times the sweep makes 10100 points; at most 10000 are allowed
    1 | repeats = 100
      |           ^~~
1 mistake, nothing was run)");
  EXPECT_EQ(load("a.toml", {"repeats=99"}).points.size(), 9999u);
}

TEST_F(Sweeps, ListsThatAreZippedAdvanceTogether) {
  write("a.toml", kWhole + R"([sweep]
"loss.margin" = [0.1, 0.2]
"source.bones" = [3, 4]
"backbone.depth" = [18, 34]
zip = [["loss.margin", "backbone.depth"]]
)");
  const Plan plan = load("a.toml");
  ASSERT_EQ(plan.points.size(), 4u);
  EXPECT_EQ(plan.points[1].changes, (Changes{{"loss.margin", "0.1"}, {"source.bones", "4"}, {"backbone.depth", "18"}}));
  EXPECT_EQ(plan.points[2].changes, (Changes{{"loss.margin", "0.2"}, {"source.bones", "3"}, {"backbone.depth", "34"}}));
  EXPECT_EQ(load("a.toml", {"backbone.depth=50"}).points.size(), 4u) << "one of both set from outside";
}

TEST_F(Sweeps, LeavesOutWhatIsExcluded) {
  write("a.toml", kWhole + R"([sweep]
"loss.margin" = [0.1, 1]
"backbone.depth" = [18, 34, 50]
exclude = [{"loss.margin" = 1.0, "backbone.depth" = 34}, {"backbone.depth" = 50}]
)");
  const Plan plan = load("a.toml");
  ASSERT_EQ(plan.points.size(), 3u);
  EXPECT_EQ(plan.points[1].changes, (Changes{{"loss.margin", "0.1"}, {"backbone.depth", "34"}}));
  EXPECT_EQ(plan.points[2].changes, (Changes{{"loss.margin", "1"}, {"backbone.depth", "18"}}));
  EXPECT_EQ(load("a.toml", {"loss.margin=0.5"}).points.size(), 2u);
}

TEST_F(Sweeps, DrawsFromRanges) {
  const auto plan_of = [&](const std::string& more) {
    write("a.toml", kWhole + R"([sweep]
"loss.margin" = {from = 0.01, to = 1.0, scale = "log"}
"source.bones" = {from = 3, to = 6}
"backbone.depth" = [18, 34]
points = 16
)" + more);
    return load("a.toml");
  };
  for (const std::string order : {"", "order = \"random\"\n"}) {
    const Plan plan = plan_of(order);
    ASSERT_EQ(plan.points.size(), 32u) << "each draw with all of the grid";
    std::set<double> margins;
    std::map<std::int64_t, int> bones;
    int below = 0;
    for (const Point& point : plan.points) {
      const double margin = point.experiment.only("loss").parameters.real("margin");
      EXPECT_GE(margin, 0.01);
      EXPECT_LE(margin, 1.0);
      margins.insert(margin);
      ++bones[point.experiment.only("source").parameters.integer("bones")];
      below += margin < 0.1 ? 1 : 0;
    }
    EXPECT_EQ(margins.size(), 16u);
    EXPECT_GE(bones.begin()->first, 3);
    EXPECT_LE(bones.rbegin()->first, 6);
    if (order.empty()) {  // Sobol's points lie evenly: as many in each half, and in each quarter, of a range
      EXPECT_EQ(below, 16) << "half of them below the middle of the log scale";
      EXPECT_EQ(bones, (std::map<std::int64_t, int>{{3, 8}, {4, 8}, {5, 8}, {6, 8}}));
    }
    EXPECT_EQ(plan_of(order).points[7].changes, plan.points[7].changes) << "the same again";
    EXPECT_NE(plan_of(order + "seed = 2\n").points[7].changes, plan.points[7].changes);
  }
}

TEST_F(Sweeps, SayWhatIsWrongWithTheirWords) {
  write("a.toml", kWhole + R"([sweep]
"loss.margin" = [0.1, 0.2]
"backbone.depth" = [18, 34, 50]
"source.bones" = {from = 6, to = 3}
zip = [["loss.margin", "backbone.depth"], ["loss.margn", "backbone.depth"]]
exclude = [{"backbone.depth" = 19}]
order = "halton"
)");
  const std::string message = mistakes("a.toml");
  for (const char* part :
       {"sweep: has a range; say how many points are drawn, e.g. points = 16",
        "sweep.source.bones: a range runs from a number to a larger one; found 6 to 3",
        "sweep.zip: backbone.depth has 3 values and loss.margin 2; lists that advance together are of one length",
        "sweep.zip: text \"loss.margn\" is no key of this sweep; did you mean \"loss.margin\"?",
        "sweep.exclude: no point of this sweep has backbone.depth = 19",
        "sweep.order: must be \"sobol\" or \"random\"; found text \"halton\""})
    EXPECT_NE(message.find(part), std::string::npos) << part << "\n" << message;
  write("b.toml", kWhole + "[sweep]\n\"loss.margin\" = [0.1]\npoints = 3\n");
  EXPECT_NE(mistakes("b.toml").find("this sweep has none"), std::string::npos) << mistakes("b.toml");
}

}  // namespace
}  // namespace osteon::config
