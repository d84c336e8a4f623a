// What `osteon gc` keeps and removes, what a quota refuses, and how a run is gone on with from elsewhere.

#include "sweeps.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Gc, KeepsWhatRunsNeedAndRemovesTheRestWhenAsked) {
  const Workplace place;
  const fs::path store = place.folder() / "runs/.store";
  const std::string sweep = "run " + tiny_sweep(place), other = sweep + " --set views.height=40";
  ASSERT_EQ(place.osteon(sweep).code, 0);
  const fs::path run = only_run(place);
  const auto needed = artifacts(store);
  EXPECT_EQ(named_keys(run).size(), needed.size()) << "stages.json names every artifact of the run";

  // A second sweep that shares volumes and surfaces, and then loses its folder.
  const auto second = place.osteon(other + " --runs elsewhere");
  ASSERT_EQ(second.code, 0) << second.out << second.err;
  const auto all = artifacts(store);
  ASSERT_GT(all.size(), needed.size());
  const auto both = place.osteon("gc");
  EXPECT_TRUE(has(both.out, " stray  0 in all, 0 B\n")) << "a run outside of runs/ counts too: " << both.out;
  fs::remove_all(place.folder() / "elsewhere");
  fs::create_directories(store / "work" / std::string(64, 'a'));
  std::ofstream(store / "work" / std::string(64, 'a') / "checkpoint.pt") << std::string(1000, 'x');
  fs::create_directories(store / "tmp/deadbeef.999999999.0");

  const auto listed = place.osteon("gc");
  ASSERT_EQ(listed.code, 0) << listed.err;
  EXPECT_TRUE(has(listed.out, " stray  " + std::to_string(all.size() - needed.size() + 2) + " in all, ")) << listed.out;
  EXPECT_TRUE(has(listed.out, "remove them with: osteon gc --delete")) << listed.out;
  EXPECT_TRUE(has(listed.out, " days  render ")) << listed.out;
  EXPECT_TRUE(has(listed.out, "phantom-001, acquisition 1")) << listed.out;
  EXPECT_TRUE(has(listed.out, " days  checkpoint ")) << listed.out;
  EXPECT_TRUE(has(listed.out, " days  leftover ")) << listed.out;
  EXPECT_TRUE(has(listed.out, " that " + (run / "01").string() + " needs\n")) << listed.out;
  EXPECT_TRUE(artifacts(store) == all) << "nothing is removed unless one asks for it";

  const auto removed = place.osteon("gc --delete");
  ASSERT_EQ(removed.code, 0) << removed.err;
  EXPECT_TRUE(artifacts(store) == needed);
  EXPECT_EQ(files_in(store / "work"), 0U);
  EXPECT_EQ(files_in(store / "tmp"), 0U);
  EXPECT_TRUE(has(place.osteon(sweep).out, "3 up to date"));
}

TEST(Gc, WhileASweepRunsTakesNothingFromIt) {
  const Workplace place, alone;
  const std::string sweep = "run " + tiny_sweep(place);
  // Again and again, while the sweep makes what only its own lists name.
  const auto outcome =
      place.shell(std::string(OSTEON_BUILD_DIR) + "/bin/osteon " + sweep + " & " + "run=$!; n=0; " +
                  "while kill -0 $run 2>/dev/null; do [ -d runs/.store ] && " + OSTEON_BUILD_DIR +
                  "/bin/osteon gc --delete > gc.txt 2>&1 && n=$((n+1)); done; echo collected $n; wait $run");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_FALSE(has(outcome.out, "collected 0\n")) << outcome.out;
  ASSERT_EQ(alone.osteon("run " + tiny_sweep(alone)).code, 0);
  EXPECT_EQ(figures(only_run(place), 3), figures(only_run(alone), 3));
  EXPECT_TRUE(artifacts(place.folder() / "runs/.store") == artifacts(alone.folder() / "runs/.store"));
}

TEST(Gc, RefusesFoldersThatHoldNoRun) {
  const Workplace place;
  EXPECT_EQ(place.osteon("gc").err, "runs/.store: there is no store; OSTEON_STORE names one, by default runs/.store\n");
  fs::create_directories(place.folder() / "runs/.store");
  fs::create_directories(place.folder() / "empty");
  const auto outcome = place.osteon("gc empty");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "empty: neither the folder of a run nor one of runs; what it needs could not be kept\n");
}

