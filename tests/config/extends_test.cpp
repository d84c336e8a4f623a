#include "workplace.hpp"

namespace osteon::config {
namespace {

using Extends = Workplace;
using Overrides = Workplace;

TEST_F(Extends, TheLaterKeyWinsAndTheOthersStay) {
  write("base.toml", "title = \"Base\"\nrepeats = 1\n" + kWhole + "margin = 0.3\n[training]\nepochs = 9\nseed = 3\n");
  write("deep/middle.toml", "extends = \"../base.toml\"\n[training]\nepochs = 2\n");
  write("top.toml", "extends = \"deep/middle.toml\"\ntitle = \"Top\"\n[loss]\nsquared = false\n");
  const Experiment experiment = one("top.toml");
  EXPECT_EQ(experiment.title, "Top");
  EXPECT_EQ(experiment.sections.at("training").integer("epochs"), 2);
  EXPECT_EQ(experiment.sections.at("training").integer("seed"), 3);
  EXPECT_EQ(experiment.only("loss").parameters.real("margin"), 0.3);
  EXPECT_FALSE(experiment.only("loss").parameters.flag("squared"));
  EXPECT_EQ(experiment.origins.at("title"), "top.toml:2");
  EXPECT_EQ(experiment.origins.at("training.epochs"), "deep/middle.toml:3");
  EXPECT_EQ(experiment.origins.at("loss.margin"), "base.toml:13");
  EXPECT_FALSE(experiment.origins.contains("training.optimiser"));
}

TEST_F(Extends, AChangedPluginDropsTheParametersOfTheOldOne) {
  write("base.toml", kWhole + "margin = 0.3\nsquared = false\n[classifier.main]\nplugin = \"knn\"\nk = 5\n");
  write("other.toml",
        "extends = \"base.toml\"\n[loss]\nplugin = \"contrastive\"\n"
        "[classifier.main]\nplugin = \"svm\"\ncost = 2\n");
  write("same.toml", "extends = \"base.toml\"\n[loss]\nplugin = \"triplet\"\n[classifier.main]\n");
  const Experiment other = one("other.toml");
  EXPECT_EQ(other.only("loss").plugin, "contrastive");
  EXPECT_EQ(other.only("loss").parameters.real("margin"), 1.0);
  EXPECT_EQ(other.only("classifier").plugin, "svm");
  EXPECT_EQ(other.only("classifier").instance, "main");
  const Experiment same = one("same.toml");
  EXPECT_EQ(same.only("loss").parameters.real("margin"), 0.3);
  EXPECT_EQ(same.only("classifier").parameters.integer("k"), 5);
}

TEST_F(Extends, MistakesArePointedOutInTheFileThatHoldsThem) {
  write("parts/base.toml", kWhole + "margin = 9\n");
  write("a.toml", "extends = \"parts/base.toml\"\n[backbone]\nwidth = 2\n");
  EXPECT_EQ(mistakes("a.toml"), R"(a.toml:3:9: backbone.width: 2 is not at most 1
    3 | width = 2
      |         ^
parts/base.toml:11:10: loss.margin: 9 is not at most 4
   11 | margin = 9
      |          ^
2 mistakes, nothing was run)");
}

TEST_F(Extends, ACircleIsRefused) {
  write("a.toml", "extends = \"b.toml\"\n");
  write("b.toml", "title = \"b\"\nextends = \"a.toml\"\n");
  EXPECT_EQ(mistakes("a.toml"), R"(b.toml:2:11: extends: a.toml extends b.toml extends a.toml, a circle
    2 | extends = "a.toml"
      |           ^~~~~~~~
1 mistake, nothing was run)");
}

TEST_F(Extends, AMissingBaseHidesNoMistakeAndInventsNone) {
  write("a.toml", "extends = \"bse.toml\"\n[loss]\nmargin = 0.1\n[metric.rnk]\n");
  write("base.toml", kWhole);
  EXPECT_EQ(mistakes("a.toml"), "a.toml:1:11: extends: no such file: " + (folder / "bse.toml").string() +
                                    R"(; did you mean "base.toml"?
    1 | extends = "bse.toml"
      |           ^~~~~~~~~~
a.toml:4:1: metric.rnk.plugin: no metric plugin "rnk"; did you mean "rank"? There are: rank
    4 | [metric.rnk]
      | ^~~~~~~~~~~~
2 mistakes, nothing was run)");
}

TEST_F(Extends, SyntaxErrorsOfABaseStandInTheBase) {
  write("base.toml", "[source\n");
  write("a.toml", "extends = \"base.toml\"\n");
  EXPECT_EQ(mistakes("a.toml"),
            R"(base.toml:1:8: not valid TOML: error while parsing table header: expected ']', saw '\n'
    1 | [source
      |        ^
1 mistake, nothing was run)");
}

TEST_F(Extends, PathsAreRelativeToTheFileTheyStandIn) {
  std::filesystem::create_directories(folder / "data/femurs");
  std::filesystem::create_directories(folder / "scans");
  write("parts/base.toml",
        "[source]\nplugin = \"dicom\"\npath = \"../data/./femurs/\"\n" + kWhole.substr(kWhole.find("[surface]")));
  write("a.toml", "extends = \"parts/base.toml\"\n");
  const Experiment experiment = one("a.toml");
  EXPECT_EQ(experiment.only("source").parameters.path("path"), folder / "data/femurs");
  EXPECT_EQ(experiment.only("source").parameters.path("table"), "");
  const Experiment overridden = one("a.toml", {"source.path=scans"});
  EXPECT_EQ(overridden.only("source").parameters.path("path"), folder / "scans");
}

TEST_F(Overrides, WinAndAreRecorded) {
  write("a.toml", kWhole + "margin = 0.3\n");
  const Experiment experiment =
      one("a.toml", {"loss.margin=0.2", "title=Quick look", "classifier.knn.k = 3", "training.rates=[0.1, 1]",
                     "training.optimiser=sgd", "training.optimiser=adam"});
  EXPECT_EQ(experiment.only("loss").parameters.real("margin"), 0.2);
  EXPECT_EQ(experiment.title, "Quick look");
  EXPECT_EQ(experiment.only("classifier").parameters.integer("k"), 3);
  EXPECT_EQ(experiment.sections.at("training").reals("rates"), (std::vector<double>{0.1, 1}));
  EXPECT_EQ(experiment.sections.at("training").text("optimiser"), "adam");
  EXPECT_EQ(experiment.origins.at("loss.margin"), "--set loss.margin=0.2");
  EXPECT_EQ(experiment.origins.at("loss.plugin"), "a.toml:10");
}

TEST_F(Overrides, ChangeAPluginWithItsParametersInAnyOrder) {
  write("a.toml", kWhole + "squared = false\n");
  const Experiment experiment = one("a.toml", {"loss.pull=0.7", "loss.plugin=contrastive"});
  EXPECT_EQ(experiment.only("loss").plugin, "contrastive");
  EXPECT_EQ(experiment.only("loss").parameters.real("pull"), 0.7);
}

TEST_F(Overrides, AreCheckedAsTheFileIs) {
  write("a.toml", kWhole);
  EXPECT_EQ(mistakes("a.toml", {"loss.margn=0.2", "los.margin=1", "backbone.depth=19", "loss", "sweep.loss.margin=[1]",
                                "extends=b.toml", "training..seed=1", "reporter.files.note=\xff"}),
            R"(--set loss.margn=0.2: loss.margn: unknown parameter of loss/triplet; did you mean "margin"?
--set los.margin=1: los: unknown section; did you mean "loss"?
--set backbone.depth=19: backbone.depth: 19 is not one of 18, 34, 50, 101, 152
--set loss: must be section.parameter=value, e.g. --set loss.margin=0.2
--set sweep.loss.margin=[1]: a sweep stands in a file; to replace it by one value: --set section.parameter=value
--set extends=b.toml: what a file extends stands in the file; on the command line name another file
--set training..seed=1: must be section.parameter=value, e.g. --set loss.margin=0.2
--set reporter.files.note=)"
            "\xff: not valid TOML: encountered invalid utf-8 sequence\n8 mistakes, nothing was run");
}

TEST_F(Overrides, OfWholeSectionsAreTables) {
  write("a.toml", kWhole);
  EXPECT_EQ(
      mistakes("a.toml", {"loss=contrastive", "source={plugin=\"dicom\", path=\"nowhere\"}"}),
      "--set loss=contrastive: loss: is a section, written [loss], or loss.plugin = …; found text \"contrastive\"\n"
      "--set source={plugin=\"dicom\", path=\"nowhere\"}: source.path: no such file or folder: " +
          (folder / "nowhere").string() + "\n2 mistakes, nothing was run");
}

TEST_F(Overrides, ReplaceTheSweepOfTheirKey) {
  write("a.toml", kWhole + "[sweep]\n\"loss.margin\" = [0.1, 0.2]\n\"backbone.depth\" = [18, 34]\n");
  const Plan plan = load("a.toml", {"loss.margin=0.5"});
  EXPECT_EQ(plan.swept, std::vector<std::string>{"backbone.depth"});
  ASSERT_EQ(plan.points.size(), 2u);
  for (const Point& point : plan.points) EXPECT_EQ(point.experiment.only("loss").parameters.real("margin"), 0.5);
}

TEST_F(Overrides, HoldForEverySweptPlugin) {
  write("a.toml", kWhole + "[sweep]\n\"loss.plugin\" = [\"triplet\", \"contrastive\"]\n");
  const Plan plan = load("a.toml", {"loss.margin=0.5"});
  ASSERT_EQ(plan.points.size(), 2u);
  for (const Point& point : plan.points) EXPECT_EQ(point.experiment.only("loss").parameters.real("margin"), 0.5);
  EXPECT_EQ(mistakes("a.toml", {"loss.pull=0.5"}),
            "--set loss.pull=0.5: loss.pull: unknown parameter of loss/triplet; it has margin, squared\n"
            "1 mistake, nothing was run");
}

TEST_F(Overrides, ReplaceTheirKeyInSweptTables) {
  write("a.toml",
        kWhole + "[sweep]\nloss = [{plugin = \"triplet\", margin = 0.1}, {plugin = \"contrastive\", margin = 1}]\n");
  const Plan plan = load("a.toml", {"loss.margin=0.5"});
  ASSERT_EQ(plan.points.size(), 2u);
  EXPECT_EQ(plan.points[0].experiment.only("loss").plugin, "triplet");
  EXPECT_EQ(plan.points[1].experiment.only("loss").plugin, "contrastive");
  for (const Point& point : plan.points) EXPECT_EQ(point.experiment.only("loss").parameters.real("margin"), 0.5);
}

}  // namespace
}  // namespace osteon::config
