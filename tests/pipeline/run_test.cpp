// The main job in a small profile: everything is made once, killed runs continue, and parameters touch the stages that
// they should and no others.

#include "command.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

TEST(Run, MakesAReportTheFirstTimeAndNothingTheSecond) {
  const Workplace place;
  const auto first = place.osteon("run " + small_profile());
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  const fs::path run = only_run(place);
  for (const char* file :
       {"experiment.toml", "environment.json", "metrics.json", "metrics.csv", "log.txt", "report.html"})
    EXPECT_GT(fs::file_size(run / file), 0U) << file;
  EXPECT_EQ(read(run / "status").substr(0, 8), "complete");
  EXPECT_NE(first.out.find("identity, rank-1"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("raw pixels"), std::string::npos);
  EXPECT_NE(first.out.find("oracle"), std::string::npos);
  EXPECT_EQ(first.out.find('\r'), std::string::npos) << "control characters where there is no terminal";
  for (const auto& [stage, count] : stages(run)) EXPECT_EQ(count.reused, 0) << stage;

  const auto second = place.osteon("run " + small_profile());
  ASSERT_EQ(second.code, 0) << second.out << second.err;
  for (const auto& [stage, count] : stages(run)) EXPECT_EQ(count.made, 0) << stage;
  EXPECT_NE(second.out.find("cached"), std::string::npos);

  // What was written as the resolved experiment is the same experiment.
  const auto again = place.osteon("run " + (run / "experiment.toml").string());
  ASSERT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_EQ(only_run(place), run) << "another folder: the resolved experiment has another digest";
}

TEST(Run, SweepRendersOnceTrainsPerPointAndEndsWithATable) {
  const Workplace place;
  std::ofstream(place.folder() / "sweep.toml")
      << "title = \"Small sweep\"\nextends = \"" << OSTEON_SOURCE_DIR
      << "/experiments/quickstart.toml\"\n[sweep]\n\"loss.margin\" = [0.1, 1.0]\n";
  const std::string profile = small_profile();
  const auto outcome = place.osteon("run sweep.toml " + profile.substr(profile.find("--set")));
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  const fs::path run = only_run(place);
  EXPECT_EQ(stages(run / "02").at("render").made, 0);
  EXPECT_EQ(stages(run / "02").at("train").made, 1);
  EXPECT_EQ(stages(run / "02").at("train").reason, "loss.margin changed 0.1 → 1.0");
  EXPECT_NE(read(run / "table.csv").find("loss.margin = 1.0"), std::string::npos);
  EXPECT_NE(outcome.out.find("loss.margin = 1.0"), std::string::npos) << outcome.out;
}

class KilledAt : public testing::TestWithParam<const char*> {};

TEST_P(KilledAt, ContinuesToTheSameWeights) {
  static const std::map<std::string, std::string> uninterrupted = [] {
    const Workplace whole;
    EXPECT_EQ(whole.osteon("run " + small_profile()).code, 0);
    return digests(whole.folder() / "runs/.store", "train");
  }();
  const Workplace place;
  const auto killed = place.osteon("run " + small_profile(), std::string("OSTEON_FAULT=") + GetParam());
  EXPECT_EQ(killed.code, 128 + 9) << killed.out << killed.err;
  EXPECT_EQ(digests(place.folder() / "runs/.store", "train").size(), 0U);
  const auto resumed = place.osteon("run " + small_profile());
  ASSERT_EQ(resumed.code, 0) << resumed.out << resumed.err;
  EXPECT_EQ(digests(place.folder() / "runs/.store", "train"), uninterrupted);
}

// In a batch of the second epoch; while a checkpoint is written; just before an artifact gets its name.
INSTANTIATE_TEST_SUITE_P(Fault, KilledAt, testing::Values("batch:5", "checkpoint:2", "rename:3"),
                         [](const auto& place) { return "Place" + std::to_string(place.index); });

TEST(Run, ASpecimenThatFailsIsLeftOutWithItsReason) {
  const fs::path femurs = fs::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
  if (!fs::exists(femurs)) GTEST_SKIP() << "the real femurs are not here (" << femurs << ")";
  const Workplace place;
  fs::create_directory(place.folder() / "bones");
  for (const char* name : {"z001_Femur_L.ply", "z013_Femur_L.ply", "z023_Femur_R.ply", "z035_Femur_R.ply"})
    fs::copy(femurs / name, place.folder() / "bones" / name);
  std::string damaged = read(femurs / "z036_Femur_L.ply");
  std::ofstream(place.folder() / "bones/z036_Femur_L.ply", std::ios::binary) << damaged.substr(0, damaged.size() / 2);
  std::string profile = small_profile();
  profile.replace(profile.find("quickstart"), 10, "real-femurs");
  profile.erase(profile.find(" --set source.bones=4"), std::string(" --set source.bones=4").size());
  const auto outcome = place.osteon("run " + profile + " --set source.path=bones --set source.spacing=4.0");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_NE(read(only_run(place) / "left_out.csv").find("z036_Femur_L"), std::string::npos);
  EXPECT_NE(outcome.out.find("z036_Femur_L"), std::string::npos);
}

TEST(Run, ExportedVolumesMakeTheSameImages) {
  const Workplace place;
  const std::string profile = small_profile();
  const std::string settings = profile.substr(profile.find("--set split"));
  ASSERT_EQ(place.osteon("run " + profile).code, 0);
  std::multiset<std::string> ours;
  for (const auto& [subject, digest] : digests(place.folder() / "runs/.store", "render")) ours.insert(digest);
  EXPECT_EQ(ours.size(), 12U);
  for (const auto& [format, file] :
       std::map<std::string, std::string>{{"dicom", "dicom.toml"}, {"itk", "images.toml"}}) {
    SCOPED_TRACE(format);
    const auto exported = place.osteon("export " + format + " " + profile + " --out " + format);
    ASSERT_EQ(exported.code, 0) << exported.out << exported.err;
    const auto run = place.osteon("run " + std::string(OSTEON_SOURCE_DIR) + "/experiments/" + file +
                                      " --set source.path=" + format + " " + settings,
                                  "OSTEON_STORE=store-of-" + format);
    ASSERT_EQ(run.code, 0) << run.out << run.err;
    std::multiset<std::string> theirs;
    for (const auto& [subject, digest] : digests(place.folder() / ("store-of-" + format), "render"))
      theirs.insert(digest);
    EXPECT_EQ(ours, theirs);
  }
}

TEST(Run, UserMistakesEndWithTwoAndAMessage) {
  const Workplace place;
  const auto missing = place.osteon("run nothing.toml");
  EXPECT_EQ(missing.code, 2);
  EXPECT_NE(missing.err.find("nothing.toml"), std::string::npos);
  const auto folder = place.osteon("run " + small_profile() + " --set source.plugin=fantom");
  EXPECT_EQ(folder.code, 2);
  EXPECT_NE(folder.err.find("did you mean \"phantom\"?"), std::string::npos) << folder.err;
  EXPECT_EQ(place.osteon("describe loss/triplt").code, 2);
  EXPECT_EQ(place.osteon("frobnicate").code, 2);
}

TEST(Run, AnUnwritableRunFolderIsAFailureThatNamesIt) {
  const Workplace place;
  std::ofstream(place.folder() / "file") << "not a folder";
  const auto outcome = place.osteon("run " + small_profile() + " --runs file/runs");
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("file/runs"), std::string::npos) << outcome.err;
}

