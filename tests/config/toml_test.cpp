#include "workplace.hpp"

namespace osteon::config {
namespace {

using Resolved = Workplace;
using Digests = Workplace;

TEST_F(Resolved, HoldsEveryParameterInAFixedOrder) {
  write("a.toml", "[reporter.files]\nnote = 'a \"quoted\" \\ note\t'\n[metric.rank]\n" + kWhole + "margin = 1\n");
  EXPECT_EQ(one("a.toml").to_toml(), R"(title = "a"
repeats = 1

[training]
epochs = 6
optimiser = "adam"
rates = [0.001]
seed = 7

[views]
axial = [-21.0, 0.0, 21.0]

[source]
plugin = "phantom"
bones = 12
seed = 1

[surface]
plugin = "isosurface"
level = 346.0

[renderer]
plugin = "joseph"
step = 1.0

[backbone]
plugin = "resnet"
depth = 18
width = 1.0

[loss]
plugin = "triplet"
margin = 1.0
squared = true

[reporter.files]
plugin = "files"
formats = ["csv"]
note = "a \"quoted\" \\ note\u0009"

[metric.rank]
plugin = "rank"
ranks = [1, 5]
)");
}

TEST_F(Resolved, RunsAsItIsFromAnywhere) {
  std::filesystem::create_directories(folder / "data/ä \"b\"");
  write("base.toml", "[source]\nplugin = \"dicom\"\npath = 'data/ä \"b\"'\n" + kWhole.substr(kWhole.find("[surface]")));
  write("a.toml",
        "extends = \"base.toml\"\ntitle = \"Quotes \\\" and\\nlines \\u001b\"\nrepeats = 2\n"
        "[training]\nrates = [1e-7, 1e22, 0.1]\n[sweep]\n\"loss.margin\" = [0.1, 0.30000000000000004]\n");
  const Plan plan = load("a.toml", {"classifier.near.plugin=knn"});
  write("run/base.toml", plan.base.to_toml());
  EXPECT_EQ(load("run/base.toml").base.digest(), plan.base.digest());
  EXPECT_EQ(load("run/base.toml").base.to_toml(), plan.base.to_toml());
  ASSERT_EQ(plan.points.size(), 4u);
  for (const Point& point : plan.points) {
    write("run/point.toml", point.experiment.to_toml());
    const Experiment again = one("run/point.toml");
    EXPECT_EQ(again.to_toml(), point.experiment.to_toml());
    EXPECT_EQ(again.digest(), point.experiment.digest());
  }
}

TEST_F(Digests, DoNotDependOnTheOrderOfKeysTheFoldersOrTheReporters) {
  for (const char* place : {"here", "there"}) std::filesystem::create_directories(folder / place / "femurs");
  const std::string rest = kWhole.substr(kWhole.find("[surface]"));
  write("here/a.toml", "title = \"T\"\n[source]\nplugin = \"dicom\"\npath = \"femurs\"\nrecursive = false\n" + rest +
                           "[classifier.knn]\n[metric.rank]\n[reporter.files]\nnote = \"x\"\n");
  write("there/b.toml", "[metric.rank]\nranks = [1, 5]\n[classifier.knn]\nk = 1\n" + rest +
                            "margin = 0.1\n[source]\nrecursive = false\npath = \"femurs/\"\nplugin = \"dicom\"\n");
  EXPECT_EQ(one("here/a.toml").digest(), one("there/b.toml", {"title=T"}).digest());
  EXPECT_EQ(one("here/a.toml").digest().size(), 64u);
}

TEST_F(Digests, ChangeWithEveryValue) {
  std::filesystem::create_directories(folder / "femurs");
  std::filesystem::create_directories(folder / "tibias");
  write("a.toml", "[source]\nplugin = \"dicom\"\npath = \"femurs\"\n" + kWhole.substr(kWhole.find("[surface]")));
  std::set<std::string> digests = {one("a.toml").digest()};
  const std::vector<std::string> changes = {
      "title=b",         "training.seed=8",         "views.axial=[0]",   "source.path=tibias",
      "loss.margin=0.2", "loss.plugin=contrastive", "classifier.knn.k=1"};
  for (const std::string& change : changes) digests.insert(one("a.toml", {change}).digest());
  EXPECT_EQ(digests.size(), changes.size() + 1);
}

TEST_F(Resolved, PluginsAreFoundByKind) {
  write("a.toml", kWhole + "[classifier.svm]\ncost = 1\n[classifier.first]\nplugin = \"knn\"\n");
  const Experiment experiment = one("a.toml");
  ASSERT_EQ(experiment.all("classifier").size(), 2u);
  EXPECT_EQ(experiment.all("classifier")[0]->instance, "svm");
  EXPECT_EQ(experiment.all("classifier")[1]->instance, "first");
  EXPECT_EQ(experiment.all("classifier")[1]->plugin, "knn");
  EXPECT_EQ(experiment.only("source").instance, "source");
  EXPECT_TRUE(experiment.all("shape").empty());
  EXPECT_THROW((void)experiment.only("shape"), Error);
}

TEST_F(Resolved, QueriesMayHaveARendererOfTheirOwn) {
  write("a.toml", kWhole);
  EXPECT_EQ(one("a.toml").only("query_renderer").plugin, "joseph");
  write("b.toml", "extends = \"a.toml\"\n[query_renderer]\nplugin = \"siddon\"\n");
  const Experiment other = one("b.toml");
  EXPECT_EQ(other.only("query_renderer").plugin, "siddon");
  EXPECT_EQ(other.only("renderer").plugin, "joseph");
  EXPECT_NE(other.to_toml().find("\n[query_renderer]\nplugin = \"siddon\"\n"), std::string::npos);
  EXPECT_NE(other.digest(), one("a.toml").digest());
  write("c.toml", "extends = \"b.toml\"\n[query_renderer]\nplugin = \"joseph\"\nstep = 2\n");
  EXPECT_EQ(one("c.toml").only("query_renderer").parameters.real("step"), 2);
  EXPECT_EQ(one("c.toml").only("renderer").parameters.real("step"), 1);
}

TEST_F(Resolved, MistakesInTheRendererOfQueriesAreSaid) {
  write("a.toml", kWhole + "[query_renderer]\nplugin = \"sidon\"\n");
  EXPECT_NE(mistakes("a.toml").find("query_renderer.plugin: no renderer plugin \"sidon\"; did you mean \"siddon\"?"),
            std::string::npos);
  write("b.toml", "query_renderer = 3\n" + kWhole);
  EXPECT_NE(
      mistakes("b.toml").find("query_renderer: is a section, written [query_renderer], or query_renderer.plugin = …"),
      std::string::npos);
}

}  // namespace
}  // namespace osteon::config
