// Runs read from their folders, told apart by their parameters and compared person by person.

#include "runs.hpp"
#include "pipeline/run_comparison.hpp"

namespace osteon::pipeline {
namespace {

namespace fs = std::filesystem;

using test::experiment;
using test::mean_figure;
using test::recognised;
using test::refusal;
using test::write_run;

constexpr const char* kTriplet = "plugin = \"triplet\"\nmargin = ";

/// The millimetres of `people` people in a training: they differ by person, and by what the seed makes of each.
std::vector<double> millimetres(int people, int seed, double effect) {
  std::vector<double> values;
  for (int p = 0; p < people; ++p) values.push_back(2 + 0.25 * (p % 4) + 0.125 * ((p + seed) % 2) + effect);
  return values;
}

class Compare : public testing::Test {
 protected:
  [[nodiscard]] fs::path folder(const std::string& name) const { return place_.folder() / name; }

  /// A sweep of these margins with three seeds; a margin's own effect on the millimetres.
  void write_sweep(int people, const std::map<std::string, double>& effects) const {
    int point = 0;
    for (const auto& [margin, effect] : effects)
      for (int seed = 1; seed <= 3; ++seed)
        write_run(folder(text("sweep/0", ++point)), seed, experiment(kTriplet + margin),
                  {mean_figure("shape", "RMS", millimetres(people, seed, effect))});
    write_run(folder("sweep"), 1, experiment(), {});
  }

  [[nodiscard]] RunComparison compared(const std::vector<std::string>& names, const std::string& baseline = "",
                                       const std::vector<std::string>& tables = {}) const {
    std::vector<fs::path> folders;
    for (const std::string& name : names) folders.push_back(folder(name));
    return compare_runs(folders, baseline, tables);
  }

  [[nodiscard]] std::vector<std::string> names_of(const std::vector<std::string>& runs) const {
    std::vector<std::string> names;
    for (const RunSetting& setting : compared(runs).settings) names.push_back(setting.name);
    return names;
  }

