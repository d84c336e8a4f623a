#include "workplace.hpp"

namespace osteon::config {
namespace {

using Mistakes = Workplace;

TEST_F(Mistakes, AreAllReportedInOneGoWithLineAndColumn) {
  write("my-margin.toml", R"(title = "Five mistakes"
repeats = 101

[source]
plugin = "phantom"
bones  = "twelve"

[surfaces]
level = 300

[surface]
plugin = "isosurface"
[renderer]
plugin = "josef"

[loss]
plugin = "triplet"
margn = 0.1

[backbone]
plugin   = "resnet"
depth    = 19
)");
  EXPECT_EQ(mistakes("my-margin.toml"), R"(my-margin.toml:2:11: repeats: 101 is not at most 100
    2 | repeats = 101
      |           ^~~
my-margin.toml:6:10: source.bones: must be integer, at least 2; found text "twelve"
    6 | bones  = "twelve"
      |          ^~~~~~~~
my-margin.toml:8:2: surfaces: unknown section; did you mean "surface"?
    8 | [surfaces]
      |  ^~~~~~~~
my-margin.toml:14:10: renderer.plugin: no renderer plugin "josef"; did you mean "joseph"? There are: joseph, siddon
   14 | plugin = "josef"
      |          ^~~~~~~
my-margin.toml:18:1: loss.margn: unknown parameter of loss/triplet; did you mean "margin"?
   18 | margn = 0.1
      | ^~~~~
my-margin.toml:22:12: backbone.depth: 19 is not one of 18, 34, 50, 101, 152
   22 | depth    = 19
      |            ^~
6 mistakes, nothing was run)");
}

TEST_F(Mistakes, OfSyntaxShowTheLine) {
  write("a.toml", kWhole + "[training]\nepochs = \n");
  EXPECT_EQ(mistakes("a.toml"),
            R"(a.toml:12:10: not valid TOML: error while parsing key-value pair: expected value, saw '\n'
   12 | epochs = 
      |          ^
1 mistake, nothing was run)");
}

TEST_F(Mistakes, NameAMissingFileAndItsNeighbour) {
  write("quickstart.toml", kWhole);
  EXPECT_EQ(mistakes("quikstart.toml"), "quikstart.toml: no such file: " + (folder / "quikstart.toml").string() +
                                            "; did you mean \"quickstart.toml\"?\n1 mistake, nothing was run");
}

TEST_F(Mistakes, AFolderIsNoFile) {
  EXPECT_EQ(mistakes(folder.string()), ".: not a file: " + folder.string() + "\n1 mistake, nothing was run");
}

TEST_F(Mistakes, MissingSectionsAndPluginsNameWhatThereIs) {
  write("a.toml",
        "[source]\nbones = 3\n[surface]\nplugin = \"isosurface\"\n[backbone]\nplugin = \"resnet\"\n"
        "[loss]\nplugin = 3\n");
  EXPECT_EQ(mistakes("a.toml"), R"(a.toml:1:1: source.plugin: must be given; available: dicom, phantom
    1 | [source]
      | ^~~~~~~~
a.toml:8:10: loss.plugin: must be the name of a plugin; found integer 3
    8 | plugin = 3
      |          ^
a.toml: no [renderer] in this experiment: add one, e.g. [renderer] with plugin = "joseph"; available: joseph, siddon
3 mistakes, nothing was run)");
}

TEST_F(Mistakes, RequiredParametersAreAskedForAtTheHeader) {
  write("a.toml", kWhole + "[classifier.svm]\nkernel = \"radal\"\n");
  sections["views"].parameters.push_back(Parameter::real("distance", 0, "Source to detector.").unit("mm").required());
  EXPECT_EQ(mistakes("a.toml"),
            R"(a.toml:11:1: classifier.svm.cost: must be given; add cost = … (real, above 0) to [classifier.svm]
   11 | [classifier.svm]
      | ^~~~~~~~~~~~~~~~
a.toml:12:10: classifier.svm.kernel: "radal" is not one of linear, radial; did you mean "radial"?
   12 | kernel = "radal"
      |          ^~~~~~~
a.toml: views.distance: must be given; add distance = … (real, mm) to [views]
3 mistakes, nothing was run)");
}

TEST_F(Mistakes, OfTypesAndListsPointAtTheValue) {
  write("a.toml", kWhole + R"([training]
epochs = 2.5
rates = [1e-3, -1, "a"]
optimiser = ["adam"]
seed = 1979-05-27
[metric.rank]
ranks = []
[reporter.files]
formats = "csv"
[classifier]
plugin = "knn"
)");
  EXPECT_EQ(mistakes("a.toml"), R"(a.toml:12:10: training.epochs: must be integer, at least 1; found real 2.5
   12 | epochs = 2.5
      |          ^~~
a.toml:13:16: training.rates: -1 is not above 0
   13 | rates = [1e-3, -1, "a"]
      |                ^~
a.toml:13:20: training.rates: must be list of reals, above 0; found text "a"
   13 | rates = [1e-3, -1, "a"]
      |                    ^~~
a.toml:14:13: training.optimiser: must be one of adam, sgd; found a list
   14 | optimiser = ["adam"]
      |             ^~~~~~~~
a.toml:15:8: training.seed: must be integer, at least 0, at most 1000; found a date
   15 | seed = 1979-05-27
      |        ^~~~~~~~~~
a.toml:17:9: metric.rank.ranks: has 0 entries; at least 1 are needed
   17 | ranks = []
      |         ^~
a.toml:19:11: reporter.files.formats: must be each one of csv, json; found text "csv"
   19 | formats = "csv"
      |           ^~~~~
a.toml:21:1: classifier.plugin: an experiment may have several of this kind; write a table of its own for each, e.g. [classifier.knn]
   21 | plugin = "knn"
      | ^~~~~~
8 mistakes, nothing was run)");
}

TEST_F(Mistakes, OfPlainKeys) {
  write("a.toml", "titel = \"x\"\ntitle = 3\nloss2 = 1\nviews = \"all\"\n" + kWhole);
  EXPECT_EQ(mistakes("a.toml"), R"(a.toml:1:1: titel: unknown key; did you mean "title"?
    1 | titel = "x"
      | ^~~~~
a.toml:2:9: title: must be text; found integer 3
    2 | title = 3
      |         ^
a.toml:3:1: loss2: unknown key; did you mean "loss"?
    3 | loss2 = 1
      | ^~~~~
a.toml:4:9: views: is a section, written [views]; found text "all"
    4 | views = "all"
      |         ^~~~~
4 mistakes, nothing was run)");
}

TEST_F(Mistakes, MissingFilesShowTheCommentThatSaysWhereToGetThem) {
  std::filesystem::create_directories(folder / "there");
  write("a.toml", R"([source]
plugin = "dicom"
table  = "there"
# The public set: see README, "Own data".
path   = "../data/femurs"
)" + kWhole.substr(kWhole.find("[surface]")));
  EXPECT_EQ(mistakes("a.toml"),
            "a.toml:5:10: source.path: no such file or folder: " + (folder.parent_path() / "data/femurs").string() + R"(
    4 | # The public set: see README, "Own data".
    5 | path   = "../data/femurs"
      |          ^~~~~~~~~~~~~~~~
1 mistake, nothing was run)");
}

TEST_F(Mistakes, ColumnsCountCharactersAndControlCharactersStayOffTheTerminal) {
  write("a.toml", kWhole + "[reporter.files]\n\"é\\u001b\" = 1\nformats = [\"ö\", \"cvs\"]\n");
  EXPECT_EQ(mistakes("a.toml"),
            R"(a.toml:12:1: reporter.files.é?: unknown parameter of reporter/files; it has formats, note
   12 | "é\u001b" = 1
      | ^~~~~~~~~
a.toml:13:12: reporter.files.formats: "ö" is not one of csv, json
   13 | formats = ["ö", "cvs"]
      |            ^~~
a.toml:13:17: reporter.files.formats: "cvs" is not one of csv, json; did you mean "csv"?
   13 | formats = ["ö", "cvs"]
      |                 ^~~~~
3 mistakes, nothing was run)");
}

TEST_F(Mistakes, APluginsNameIsNoPath) {
  write("a.toml", kWhole + "[metric.far]\nplugin = \"../../rank\"\n[metric.\"a b\"]\nplugin = \"rank\"\n");
  EXPECT_EQ(mistakes("a.toml"),
            R"(a.toml:12:10: metric.far.plugin: "../../rank" is no name of a plugin (letters, digits and _)
   12 | plugin = "../../rank"
      |          ^~~~~~~~~~~~
a.toml:13:9: metric.a b: a table's name has letters, digits, _ and - only
   13 | [metric."a b"]
      |         ^~~~~
2 mistakes, nothing was run)");
}

}  // namespace
}  // namespace osteon::config
