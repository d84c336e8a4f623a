// `osteon run` by two processes, as a user starts it.

#include "distributed/ranks.hpp"
#include "pipeline/command.hpp"

#include <algorithm>

namespace osteon::test {
namespace {

struct Two {
  int first = -1, second = -1;
  std::string out, err;                ///< rank 0's
  std::string second_out, second_err;  ///< rank 1's
};

/// `osteon ARGUMENTS` by two ranks; `changes` are put before each one's command.
Two run_by_two(const Workplace& place, const std::string& arguments, const std::string& of_first = "",
               const std::string& of_second = "") {
  const std::string common = "WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(free_port());
  const std::string command = std::string(OSTEON_BUILD_DIR) + "/bin/osteon " + arguments;
  const auto outcome = place.shell("(" + common + " RANK=1 " + of_second + " " + command +
                                   " > two.out 2> two.err; echo $? > two.code) & " + common + " RANK=0 " + of_first +
                                   " " + command + "; code=$?; wait; exit $code");
  return {outcome.code,
          std::stoi(read(place.folder() / "two.code")),
          outcome.out,
          outcome.err,
          read(place.folder() / "two.out"),
          read(place.folder() / "two.err")};
}

std::vector<std::string> files_of(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path().filename().string());
  std::ranges::sort(files);
  return files;
}

double rank_one_rate(const fs::path& run) {
  const auto metrics = nlohmann::json::parse(read(run / "metrics.json"));
  for (const auto& value : metrics.at("values"))
    if (value.at("row") == "fingerprint + knn" && value.at("column") == "seen in training") return value.at("value");
  ADD_FAILURE() << "no figure";
  return -1;
}

TEST(DistributedRun, OneProcessWritesTheOtherIsQuietAndTheResultIsThatOfOne) {
  const Workplace place;
  const Two two = run_by_two(place, "run " + small_profile());
  EXPECT_EQ(two.first, 0) << two.out << two.err;
  EXPECT_EQ(two.second, 0) << two.second_err;
  EXPECT_EQ(two.second_out + two.second_err, "");
  EXPECT_EQ(files_of(place.folder() / "runs").size(), 2U);  // the run and the store
  const fs::path run = only_run(place);
  EXPECT_TRUE(fs::exists(run / "report.html"));
  EXPECT_EQ(nlohmann::json::parse(read(run / "environment.json")).at("processes of the training"), "2");
  EXPECT_TRUE(fs::is_empty(place.folder() / "runs/.store/work"));
  const double rate = rank_one_rate(run);

  const Two again = run_by_two(place, "run " + small_profile());
  EXPECT_EQ(again.first + again.second, 0) << again.err << again.second_err;
  EXPECT_EQ(stages(run).at("train").made, 0);

  const auto alone = place.osteon("run " + small_profile() + " --runs alone");
  ASSERT_EQ(alone.code, 0) << alone.err;
  const fs::path other = place.folder() / "alone" / run.filename();
  EXPECT_EQ(stages(other).at("render").made, 0);
  EXPECT_EQ(stages(other).at("train").made, 1);  // another key: the last bits differ
  EXPECT_EQ(stages(other).at("train").reason, "training.ranks (2) was removed");
  EXPECT_NEAR(rank_one_rate(other), rate, 0.5);
}

TEST(DistributedRun, SaysWhichProcessWasKilledAndOneGoesOn) {
  const Workplace place;
  const Two two = run_by_two(place, "run " + small_profile(), "", "OSTEON_FAULT=batch:8");
  EXPECT_EQ(two.second, 128 + SIGKILL);
  EXPECT_EQ(two.first, 1);
  EXPECT_NE(two.err.find(") was lost: it was killed"), std::string::npos) << two.err;
  const auto alone = place.osteon("run " + small_profile());
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_NE(alone.out.find("went on after epoch 1 with 1 process where there had been 2"), std::string::npos)
      << alone.out;
}

TEST(DistributedRun, RefusesASweepAndAStoreThatIsNotShared) {
  const Workplace place;
  const Two sweep = run_by_two(place, "run " + small_profile() + " --set repeats=2");
  EXPECT_EQ(sweep.first, 2);
  EXPECT_EQ(sweep.second, 2);
  EXPECT_EQ(sweep.err,
            "2 processes were started for a sweep of 2 points: together they train one (--point K); without "
            "WORLD_SIZE and srun one process runs all\n");
  const Two apart = run_by_two(place, "run " + small_profile(), "", "OSTEON_STORE=elsewhere");
  EXPECT_EQ(apart.second, 2);
  EXPECT_EQ(apart.second_err,
            "rank 1 has another store than rank 0: elsewhere; all ranks need one folder that every machine sees "
            "(OSTEON_STORE)\n");
  EXPECT_EQ(apart.first, 1);
  EXPECT_NE(apart.err.find("ended: rank 1 has another store than rank 0"), std::string::npos) << apart.err;
}

}  // namespace
}  // namespace osteon::test
