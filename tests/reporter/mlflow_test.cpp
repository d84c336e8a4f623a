// reporter/mlflow: the store that it writes, read back by the rules of MLflow's file store.

#include "python.hpp"
#include "reporters.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class MlFlow : public ::testing::Test {
 protected:
  void SetUp() override {
    static const bool can_read = python_has("yaml");
    if (!can_read) GTEST_SKIP() << "/usr/bin/python3 lacks python3-yaml";
    run_.title = "Quickstart";
    run_.folder = scratch_.path() / "my runs/quickstart-3f9a1c";
    run_.plan = "12 bones";
    run_.command = "osteon run quickstart.toml";
    run_.environment = {{"LibTorch", "1.13.1"}, {"plugin loss/triplet", "0.1.0"}};
    run_.experiment = "title = \"Quickstart\"\n\n[loss]\nplugin = \"triplet\"\nmargin = 0.1\n";
  }

  void report(const std::vector<Event>& events) {
    for (const Event& event : events) reporter_->report(event);
  }
  fs::path root() { return scratch_.path() / "mlruns"; }
  Json read() { return read_by("read_mlruns.py", root()); }
  /// The only run of an experiment.
  Json only_run(const std::string& experiment = "Quickstart") {
    const Json all = read();
    EXPECT_TRUE(all.contains(experiment) && all[experiment]["runs"].size() == 1U) << all.dump(1);
    return all[experiment]["runs"].begin().value();
  }
  std::string refusal(const Event& event) {
    try {
      reporter_->report(event);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  Scratch scratch_;
  RunStarted run_;
  std::optional<host::ReporterHandle> reporter_ = make_reporter("mlflow");
};

TEST_F(MlFlow, HasARunBesideTheFolderOfAllRuns) {
  report({run_});
  const Json all = read();
  EXPECT_EQ(all.size(), 2U) << "MLflow's own first experiment too";
  EXPECT_TRUE(all["Default"]["runs"].empty());
  EXPECT_EQ(all["Default"]["id"], "0");
  const Json run = only_run();
  EXPECT_EQ(run["name"], "quickstart-3f9a1c");
  EXPECT_EQ(run["status"], "RUNNING");
  EXPECT_EQ(run["stage"], "active");
  EXPECT_EQ(run["ended"], false);
  EXPECT_EQ(run["artifacts"], Json({"experiment.toml"}));
  EXPECT_TRUE(all["Quickstart"]["others"].empty()) << "nothing unfinished lies about";
}

TEST_F(MlFlow, FlattensTheResolvedExperimentIntoParameters) {
  run_.experiment = R"(title = "Größe \"A\""
repeats = 3
[views]
grid = true
range = [-20, 20.5]
names = ["a", "b"]
[loss]
plugin = "triplet"
margin = 0.1
[classifier.knn]
k = 1
["odd / name"]
"a,b" = "x"
"a;b" = "y"
long = ")" + std::string(7000, 'x') +
                    "\"\n";
  report({run_});
  const Json parameters = only_run()["params"];
  EXPECT_EQ(parameters["title"], "Größe \"A\"");
  EXPECT_EQ(parameters["repeats"], "3");
  EXPECT_EQ(parameters["views.grid"], "true");
  EXPECT_EQ(parameters["views.range"], "[-20, 20.5]");
  EXPECT_EQ(parameters["views.names"], "[\"a\", \"b\"]");
  EXPECT_EQ(parameters["loss.margin"], "0.1");
  EXPECT_EQ(parameters["classifier.knn.k"], "1");
  EXPECT_EQ(parameters["odd name.a b"], "x");
  EXPECT_EQ(parameters["odd name.a b-2"], "y");
  EXPECT_EQ(parameters["odd name.long"], std::string(6000, 'x'));
  EXPECT_EQ(parameters.size(), 11U);
}

TEST_F(MlFlow, KeepsCurvesWithStepsAndFiguresUnderAllowedNames) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  report({run_, Scalar{"triplet accuracy (validation)", 1, 0.875}, Scalar{"triplet accuracy (validation)", 1.5, nan},
          Scalar{"identity, rank-1", 1, 2},
          Results{{figure("identity, rank-1", "fingerprint + knn", "4° / seen", 62.5, "%"),
                   figure("identity, rank-1", "fingerprint & knn", "4° / seen", 50, "%"),
                   figure("identity, rank-1", "undefined", "seen", nan, "%"), figure("curves", "..", "°", 1e-300, ""),
                   figure("t", std::string(300, 'r'), "c", 7, "")}}});
  const Json metrics = only_run()["metrics"];
  EXPECT_EQ(metrics["curves/triplet accuracy validation"], Json::parse(R"([[0.875, 100], ["nan", 150]])"));
  EXPECT_EQ(metrics["curves/identity rank-1"], Json::parse("[[2, 100]]"));
  EXPECT_EQ(metrics["identity rank-1/fingerprint knn/4 seen"], Json::parse("[[62.5, 0]]"));
  EXPECT_EQ(metrics["identity rank-1/fingerprint knn-2/4 seen"], Json::parse("[[50, 0]]"));
  EXPECT_EQ(metrics["curves/unnamed/unnamed"], Json::parse("[[1e-300, 0]]"));
  EXPECT_EQ(metrics["t/" + std::string(76, 'r') + "/c"], Json::parse("[[7, 0]]"));
  EXPECT_EQ(metrics.size(), 6U);
}

