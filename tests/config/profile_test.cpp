#include "workplace.hpp"

namespace osteon::config {
namespace {

class Profiles : public Workplace {
 protected:
  const std::string kFile = kWhole + R"(margin = 0.3
[training]
epochs = 9
[profile.cpu.training]
epochs = 2
[profile.cpu.loss]
plugin = "contrastive"
[profile.short.training]
epochs = 1
seed = 8
)";
};

TEST_F(Profiles, AreLaidOverTheFileOnlyWhenAskedFor) {
  write("a.toml", kFile);
  EXPECT_EQ(load("a.toml").base.sections.at("training").integer("epochs"), 9);
  const Experiment cpu = load("a.toml", {}, {"cpu"}).base;
  EXPECT_EQ(cpu.sections.at("training").integer("epochs"), 2);
  EXPECT_EQ(cpu.only("loss").plugin, "contrastive");
  EXPECT_EQ(cpu.only("loss").parameters.real("margin"), 1.0);  // the other loss's own default
  EXPECT_EQ(cpu.origins.at("training.epochs"), "a.toml:15");
}

TEST_F(Profiles, FollowEachOtherAndTheCommandLineComesLast) {
  write("a.toml", kFile);
  const Experiment both = load("a.toml", {"training.seed=5"}, {"cpu", "short"}).base;
  EXPECT_EQ(both.sections.at("training").integer("epochs"), 1);
  EXPECT_EQ(both.sections.at("training").integer("seed"), 5);
  EXPECT_EQ(both.only("loss").plugin, "contrastive");
  EXPECT_EQ(load("a.toml", {}, {"short", "cpu"}).base.sections.at("training").integer("epochs"), 2);
}

TEST_F(Profiles, AreInheritedKeyByKey) {
  write("base.toml", kFile);
  write("a.toml", "extends = \"base.toml\"\n[profile.cpu.training]\nseed = 4\n");
  const Experiment cpu = load("a.toml", {}, {"cpu"}).base;
  EXPECT_EQ(cpu.sections.at("training").integer("epochs"), 2);
  EXPECT_EQ(cpu.sections.at("training").integer("seed"), 4);
}

TEST_F(Profiles, MayReplaceTheSweep) {
  write("a.toml",
        kFile + "[sweep]\n\"training.epochs\" = [1, 2, 3]\n[profile.cpu.sweep]\n\"training.seed\" = [1, 2]\n");
  EXPECT_EQ(load("a.toml").points.size(), 3U);
  EXPECT_EQ(load("a.toml", {}, {"cpu"}).swept, std::vector<std::string>{"training.seed"});
}

TEST_F(Profiles, UnknownOnesAreNamedAndAllAreChecked) {
  write("a.toml", kFile);
  EXPECT_EQ(
      mistakes("a.toml", {}, {"cpus"}),
      "--profile cpus: the file has no such profile; it has cpu, short; did you mean \"cpu\"?\n1 mistake, nothing "
      "was run");
  write("b.toml", kWhole + "[profile.cpu.training]\nepochs = 0\n");
  EXPECT_EQ(mistakes("b.toml"), R"(b.toml:12:10: training.epochs: 0 is not at least 1
   12 | epochs = 0
      |          ^
1 mistake, nothing was run)");
}

}  // namespace
}  // namespace osteon::config
