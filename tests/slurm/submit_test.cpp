// Submitting and asking, with stand-ins for Slurm's commands.

#include "place.hpp"

namespace osteon::test {
namespace {

/// Figures and a state as a point leaves them that is complete, made by the plugins of now.
void complete(const fs::path& folder) {
  std::ofstream(folder / "values.json") << "[]";
  std::ofstream(folder / "state.json") << R"({"status": "complete", "seconds": 2.0, "machine": "node1", "process": 7})";
}

void set_state(const fs::path& folder, const std::string& status, const std::string& job, const std::string& message) {
  std::ofstream(folder / "state.json") << nlohmann::json(
      {{"status", status}, {"seconds", 0}, {"message", message}, {"machine", "node1"}, {"process", 1}, {"job", job}});
}

TEST(SlurmSubmit, WritesAnArrayAndACollectingJobAndReturns) {
  const FakeSlurm place;
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 0.5, 1.0]");
  const auto outcome = place.osteon("run " + sweep + " --executor slurm --jobs 2 --set slurm.partition=bones");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const fs::path run = only_run(place);
  const std::string name = "runs/" + run.filename().string();
  EXPECT_EQ(outcome.out,
            " slurm      3 of 3 points to submit, 0 queued, 0 complete · " + name +
                "\n array      job 101, points 1-3\n collect    job 102, when they have ended\n status     osteon "
                "status " +
                name + "\n");
  EXPECT_EQ(read(place.folder() / "submitted.txt"), "--parsable " + run.string() +
                                                        "/slurm/points.sbatch\n--parsable --dependency=afterany:101 " +
                                                        run.string() + "/slurm/collect.sbatch\n");
  const std::string script = read(run / "slurm/points.sbatch");
  EXPECT_TRUE(script.starts_with(
      "#!/bin/bash\n# Points of a sweep, each a job of an array.\n#SBATCH --job-name=" + run.filename().string() +
      "\n#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --partition=bones\n#SBATCH --output=" + run.string() +
      "/%2a/output.txt\n#SBATCH --array=1-3%2\nexport OSTEON_STORE='" + (place.folder() / "runs/.store").string() +
      "'\n"))
      << script;
  EXPECT_TRUE(has(script, "/bin/osteon' run '" + run.string() + "' --point \"$SLURM_ARRAY_TASK_ID\"\n")) << script;
  EXPECT_FALSE(fs::exists(run / "01/state.json")) << "nothing ran";
}

TEST(SlurmSubmit, LeavesOutWhatIsCompleteAndWhatIsQueued) {
  const FakeSlurm place;
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]");
  ASSERT_EQ(place.osteon("run " + sweep + " --executor slurm").code, 0);
  const fs::path run = only_run(place);
  // Point 2 is complete, as the plugins are now; point 6 was, with another build of one.
  const auto alone = place.osteon("run " + sweep + " --point 2");
  ASSERT_EQ(alone.code, 0) << alone.err;
  fs::copy_file(run / "02/environment.json", run / "06/environment.json");
  complete(run / "06");
  auto facts = nlohmann::json::parse(read(run / "06/environment.json"));
  facts["plugin loss/triplet"] = "0.1.0, build of yesterday";
  std::ofstream(run / "06/environment.json") << facts;
  place.queue("101|3|RUNNING|node1|None\n101|4|PENDING||Resources\n101|5|FAILED|node1|NonZeroExitCode\n");
  const auto outcome = place.osteon("run " + sweep + " --executor slurm");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with(" slurm      3 of 6 points to submit, 2 queued, 1 complete")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, " array      job 103, points 1,5-6\n")) << outcome.out;
  EXPECT_TRUE(has(read(place.folder() / "submitted.txt"), "--dependency=afterany:101:103 ")) << "waits for both arrays";
  EXPECT_FALSE(fs::exists(run / "06/values.json")) << "figures of another build";
}

TEST(SlurmSubmit, SplitsASweepThatIsLargerThanTheClustersArrays) {
  const FakeSlurm place;
  place.command("scontrol", "echo 'MaxArraySize            = 11'");
  const std::string sweep =
      sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = {from = 0.1, to = 1.0}\npoints = 12");
  const auto outcome = place.osteon("run " + sweep + " --executor slurm --jobs 3");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, " array      job 101, points 1-9\n array      job 102, points 10-12\n")) << outcome.out;
  const fs::path run = only_run(place);
  EXPECT_TRUE(has(read(run / "slurm/points-2.sbatch"), run.string() + "/1%1a/output.txt\n#SBATCH --array=0-2%3\n"));
  EXPECT_TRUE(has(read(run / "slurm/points-2.sbatch"), " --point \"$((SLURM_ARRAY_TASK_ID + 10))\"\n"));
  EXPECT_EQ(read(place.folder() / "submitted.txt"),
            "--parsable " + run.string() + "/slurm/points-1.sbatch\n--parsable --dependency=afterany:101 " +
                run.string() + "/slurm/points-2.sbatch\n--parsable --dependency=afterany:101:102 " + run.string() +
                "/slurm/collect.sbatch\n")
      << "one array after the other keeps to three jobs at once";
}