TEST_F(MlFlow, NoMetricIsAFolderOfAnother) {
  report({run_, Scalar{"identity", 1, 1},
          Results{{figure("curves", "identity", "seen", 2, "%"), figure("curves", "identity", "", 3, "%")}}});
  const Json metrics = only_run()["metrics"];
  EXPECT_EQ(metrics["curves/identity"], Json::parse("[[1, 100]]"));
  EXPECT_EQ(metrics["curves/identity-2/seen"], Json::parse("[[2, 0]]"));
  EXPECT_EQ(metrics["curves/identity-2/unnamed"], Json::parse("[[3, 0]]"));
}

TEST_F(MlFlow, TakesTheStepsOfAnEpochFromTheExperiment) {
  reporter_.emplace(make_reporter("mlflow", {{"steps_per_epoch", std::int64_t{7}}}));
  report({run_, Scalar{"loss", 3.0 / 7, 1}, StageFinished{"train", 1, 1, 0, "", ""}});
  EXPECT_EQ(only_run()["metrics"]["curves/loss"], Json::parse("[[1, 3]]"));
}

TEST_F(MlFlow, KeepsPicturesAsArtefacts) {
  const at::Tensor grey = at::full({5, 3}, 90, at::kByte);
  report({run_, Picture{"X-rays", "p01, 4° / 60 keV", grey}, Picture{"X-rays", "../../p01", grey}});
  EXPECT_EQ(only_run()["artifacts"],
            Json({"experiment.toml", "pictures/X-rays/001 p01 4 60 keV.png", "pictures/X-rays/002 .. .. p01.png"}));
  EXPECT_EQ(read_file(root() / read()["Quickstart"]["id"].get<std::string>() /
                      read()["Quickstart"]["runs"].begin().key() / "artifacts/experiment.toml"),
            run_.experiment);
}

TEST_F(MlFlow, TagsSayWhatRanAndHowItEnded) {
  report({run_, RunFinished{"complete", 72.5, ""}});
  const Json run = only_run();
  EXPECT_EQ(run["status"], "FINISHED");
  EXPECT_EQ(run["ended"], true);
  const fs::path folder = fs::canonical(scratch_.path()) / "my runs/quickstart-3f9a1c";
  EXPECT_EQ(run["tags"], Json({{"mlflow.runName", "quickstart-3f9a1c"},
                               {"mlflow.source.name", "osteon run quickstart.toml"},
                               {"mlflow.source.type", "LOCAL"},
                               {"mlflow.note.content", "12 bones"},
                               {"osteon.command", "osteon run quickstart.toml"},
                               {"osteon.folder", folder.string()},
                               {"osteon.plan", "12 bones"},
                               {"osteon.title", "Quickstart"},
                               {"osteon.status", "complete"},
                               {"environment.LibTorch", "1.13.1"},
                               {"environment.plugin loss triplet", "0.1.0"}}));
}

TEST_F(MlFlow, TellsStoppedRunsFromFailedOnes) {
  report({run_, RunFinished{"stopped", 1, "go on with: osteon run a.toml"}});
  EXPECT_EQ(only_run()["status"], "KILLED");
  EXPECT_EQ(only_run()["tags"]["osteon.message"], "go on with: osteon run a.toml");
  report({run_, RunFinished{"failed", 1, "disk full"}});
  EXPECT_EQ(only_run()["status"], "FAILED");
}

TEST_F(MlFlow, ALaterRunInAFolderTakesTheEarliersPlace) {
  report({run_, Scalar{"loss", 1, 0.5}, Scalar{"accuracy", 1, 0.5},
          Picture{"bones", "p01", at::zeros({5, 3}, at::kByte)}, RunFinished{"stopped", 1, "go on"}});
  const std::string id = read()["Quickstart"]["runs"].begin().key();
  report({run_, Scalar{"loss", 1, 0.25}, RunFinished{"complete", 1, ""}});
  const Json run = only_run();
  EXPECT_EQ(read()["Quickstart"]["runs"].begin().key(), id);
  EXPECT_EQ(run["metrics"], Json({{"curves/loss", Json::parse("[[0.25, 100]]")}}));
  EXPECT_EQ(run["status"], "FINISHED");
  EXPECT_EQ(run["artifacts"], Json({"experiment.toml"}));
  EXPECT_FALSE(run["tags"].contains("osteon.message"));
}

TEST_F(MlFlow, LeavesOtherRunsAlone) {
  const fs::path place = fs::path("elsewhere") / run_.folder.filename();
  reporter_.emplace(make_reporter("mlflow", {{"folder", root().string()}}));
  report({run_, Scalar{"loss", 1, 0.5}, RunFinished{"complete", 1, ""}});
  RunStarted other = run_;
  other.folder = scratch_.path() / place;  // of the same name
  report({other, Scalar{"loss", 1, 0.25}, RunFinished{"complete", 1, ""}});
  const Json runs = read()["Quickstart"]["runs"];
  ASSERT_EQ(runs.size(), 2U);
  double sum = 0;
  for (const Json& run : runs) sum += run["metrics"]["curves/loss"][0][0].get<double>();
  EXPECT_EQ(sum, 0.75);
}