TEST(Run, AFullDiskIsAFailureAndLeavesNoArtifact) {
  const Workplace place;
  // No file may grow beyond 64 KiB: what a full disk does to the first volume.
  const auto outcome = place.shell("trap '' XFSZ; ulimit -f 64; " + std::string(OSTEON_BUILD_DIR) + "/bin/osteon run " +
                                   small_profile());
  EXPECT_EQ(outcome.code, 1) << outcome.out << outcome.err;
  EXPECT_NE(outcome.err.find("cannot write"), std::string::npos) << outcome.err;
  EXPECT_TRUE(digests(place.folder() / "runs/.store", "source").empty());
}

TEST(Run, CtrlCSaysHowToGoOn) {
  const Workplace place;
  const auto outcome = place.shell("timeout -s INT 3 " + std::string(OSTEON_BUILD_DIR) + "/bin/osteon run " +
                                   small_profile() + " --set training.epochs=100000");
  EXPECT_NE(outcome.out.find("Go on with: osteon run "), std::string::npos) << outcome.out << outcome.err;
}

TEST(Check, AcceptsEveryExperimentOfTheTree) {
  const Workplace place;
  const std::string root = std::string(OSTEON_SOURCE_DIR) + "/experiments/";
  EXPECT_EQ(place.osteon("check " + root + "quickstart.toml").code, 0);
  for (const auto& entry : fs::directory_iterator(root + "ablations"))
    for (const std::string femurs : {"", " --profile femurs --set source.path=."}) {
      const auto outcome = place.osteon("check " + entry.path().string() + " --profile cpu" + femurs);
      EXPECT_EQ(outcome.code, 0) << entry.path() << outcome.err;
    }
  for (const std::string file : {"dicom.toml", "images.toml", "real-femurs.toml"}) {
    const auto outcome = place.osteon("check " + root + file + " --set source.path=.");
    EXPECT_EQ(outcome.code, 0) << file << outcome.err;
  }
}

}  // namespace
}  // namespace osteon::test