TEST(Quota, RefusesWhatWouldGoBeyondItAndNamesGc) {
  const Workplace place;
  const std::string sweep = "run " + tiny_sweep(place);
  const auto planned = place.osteon(sweep, "OSTEON_STORE_QUOTA='10 kB'");
  EXPECT_EQ(planned.code, 1);
  EXPECT_TRUE(has(planned.err, "what is to be stored does not fit: about ")) << planned.err;
  EXPECT_TRUE(has(planned.err,
                  "left of the quota in runs/.store. Raise OSTEON_STORE_QUOTA, or make room: `osteon gc` "
                  "lists what no run needs\n"))
      << planned.err;
  EXPECT_EQ(artifacts(place.folder() / "runs/.store").size(), 0U) << "nothing was run";

  // Enough for what can be foreseen, not for the volumes.
  const auto stopped = place.osteon(sweep, "OSTEON_STORE_QUOTA='1.2 MB'");
  EXPECT_EQ(stopped.code, 1);
  EXPECT_TRUE(has(stopped.out + stopped.err, "source of phantom-0")) << stopped.out << stopped.err;
  EXPECT_TRUE(has(stopped.out + stopped.err,
                  "more, but OSTEON_STORE_QUOTA allows 1.2 MB; `osteon gc` lists what no run "
                  "needs, and removes it with --delete"))
      << stopped.out << stopped.err;
  EXPECT_EQ(place.osteon(sweep).code, 0) << "with room it goes on";
  const auto misspelt = place.osteon(sweep, "OSTEON_STORE_QUOTA=lots");
  EXPECT_EQ(misspelt.err, "OSTEON_STORE_QUOTA=lots: must be a size, e.g. \"50 GB\" or \"800 MB\"\n");
}

TEST(Resume, GoesOnFromAnyFolderWithTheCommandThatWasTyped) {
  const Workplace place;
  const std::string sweep = "run " + tiny_sweep(place) + " --jobs 2";
  const auto killed = place.osteon(sweep, "OSTEON_STORE=store OSTEON_FAULT=batch:2");
  EXPECT_EQ(killed.code, 1) << killed.out;
  const fs::path run = only_run(place);
  EXPECT_FALSE(fs::exists(run / "01/values.json"));
  const auto resumed =
      place.shell("cd / && " + std::string(OSTEON_BUILD_DIR) + "/bin/osteon resume '" + run.string() + "'");
  ASSERT_EQ(resumed.code, 0) << resumed.out << resumed.err;
  EXPECT_TRUE(has(resumed.out, "2 at once")) << resumed.out;
  EXPECT_TRUE(fs::exists(run / "01/values.json"));
  EXPECT_FALSE(fs::exists(place.folder() / "runs/.store")) << "the store is the one of the run";
  const auto point = place.osteon("resume '" + (run / "02").string() + "'");
  EXPECT_EQ(point.code, 0) << point.err;
  EXPECT_TRUE(has(point.out, "(point 2 of 3)")) << point.out;

  (void)tiny_sweep(place, "\"loss.margin\" = [0.1, 0.2]");  // the file is not the same any more
  const auto changed = place.osteon("resume '" + run.string() + "'");
  EXPECT_EQ(changed.code, 2);
  EXPECT_TRUE(has(changed.err, run.string() + ": sweep.toml has changed since; it now makes runs/tiny-sweep-"))
      << changed.err;
  EXPECT_EQ(place.osteon("resume nowhere").err,
            "nowhere: not the folder of a run that can be gone on with (it has no command.json); runs stand under "
            "runs/, and the command that made them goes on with them too\n");
}

TEST(Check, ShowsThePlanAndRefusesWhatNoDiskHolds) {
  const Workplace place;
  const std::string sweep =
      tiny_sweep(place, "\"loss.margin\" = [0.1, 0.2]\n\"training.learning_rate\" = [0.01, 0.001]") +
      " --set repeats=3";
  const auto planned = place.osteon("check " + sweep);
  ASSERT_EQ(planned.code, 0) << planned.err;
  EXPECT_TRUE(
      has(planned.out,
          " plan       2 loss.margin × 2 training.learning_rate × 3 seeds = 12 points · shared: source 0 of 12, "
          "surface 0 of 12, render 0 of 12 stored · to do: 12 points, 12 trainings\n"))
      << planned.out;
  EXPECT_TRUE(has(planned.out, " disk       about ")) << planned.out;
  EXPECT_TRUE(has(planned.out, "volumes and surfaces and networks not counted, none is stored yet")) << planned.out;
  EXPECT_FALSE(fs::exists(place.folder() / "runs")) << "a check leaves nothing behind";
  const auto huge = place.osteon("check " + sweep +
                                 " --set views.height=4096 --set views.axial_range=30 --set views.axial_step=0.5 --set "
                                 "views.in_plane_range=30 --set views.in_plane_step=0.5");
  EXPECT_EQ(huge.code, 1);
  EXPECT_TRUE(has(huge.err, "what is to be stored does not fit: about ")) << huge.err;
  EXPECT_TRUE(has(huge.err, "X-rays ")) << huge.err;
}

}  // namespace
}  // namespace osteon::test