TEST_F(MlFlow, PointsOfASweepAreNestedRuns) {
  const fs::path sweep = run_.folder;
  for (const char* number : {"01", "02"}) {
    RunStarted point = run_;
    point.folder = sweep / number;
    point.point = text("loss.margin = 0.1 (point ", number, " of 2)");
    report({point, RunFinished{"complete", 1, ""}});
  }
  report({run_, RunFinished{"complete", 1, ""}});
  const Json runs = read()["Quickstart"]["runs"];
  ASSERT_EQ(runs.size(), 3U);
  std::map<std::string, Json> by_name;
  std::string parent;
  for (const auto& [id, run] : runs.items()) {
    by_name[run["name"]] = run["tags"];
    if (run["name"] == "quickstart-3f9a1c") parent = id;
  }
  EXPECT_EQ(by_name.at("quickstart-3f9a1c/01")["mlflow.parentRunId"], parent);
  EXPECT_EQ(by_name.at("quickstart-3f9a1c/02")["mlflow.parentRunId"], parent);
  EXPECT_EQ(by_name.at("quickstart-3f9a1c/02")["osteon.point"], "loss.margin = 0.1 (point 02 of 2)");
  EXPECT_FALSE(by_name.at("quickstart-3f9a1c").contains("mlflow.parentRunId"));
}

TEST_F(MlFlow, GoesIntoTheExperimentThatMlflowMade) {
  fs::create_directories(root() / "814159265358979323");
  write_file(root() / "814159265358979323/meta.yaml",
             text("artifact_location: file://", fs::canonical(root()).string(),
                  "/814159265358979323\ncreation_time: 1700000000000\nexperiment_id: '814159265358979323'\n"
                  "last_update_time: 1700000000000\nlifecycle_stage: active\nname: Margins\n"));
  reporter_.emplace(make_reporter("mlflow", {{"experiment", std::string("Margins")}}));
  report({run_});
  EXPECT_EQ(only_run("Margins")["status"], "RUNNING");
  EXPECT_EQ(read().size(), 1U);
}

TEST_F(MlFlow, RefusesAnExperimentThatWasDeletedInMlflow) {
  report({run_});
  const std::string id = read()["Quickstart"]["id"];
  fs::create_directories(root() / ".trash");
  fs::rename(root() / id, root() / ".trash" / id);
  EXPECT_EQ(refusal(run_), "reporter/mlflow: " + fs::canonical(root()).string() +
                               ": the experiment \"Quickstart\" was deleted in MLflow; restore it (mlflow experiments "
                               "restore --experiment-id " +
                               id + "), or give another name: reporter.mlflow.experiment");
}

TEST_F(MlFlow, RefusesAnExperimentThatWasRenamedInMlflow) {
  report({run_});
  const fs::path meta = root() / read()["Quickstart"]["id"].get<std::string>() / "meta.yaml";
  std::string words = read_file(meta);
  words.replace(words.find("Quickstart"), 10, "First try!");
  write_file(meta, words);
  EXPECT_EQ(refusal(run_), "reporter/mlflow: " + fs::canonical(meta.parent_path()).string() +
                               ": the experiment of this number is no longer called \"Quickstart\"; give its new name: "
                               "reporter.mlflow.experiment");
}

TEST_F(MlFlow, AKilledRunLeavesNothingThatLooksFinished) {
  report({run_, Scalar{"loss", 1, 0.5}});  // never ends
  const Json run = only_run();
  EXPECT_EQ(run["status"], "RUNNING");
  const fs::path folder = root() / read()["Quickstart"]["id"].get<std::string>();
  const std::string id = read()["Quickstart"]["runs"].begin().key();
  // As a kill leaves it while the run is being made.
  fs::rename(folder / id, folder / (id + ".partial"));
  fs::remove(folder / (id + ".partial") / "meta.yaml");
  EXPECT_TRUE(read()["Quickstart"]["runs"].empty());
  report({run_, RunFinished{"complete", 1, ""}});
  EXPECT_EQ(only_run()["status"], "FINISHED");
  EXPECT_TRUE(read()["Quickstart"]["others"].empty());
}

TEST_F(MlFlow, RefusesAFolderThatCannotBeWritten) {
  write_file(scratch_.path() / "taken", "a file");
  reporter_.emplace(make_reporter("mlflow", {{"folder", (scratch_.path() / "taken/mlruns").string()}}));
  EXPECT_EQ(refusal(run_), "reporter/mlflow: " + (fs::canonical(scratch_.path()) / "taken/mlruns").string() +
                               ": cannot make the folder: Not a directory; reporter.mlflow.folder names another place");
}

TEST_F(MlFlow, ReadsAllItsParameters) { EXPECT_TRUE(reporter_->parameters().unread().empty()); }

}  // namespace
}  // namespace osteon
