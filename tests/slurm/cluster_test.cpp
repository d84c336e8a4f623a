// A sweep through a Slurm of one node on loopback, which the script `cluster` starts: the figures are those of a local
// run, also when the node dies on the way.

#include "place.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace osteon::test {
namespace {

class SlurmCluster : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    home_ = std::make_unique<Workplace>();
    const auto start = cluster("start");
    if (start.code != 0) reason_ = start.err;
  }
  static void TearDownTestSuite() {
    (void)cluster("stop");
    home_.reset();
  }
  void SetUp() override {
    if (!reason_.empty()) GTEST_SKIP() << reason_;
  }

  static Workplace::Outcome cluster(const std::string& verb) {
    return home_->shell(std::string(OSTEON_SOURCE_DIR) + "/tests/slurm/cluster " + verb + " '" +
                        home_->folder().string() + "/slurm'");
  }

  /// For a command line: which cluster.
  static std::string here() { return "SLURM_CONF='" + home_->folder().string() + "/slurm/slurm.conf'"; }

  /// Asks until `is_so`; false after so many seconds.
  static bool wait_until(const std::function<bool()>& is_so, int seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return true;
  }

  static bool is(const fs::path& folder, const std::string& status) {
    return fs::exists(folder / "state.json") && state(folder).at("status") == status;
  }

 private:
  static std::unique_ptr<Workplace> home_;
  static std::string reason_;  ///< why there is no cluster
};

std::unique_ptr<Workplace> SlurmCluster::home_;
std::string SlurmCluster::reason_;

TEST_F(SlurmCluster, ANodeThatDiesInTheMiddleOfAnArrayChangesNoFigure) {
  const Workplace place;
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 0.5, 1.0]");
  const auto local = place.osteon("run " + sweep + " --runs local", "OSTEON_STORE=store-local");
  ASSERT_EQ(local.code, 0) << local.out << local.err;

  const auto submitted = place.osteon("run " + sweep + " --runs 'on slurm' --executor slurm --jobs 1",
                                      here() + " OSTEON_STORE=store-slurm");
  ASSERT_EQ(submitted.code, 0) << submitted.out << submitted.err;
  EXPECT_TRUE(has(submitted.out, " array      job 1, points 1-3\n collect    job 2,")) << submitted.out;
  std::ofstream(place.folder() / "sweep.toml") << "title = \"Something else meanwhile\"\n";
  const fs::path run = only_folder(place.folder() / "on slurm");
  ASSERT_TRUE(wait_until([&] { return fs::exists(run / "02/state.json"); }, 60)) << read(run / "01/output.txt");
  EXPECT_EQ(state(run / "02").at("job"), "1_2");
  const auto during = place.osteon("status '" + run.string() + "'", here());
  EXPECT_TRUE(has(during.out, "job 1_2 runs on ")) << during.out;
  EXPECT_TRUE(has(during.out, "job 1_3 waits: JobArrayTaskLimit")) << during.out;

  ASSERT_EQ(cluster("kill-node").code, 0);
  ASSERT_TRUE(is(run / "02", "running")) << "killed before it could say so";
  EXPECT_FALSE(fs::exists(run / "02/values.json"));
  ASSERT_EQ(cluster("start-node").code, 0);
  ASSERT_TRUE(wait_until([&] { return is(run, "complete"); }, 120))
      << place.osteon("status '" + run.string() + "'", here()).out << read(run / "slurm/collect.txt");

  const fs::path reference = only_folder(place.folder() / "local");
  EXPECT_EQ(run.filename(), reference.filename()) << "the same run, wherever it runs";
  for (const char* point : {"01", "02", "03"})
    EXPECT_EQ(read(run / point / "values.json"), read(reference / point / "values.json")) << point;
  EXPECT_EQ(read(run / "table.csv"), read(reference / "table.csv"));
  EXPECT_GT(read(run / "table.csv").size(), 1000U);
  EXPECT_TRUE(fs::exists(run / "metrics.json"));
  const std::string twice = read(run / "02/output.txt");
  EXPECT_NE(twice.find(" plan "), twice.rfind(" plan ")) << "the second attempt goes on in the same file:\n" << twice;
  const auto after = place.osteon("status '" + run.string() + "'", here());
  EXPECT_TRUE(has(after.out, "\n 3 complete\n")) << after.out;
  const auto collected = place.osteon("collect '" + run.string() + "'");
  EXPECT_EQ(collected.code, 0) << collected.err;
}

TEST_F(SlurmCluster, PointsWaitAreCancelledAndSubmittedAgain) {
  const Workplace place;
  const std::string sweep =
      sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = {from = 0.1, to = 1.0}\npoints = 12") +
      " --executor slurm --set 'slurm.options=[\"--hold\", \"--comment=two words\"]' --set slurm.time=0.2"
      " --set slurm.cores=2 --set slurm.memory=0.5";
  const auto submitted = place.osteon("run " + sweep, here());
  ASSERT_EQ(submitted.code, 0) << submitted.out << submitted.err;
  EXPECT_TRUE(has(submitted.out, ", points 1-9\n")) << submitted.out;
  EXPECT_TRUE(has(submitted.out, ", points 10-12\n")) << "the cluster's arrays end at 10: " << submitted.out;
  const fs::path run = only_run(place);
  const auto list = nlohmann::json::parse(read(run / "slurm.json"));
  const std::string first = list.at(0).at("job"), second = list.at(1).at("job");
  const auto words = [&](const std::string& job) {
    const std::string all = place.shell(here() + " squeue --noheader --format='%l %C %m %k' --jobs=" + job).out;
    return all.substr(0, all.find('\n'));
  };
  EXPECT_EQ(words(first), "12:00 2 477M two words");

  const auto waiting = place.osteon("status " + run.string(), here());
  EXPECT_TRUE(has(waiting.out, "(point 11 of 12)\n      job " + second + "_1 waits: JobHeldUser\n")) << waiting.out;
  EXPECT_TRUE(has(waiting.out, " 12 waiting\n")) << waiting.out;
  ASSERT_EQ(place.shell(here() + " scancel " + second + "_1").code, 0);
  const auto cancelled = place.osteon("status " + run.string(), here());
  // A cluster without accounts keeps nothing of a task that was cancelled before its turn.
  EXPECT_TRUE(has(cancelled.out, "Slurm no longer knows its job " + second + "_1; the same command submits it again"))
      << cancelled.out;
  const auto again = place.osteon("run " + sweep, here());
  EXPECT_TRUE(again.out.starts_with(" slurm      1 of 12 points to submit, 11 queued, 0 complete"))
      << again.out << again.err;
  EXPECT_TRUE(has(again.out, ", points 11\n")) << again.out;
  EXPECT_EQ(place.shell(here() + " scancel --user=$(id -un)").code, 0);
  EXPECT_FALSE(fs::exists(run / "11/output.txt")) << "nothing has run";
}

TEST_F(SlurmCluster, RefusesWhatTheClusterDoesNotHave) {
  const Workplace place;
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 1.0]");
  const auto outcome = place.osteon("run " + sweep + " --executor slurm --set slurm.partition=bone", here());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(
      has(outcome.err, "/slurm/points.sbatch (exit code 1):\nsbatch: error: invalid partition specified: bone\n"))
      << outcome.err;
}

}  // namespace
}  // namespace osteon::test