  test::Workplace place_;
};

const ComparedValue& only_value(const RunComparison& comparison, std::size_t setting) {
  EXPECT_EQ(comparison.tables.size(), 1U);
  EXPECT_EQ(comparison.tables.front().figures.size(), 1U);
  return comparison.tables.front().figures.front().values.at(setting);
}

TEST_F(Compare, RunsThatDifferInTheSeedAloneAreOneSetting) {
  write_sweep(12, {{"0.1", 0}, {"0.2", 0.5}});
  const RunComparison comparison = compared({"sweep"});
  ASSERT_EQ(comparison.settings.size(), 2U);
  EXPECT_EQ(comparison.settings[0].name, "loss.margin = 0.1");
  EXPECT_EQ(comparison.settings[1].name, "loss.margin = 0.2");
  EXPECT_EQ(comparison.settings[1].seeds.size(), 3U);
  EXPECT_EQ(comparison.settings[1].seeds[2].training_seed, "3");
  EXPECT_TRUE(comparison.notices.empty());
  EXPECT_EQ(compared({"sweep/01", "sweep/04", "sweep", "sweep/04"}).settings[1].seeds.size(), 3U);
}

TEST_F(Compare, APlantedEffectIsFound) {
  write_sweep(12, {{"0.1", 0}, {"0.2", 0.5}, {"0.3", -0.25}});
  const RunComparison comparison = compared({"sweep"});
  const ComparedValue &baseline = only_value(comparison, 0), &worse = only_value(comparison, 1);
  EXPECT_NEAR(baseline.mean, 2.4375, 1e-12);
  EXPECT_NEAR(baseline.deviation, 0, 1e-12);  // half of the people are 0.125 up in each training
  EXPECT_FALSE(baseline.difference || baseline.p || baseline.interval);
  EXPECT_EQ(baseline.rank, 2U);
  EXPECT_EQ(worse.people, 12U);
  EXPECT_EQ(worse.paired, 12U);
  EXPECT_NEAR(worse.difference.value(), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(worse.p.value(), 2.0 / 4096);
  EXPECT_EQ(comparison.tables[0].comparisons, 2U);
  EXPECT_DOUBLE_EQ(worse.corrected.value(), 4.0 / 4096);
  EXPECT_GT(worse.interval.value().first, 0.4);
  EXPECT_LT(worse.interval.value().second, 0.6);
  EXPECT_EQ(worse.rank, 3U);
  EXPECT_EQ(worse.first.value(), 0);
  EXPECT_EQ(only_value(comparison, 2).rank, 1U);
  EXPECT_NEAR(only_value(comparison, 2).first.value(), 1, 1e-9);
  EXPECT_TRUE(worse.notes.empty());
}

TEST_F(Compare, APlantedFactorWithoutEffectComesOutAsNone) {
  // Half of the people are better under the other setting and half as much worse.
  for (int seed = 1; seed <= 3; ++seed) {
    std::vector<double> values = millimetres(12, seed, 0);
    write_run(folder(text("a", seed)), seed, experiment("plugin = \"triplet\"\nmargin = 0.1"),
              {mean_figure("shape", "RMS", values)});
    for (std::size_t p = 0; p < values.size(); ++p) values[p] += p % 2 == 0 ? 0.5 : -0.5;
    write_run(folder(text("b", seed)), seed, experiment("plugin = \"triplet\"\nmargin = 0.2"),
              {mean_figure("shape", "RMS", values)});
  }
  const RunComparison comparison = compared({"a1", "a2", "a3", "b1", "b2", "b3"});
  const ComparedValue& other = only_value(comparison, 1);
  EXPECT_NEAR(other.difference.value(), 0, 1e-12);
  EXPECT_EQ(other.p.value(), 1);
  EXPECT_LT(other.interval.value().first, 0);
  EXPECT_GT(other.interval.value().second, 0);
  EXPECT_EQ(other.rank, 1U);  // equal means share a place, up to rounding
  EXPECT_NEAR(other.first.value(), 0.5, 0.05);
}

TEST_F(Compare, ThreePeopleHaveNeitherPNorInterval) {
  write_sweep(3, {{"0.1", 0}, {"0.2", 0.5}});
  const ComparedValue value = only_value(compared({"sweep"}), 1);
  EXPECT_NEAR(value.difference.value(), 0.5, 1e-12);
  EXPECT_FALSE(value.p || value.corrected || value.interval);
  EXPECT_EQ(value.notes,
            (std::vector<std::string>{"no interval: 3 people paired, 12 are needed",
                                      "no p-value: with 3 people paired the smallest possible one is 2/2^3 = 0.25; 6 "
                                      "people are needed to go below 0.05"}));
}

TEST_F(Compare, ManyPeopleHaveAPFromRandomFlips) {
  write_sweep(13, {{"0.1", 0}, {"0.2", 0.5}});
  const ComparedValue value = only_value(compared({"sweep"}), 1);
  EXPECT_LT(value.p.value(), 0.001);
  EXPECT_EQ(value.notes, (std::vector<std::string>{"p from 9999 random sign flips of 13 people"}));
}

TEST_F(Compare, NumbersOfBonesBecomePercentages) {
  write_run(folder("a"), 1, experiment(), {recognised({100, 50, 0})});
  write_run(folder("b"), 2, experiment(), {recognised({0, 0, 0})});
  write_run(folder("c"), 1, experiment("plugin = \"triplet\"\nmargin = 0.2"),
            {recognised({100, 50, 50, 100, 100, 50, 100, 50, 100, 0, 0, 80})});
  const RunComparison comparison = compared({"a", "b", "c"});
  EXPECT_EQ(comparison.tables[0].figures[0].unit, "%");
  EXPECT_NEAR(only_value(comparison, 0).mean, 25, 1e-9);
  EXPECT_NEAR(only_value(comparison, 1).mean, 65, 1e-9);
  EXPECT_NEAR(only_value(comparison, 1).difference.value(), 200 / 3.0 - 25, 1e-9);  // of the three
  EXPECT_EQ(only_value(comparison, 1).notes.front(), "over the 3 of 12 people that both have");
}

TEST_F(Compare, FiguresThatAreNoMeansOverPeopleHaveMeanAndSpreadOnly) {
  for (int seed = 1; seed <= 2; ++seed)
    for (const char* margin : {"0.1", "0.2"}) {
      MetricValue worst = mean_figure("shape", "worst", {});
      worst.value = seed + (margin[2] == '2' ? 10 : 0);
      MetricValue trivial = mean_figure("shape", "RMS", millimetres(12, seed, 0));
      trivial.is_baseline = true;
      write_run(folder(text(margin, "-", seed)), seed, experiment(kTriplet + std::string(margin)), {worst, trivial});
    }
  const ComparedValue value = only_value(compared({"0.1-1", "0.1-2", "0.2-1", "0.2-2"}), 1);
  EXPECT_EQ(value.mean, 11.5);
  EXPECT_DOUBLE_EQ(value.deviation, std::sqrt(0.5));
  EXPECT_FALSE(value.difference || value.interval || value.p || value.first);
  EXPECT_EQ(value.rank, 2U);
  EXPECT_TRUE(value.notes.empty());
}

TEST_F(Compare, PeopleOfAnotherSourceAreNotPaired) {
  write_run(folder("a"), 1, "[source]\nplugin = \"phantom\"\nseed = 1\n",
            {mean_figure("shape", "RMS", millimetres(12, 1, 0))});
  write_run(folder("b"), 1, "[source]\nplugin = \"phantom\"\nseed = 2\n",
            {mean_figure("shape", "RMS", millimetres(12, 1, 1))});
  const RunComparison comparison = compared({"a", "b"});
  EXPECT_EQ(comparison.settings[1].name, "source.seed = 2");
  const ComparedValue& value = only_value(comparison, 1);
  EXPECT_FALSE(value.difference || value.p || value.first);
  EXPECT_EQ(value.notes,
            (std::vector<std::string>{"no difference: people of the same names are others, as source.seed differs"}));
}

TEST_F(Compare, UndefinedSeedsAreCounted) {
  MetricValue undefined = mean_figure("shape", "RMS", {});
  undefined.value = std::nan("");
  write_run(folder("a"), 1, experiment(), {mean_figure("shape", "RMS", millimetres(12, 1, 0))});
  write_run(folder("b"), 2, experiment(), {undefined});
  const ComparedValue value = only_value(compared({"a", "b"}), 0);
  EXPECT_EQ(value.seeds, 1U);
  EXPECT_NEAR(value.mean, 2.4375, 1e-12);
  EXPECT_EQ(value.notes, (std::vector<std::string>{"undefined in 1 of 2 seeds"}));
}

TEST_F(Compare, FiguresWhosePeopleDoNotMakeThemHaveNoDifference) {
  MetricValue wrong = mean_figure("shape", "RMS", millimetres(12, 1, 0));
  wrong.value += 1;
  write_run(folder("a"), 1, experiment(), {mean_figure("shape", "RMS", millimetres(12, 1, 0))});
  write_run(folder("b"), 1, experiment("plugin = \"triplet\"\nmargin = 0.2"), {wrong});
  const ComparedValue value = only_value(compared({"a", "b"}), 1);
  EXPECT_FALSE(value.difference.has_value());
  EXPECT_EQ(value.notes, (std::vector<std::string>{"no difference: what its people add does not make the figure"}));
}

TEST_F(Compare, SettingsAreNamedByWhatDiffersInThem) {
  const std::vector<MetricValue> values{mean_figure("shape", "RMS", {1, 2})};
  write_run(folder("a"), 1, experiment("plugin = \"triplet\"\nmargin = 0.1"), values);
  write_run(folder("b"), 1, experiment("plugin = \"triplet\"\nmargin = 0.2"), values);
  write_run(folder("c"), 1, experiment("plugin = \"softmax\"\nscale = 8", "[classifier.k]\nplugin = \"knn\"\nk = 3\n"),
            values);
  write_run(folder("d"), 1, experiment("plugin = \"softmax\"\nscale = 8", "[classifier.k]\nplugin = \"knn\"\nk = 1\n"),
            values);
  EXPECT_EQ(names_of({"a", "b", "c", "d"}),
            (std::vector<std::string>{"classifier.k = none, loss = triplet, loss.margin = 0.1",
                                      "classifier.k = none, loss = triplet, loss.margin = 0.2",
                                      "classifier.k = knn, classifier.k.k = 3, loss = softmax",
                                      "classifier.k = knn, classifier.k.k = 1, loss = softmax"}));
  EXPECT_EQ(names_of({"c", "d"}), (std::vector<std::string>{"classifier.k.k = 3", "classifier.k.k = 1"}));
  EXPECT_EQ(names_of({"a"}), (std::vector<std::string>{"all runs"}));
}

TEST_F(Compare, WhereFilesLieAndWhatIsReportedMakesNoOtherSetting) {
  const std::vector<MetricValue> values{mean_figure("shape", "RMS", {1, 2})};
  write_run(folder("a"), 1, experiment("plugin = \"triplet\"", "[weights]\npath = \"/first/w.pth\"\n"), values);
  write_run(folder("b"), 2,
            experiment("plugin = \"triplet\"",
                       "[weights]\npath = \"/second/w.pth\"\n[reporter.screen]\nplugin = \"terminal\"\n"),
            values);
  write_run(folder("c"), 1, experiment("plugin = \"triplet\"", "[weights]\npath = \"/first/v.pth\"\n"), values);
  EXPECT_EQ(names_of({"a", "b", "c"}), (std::vector<std::string>{"weights.path = w.pth", "weights.path = v.pth"}));
}

TEST_F(Compare, TheBaselineIsNamedInSeveralWays) {
  write_sweep(6, {{"0.1", 0}, {"0.2", 0.5}});
  for (const std::string& baseline : {std::string("loss.margin = 0.2"), std::string("loss.margin=0.2"),
                                      std::string("margin=0.2"), folder("sweep/05").string()})
    EXPECT_EQ(compared({"sweep"}, baseline).baseline, 1U) << baseline;
  EXPECT_NEAR(only_value(compared({"sweep"}, "margin=0.2"), 0).difference.value(), -0.5, 1e-12);
  write_run(folder("other"), 1, experiment("plugin = \"triplet\"\nmargin = 0.4"),
            {mean_figure("shape", "RMS", millimetres(6, 1, 1))});
  EXPECT_EQ(compared({"sweep"}, folder("other").string()).baseline, 2U);
}

TEST_F(Compare, RefusesABaselineThatIsNoneOrSeveral) {
  write_sweep(6, {{"0.1", 0}, {"0.2", 0.5}});
  EXPECT_EQ(refusal([&] { (void)compared({"sweep"}, "loss.margn=0.2"); }),
            "no setting \"loss.margn=0.2\" to compare with; did you mean \"loss.margin = 0.2\"?");
  EXPECT_EQ(refusal([&] { (void)compared({"sweep"}, "epochs"); }),
            "no setting \"epochs\" to compare with; there are: loss.margin = 0.1; loss.margin = 0.2");
  EXPECT_EQ(
      refusal([&] { (void)compared({"sweep"}, folder("sweep").string()); }),
      text("\"", folder("sweep").string(), "\" means 2 settings; name one of: loss.margin = 0.1; loss.margin = 0.2"));
}

TEST_F(Compare, LeavesUnfinishedAndRepeatedRunsOutAndSaysSo) {
  write_sweep(6, {{"0.1", 0}, {"0.2", 0.5}});
  write_file(folder("sweep/06/status"), "running\n");
  fs::remove(folder("sweep/05/metrics.json"));
  write_run(folder("again"), 1, experiment(kTriplet + std::string("0.1")), {mean_figure("shape", "RMS", {1})});
  const RunComparison comparison = compared({"sweep", "again"});
  EXPECT_EQ(comparison.settings[1].seeds.size(), 1U);
  EXPECT_EQ(
      comparison.notices,
      (std::vector<std::string>{
          text(folder("sweep/05").string(),
               ": left out, as it has no metrics.json; add a reporter that keeps it and run it again, which costs "
               "nothing"),
          text(folder("sweep/06").string(),
               ": left out, as it is not complete (status: running); the same `osteon run` goes on"),
          text(folder("again").string(), ": left out, as it is the same experiment with the same seed as ",
               folder("sweep/01").string())}));
  write_file(folder("again/status"), "failed\n");
  EXPECT_EQ(refusal([&] { (void)compared({"again"}); }),
            text("no run is left to compare\n", folder("again").string(),
                 ": left out, as it is not complete (status: failed); the same `osteon run` goes on"));
}

TEST_F(Compare, SaysThatASweepHasNotComeToItsEnd) {
  write_sweep(6, {{"0.1", 0}, {"0.2", 0.5}});
  fs::remove(folder("sweep/status"));
  EXPECT_EQ(compared({"sweep"}).notices,
            (std::vector<std::string>{
                text(folder("sweep").string(), ": the sweep is not complete; compared is what it has so far")}));
}

TEST_F(Compare, SaysThatOtherProgramsMadeTheRuns) {
  write_sweep(6, {{"0.1", 0}, {"0.2", 0.5}});
  write_file(folder("sweep/02/environment.json"), R"({"LibTorch": "2.1.0", "plugin reporter/x": "0.2"})");
  EXPECT_EQ(compared({"sweep"}).notices,
            (std::vector<std::string>{"the runs were not all made by the same program on the same machine, which may "
                                      "change figures too; their environment.json differ in: LibTorch"}));
}

TEST_F(Compare, RefusesFoldersThatAreNoRuns) {
  write_sweep(6, {{"0.1", 0}});
  fs::create_directories(folder("empty"));
  EXPECT_EQ(refusal([&] { (void)compared({"swep"}); }),
            text(folder("swep").string(), ": there is no such folder; did you mean \"sweep\"?"));
  EXPECT_EQ(refusal([&] { (void)compared({"empty"}); }),
            text(folder("empty").string(),
                 ": is not the folder of a run: there is no experiment.toml in it, nor a point 01 of a sweep; name the "
                 "folder that `osteon run` says at its end"));
  write_file(folder("sweep/01/metrics.json"), "{\"values\": [{");
  EXPECT_EQ(refusal([&] { (void)compared({"sweep"}); }).substr(0, folder("sweep/01/metrics.json").string().size() + 26),
            text(folder("sweep/01/metrics.json").string(), ": is not as a run writes i"));
  write_file(folder("sweep/01/experiment.toml"), "[loss\n");
  EXPECT_EQ(refusal([&] { (void)compared({"sweep"}); }),
            text(folder("sweep/01/experiment.toml").string(),
                 ":1: not valid TOML: error while parsing table header: expected ']', saw '\\n'"));
}

TEST_F(Compare, RefusesRunsWithoutCommonFigures) {
  write_run(folder("a"), 1, experiment(), {mean_figure("shape", "RMS", {1, 2})});
  write_run(folder("b"), 1, experiment("plugin = \"triplet\"\nmargin = 0.2"), {recognised({100, 0, 0})});
  EXPECT_EQ(refusal([&] {
              (void)compared({"a", "b"});
            }),
            text("the runs have no figure in common (table, row and column would have to agree): give them the same "
                 "metrics and run them again, which costs nothing but the metrics: ",
                 folder("a").string(), "; ", folder("b").string()));
}

TEST_F(Compare, KeepsTheTablesThatAreWanted) {
  write_run(folder("a"), 1, experiment(), {mean_figure("shape", "RMS", {1, 2}), recognised({100, 0, 0})});
  EXPECT_EQ(compared({"a"}).tables.size(), 2U);
  EXPECT_EQ(compared({"a"}, "", {"identity"}).tables.at(0).name, "identity, rank-1");
  EXPECT_EQ(refusal([&] { (void)compared({"a"}, "", {"idenity"}); }),
            "no table's name contains \"idenity\"; there are: shape; identity, rank-1");
}

}  // namespace
}  // namespace osteon::pipeline