TEST(SlurmSubmit, SaysWhySbatchRefusedAndWhereItIsMissing) {
  const FakeSlurm place;
  place.command("sbatch", "echo 'sbatch: error: invalid partition specified: bone' >&2; exit 1");
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 1.0]");
  const auto refused = place.osteon("run " + sweep + " --executor slurm");
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.err,
            "sbatch refused " + only_run(place).string() +
                "/slurm/points.sbatch (exit code 1):\nsbatch: error: invalid partition specified: bone\nWhat jobs "
                "ask for is in [slurm] of the experiment; see `osteon describe slurm`.\n");
  const auto missing = place.Workplace::osteon("run " + sweep + " --executor slurm", "PATH=/nowhere");
  EXPECT_EQ(missing.code, 2);
  EXPECT_EQ(
      missing.err,
      "--executor slurm: there is no sbatch on the PATH; submit from a machine of the cluster, or run here without "
      "--executor slurm\n");
  EXPECT_EQ(place.osteon("run " + sweep + " --executor slurm --point 1").err,
            "--executor slurm submits all points; leave out --point\n");
  EXPECT_EQ(place.osteon("run " + only_run(place).string()).code, 2) << "a sweep's folder needs --point";
}

TEST(SlurmSubmit, WhereARunRunsIsNoPartOfIt) {
  const FakeSlurm place;
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 1.0]");
  ASSERT_EQ(place.osteon("run " + sweep + " --executor slurm").code, 0);
  ASSERT_EQ(place.osteon("run " + sweep + " --executor slurm --set slurm.partition=other --memory 3").code, 0);
  const fs::path run = only_run(place);
  EXPECT_EQ(std::distance(fs::directory_iterator(run.parent_path()), {}), 1) << "the same folder";
  EXPECT_TRUE(has(read(run / "slurm/points.sbatch"), "#SBATCH --partition=other\n#SBATCH --mem=2862M\n"));
  const auto swept = sweep_of(place.folder(), "wrong.toml", "\"slurm.partition\" = [\"one\", \"other\"]");
  const auto outcome = place.osteon("check " + swept);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(
      has(outcome.err, "sweep: slurm.partition cannot be swept: [slurm] says how a run runs, not what comes out"))
      << outcome.err;
}

TEST(SlurmStatus, TellsWhatBecameOfEachPoint) {
  const FakeSlurm place;
  const std::string sweep =
      sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]");
  ASSERT_EQ(place.osteon("run " + sweep + " --executor slurm").code, 0);
  const fs::path run = only_run(place);
  complete(run / "01");
  set_state(run / "02", "running", "101_2", "");
  set_state(run / "03", "running", "101_3", "");
  set_state(run / "04", "stopped", "101_4", "stopped; nothing is lost");
  set_state(run / "05", "failed", "101_5", "no bone in volume 3");
  set_state(run / "06", "running", "101_6", "");
  std::ofstream(run / "03/output.txt") << "train epoch 2\nslurmstepd: error: out of memory\n";
  place.queue(
      "101|2|RUNNING|node2|None\n101|4|TIMEOUT|node4|TimeLimit\n101|5|FAILED|node5|NonZeroExitCode\n"
      "101|6|PENDING||BeginTime\n101|7|PENDING||Resources\n");
  place.command("sacct", "printf '101_3|OUT_OF_MEMORY|node3\\n101_8|CANCELLED by 1000|None assigned\\n'");
  const auto status = place.osteon("status " + run.string());
  ASSERT_EQ(status.code, 0) << status.err;
  const std::string again = "; the same command submits it again, and it goes on where it was\n";
  const auto line = [](const std::string& word, const std::string& took, const std::string& point) {
    char head[64];
    std::snprintf(head, sizeof head, " %-12s%10s   ", word.c_str(), took.c_str());
    return head + ("loss.margin = 0." + point + " (point " + point + " of 8)\n");
  };
  EXPECT_EQ(status.out, line("complete", "2.0 s", "1") +  //
                            line("running", "", "2") + "      job 101_2 runs on node2\n" + line("failed", "", "3") +
                            "      job 101_3 ran out of memory on node3: see slurm.memory" + again +
                            "      train epoch 2\n      slurmstepd: error: out of memory\n" +
                            line("interrupted", "", "4") + "      job 101_4 ran out of time on node4: see slurm.time" +
                            again + line("failed", "", "5") + "      no bone in volume 3\n" +  //
                            line("waiting", "", "6") + "      job 101_6 waits: BeginTime\n" + line("waiting", "", "7") +
                            "      job 101_7 waits: Resources\n" + line("interrupted", "", "8") +
                            "      job 101_8 was cancelled" + again +
                            " 1 complete, 2 failed, 2 interrupted, 1 running, 2 waiting\n");
}

TEST(SlurmStatus, WorksWithoutSlurmsCommands) {
  const FakeSlurm place;
  const std::string sweep = sweep_of(place.folder(), "sweep.toml", "\"loss.margin\" = [0.1, 0.2, 0.3]");
  ASSERT_EQ(place.osteon("run " + sweep + " --executor slurm").code, 0);
  const fs::path run = only_run(place);
  complete(run / "01");
  set_state(run / "02", "running", "101_2", "");
  const auto blind = place.Workplace::osteon("status " + run.string(), "PATH=/nowhere");
  EXPECT_EQ(blind.code, 0) << blind.err;
  EXPECT_TRUE(has(blind.out, "job 101_2, of which Slurm says nothing: there is no squeue here\n")) << blind.out;
  EXPECT_TRUE(has(blind.out, " 1 complete, 1 running, 1 waiting\n")) << blind.out;
  place.command("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
  const auto silent = place.osteon("status " + run.string());
  EXPECT_TRUE(has(silent.out, "says nothing: slurm_load_jobs error: Unable to contact slurm controller\n"))
      << silent.out;
  place.command("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  const auto forgotten = place.osteon("status " + run.string());
  EXPECT_TRUE(has(forgotten.out, "Slurm no longer knows its job 101_2; the same command submits it again"))
      << forgotten.out;
  EXPECT_TRUE(has(forgotten.out, " 1 complete, 2 interrupted\n")) << forgotten.out;
}

}  // namespace
}  // namespace osteon::test
