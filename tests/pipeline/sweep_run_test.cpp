// Points of a sweep in processes of their own: side by side, one alone, one that crashes.

#include "command.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

/// The small profile as a file with a sweep.
std::string sweep_of(const Workplace& place, const std::string& sweep) {
  std::ofstream(place.folder() / "sweep.toml")
      << "title = \"Small sweep\"\nextends = \"" << OSTEON_SOURCE_DIR << "/experiments/quickstart.toml\"\n[sweep]\n"
      << sweep << "\n";
  const std::string profile = small_profile();
  return "sweep.toml " + profile.substr(profile.find("--set"));
}

nlohmann::json state(const fs::path& folder) { return nlohmann::json::parse(read(folder / "state.json")); }

bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }

TEST(SweepRun, SideBySideIsWhatOneAfterAnotherIs) {
  const Workplace place;
  const std::string sweep = sweep_of(place, "\"loss.margin\" = [0.1, 1.0]\n\"split.seed\" = [1, 2]");
  const auto one = place.osteon("run " + sweep + " --runs one", "OSTEON_STORE=store-one");
  ASSERT_EQ(one.code, 0) << one.out << one.err;
  const auto two = place.osteon("run " + sweep + " --runs two --jobs 2", "OSTEON_STORE=store-two");
  ASSERT_EQ(two.code, 0) << two.out << two.err;
  EXPECT_TRUE(has(two.out, " sweep      4 points, 2 at once")) << two.out;
  EXPECT_TRUE(has(two.out, "loss.margin = 1.0, split.seed = 2 (point 4 of 4)   complete in ")) << two.out;
  fs::path first, second;
  for (const auto& entry : fs::directory_iterator(place.folder() / "one")) first = entry.path();
  for (const auto& entry : fs::directory_iterator(place.folder() / "two")) second = entry.path();
  for (const char* point : {"01", "02", "03", "04"}) {
    EXPECT_EQ(read(first / point / "values.json"), read(second / point / "values.json")) << point;
    EXPECT_TRUE(has(read(second / point / "output.txt"), " train ")) << "what a point prints is in its folder";
  }
  EXPECT_EQ(read(first / "table.csv"), read(second / "table.csv"));
  EXPECT_GT(read(first / "table.csv").size(), 1000U);
}

TEST(SweepRun, APointThatCrashesStopsNoOtherAndSaysWhichPluginItWas) {
  const Workplace place;
  const std::string sweep = sweep_of(place, "\"loss.plugin\" = [\"crash_while_computing\", \"triplet\"]") +
                            " --plugins '" + OSTEON_BUILD_DIR + "/crashing_plugins'";
  const auto outcome = place.osteon("run " + sweep);
  EXPECT_EQ(outcome.code, 1) << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.err, "osteon: loss/crash_while_computing crashed (SIGSEGV)")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "1 of 2 points failed")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "loss.plugin = crash_while_computing (point 1 of 2): ended by SIGSEGV")) << outcome.err;
  const fs::path run = only_run(place);
  EXPECT_EQ(state(run / "02").at("status"), "complete");
  EXPECT_EQ(state(run).at("status"), "failed");
  EXPECT_FALSE(fs::exists(run / "01/values.json"));
  EXPECT_TRUE(has(read(run / "table.csv"), "loss.plugin = triplet"));
  const auto status = place.osteon("status " + run.string());
  EXPECT_EQ(status.code, 0);
  EXPECT_TRUE(has(status.out, "\n      ended by SIGSEGV\n")) << status.out;
  EXPECT_TRUE(has(status.out, " 1 complete, 1 failed\n")) << status.out;
}

TEST(SweepRun, OnePointRunsAlone) {
  const Workplace place;
  const std::string sweep = sweep_of(place, "\"loss.margin\" = [0.1, 1.0]");
  const auto alone = place.osteon("run " + sweep + " --point 2");
  ASSERT_EQ(alone.code, 0) << alone.out << alone.err;
  const fs::path run = only_run(place);
  EXPECT_TRUE(fs::exists(run / "02/values.json"));
  EXPECT_FALSE(fs::exists(run / "01"));
  const auto both = place.osteon("run " + sweep);
  ASSERT_EQ(both.code, 0) << both.out << both.err;
  EXPECT_TRUE(has(both.out, " · 1 up to date · to do: 1 point, 1 training"))
      << "the point that ran alone is found again";
  EXPECT_EQ(place.osteon("run " + sweep + " --point 3").err, "--point 3: the sweep has 2 points\n");
  EXPECT_TRUE(has(place.osteon("status nowhere").err, "nowhere: not the folder of a run"));
}

}  // namespace
}  // namespace osteon::test
