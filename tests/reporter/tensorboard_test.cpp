// reporter/tensorboard: what it writes, read back by Google's protobuf and crcmod.

#include "python.hpp"
#include "reporters.hpp"

#include <osteon/png.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>

namespace osteon {
namespace {

using Json = nlohmann::json;

class TensorBoard : public ::testing::Test {
 protected:
  void SetUp() override {
    static const bool can_read = python_has("google.protobuf, crcmod.predefined");
    if (!can_read) GTEST_SKIP() << "/usr/bin/python3 lacks python3-protobuf or python3-crcmod";
    run_.title = "Quickstart";
    run_.folder = scratch_.path() / "runs/quickstart-3f9a1c";
  }

  void report(const std::vector<Event>& events) {
    for (const Event& event : events) reporter_->report(event);
  }
  std::filesystem::path folder() { return run_.folder / "tensorboard"; }
  Json read() { return read_by("read_tensorboard.py", folder()); }
  std::filesystem::path event_file() { return folder() / read()["files"].at(0).get<std::string>(); }

  /// All values but the version's event, in the file's order; each has its step.
  Json values() {
    Json all = Json::array();
    const Json file = read();
    for (const Json& event : file["events"])
      for (Json value : event["values"]) {
        value["step"] = event["step"];
        all.push_back(value);
      }
    return all;
  }

  Scratch scratch_;
  RunStarted run_;
  std::optional<host::ReporterHandle> reporter_ = make_reporter("tensorboard");
};

TEST_F(TensorBoard, HasTheVersionFirst) {
  report({run_});
  const Json all = read();
  ASSERT_EQ(all["files"].size(), 1U);
  EXPECT_TRUE(all["files"][0].get<std::string>().starts_with("events.out.tfevents.1"));
  ASSERT_EQ(all["events"].size(), 1U);
  EXPECT_EQ(all["events"][0]["version"], "brain.Event:2");
  EXPECT_GT(all["events"][0]["time"], 1.5e9);
  EXPECT_TRUE(all["maps"].empty());
}

TEST_F(TensorBoard, HasLearningCurvesAtWholeSteps) {
  report({run_, Scalar{"loss", 0.1, 0.75}, Scalar{"loss", 2, std::numeric_limits<double>::quiet_NaN()},
          Scalar{"AP/ML \xff", 300000, -1.5}});
  const Json all = values();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], Json({{"tag", "learning curves/loss"}, {"step", 10}, {"scalar", 0.75}, {"description", ""}}));
  EXPECT_EQ(all[1], Json({{"tag", "learning curves/loss"}, {"step", 200}, {"scalar", "nan"}, {"description", ""}}));
  EXPECT_EQ(all[2],
            Json({{"tag", "learning curves/AP|ML \ufffd"}, {"step", 30000000}, {"scalar", -1.5}, {"description", ""}}));
}

TEST_F(TensorBoard, TakesTheStepsOfAnEpochFromTheExperiment) {
  reporter_.emplace(make_reporter("tensorboard", {{"steps_per_epoch", std::int64_t{7}}}));
  report({run_, Scalar{"loss", 3.0 / 7, 1}});
  EXPECT_EQ(values().at(0)["step"], 3);
}

TEST_F(TensorBoard, HasATagForEachFigure) {
  MetricValue shape = figure("shape, RMS", "nearest", "3 bones", 0.8125, "mm");
  shape.larger_is_better = false;
  shape.count = 3;
  shape.counted = "bones";
  shape.interval = {0.5, 1.25};
  shape.note = "no better than length";
  MetricValue undefined = figure("identity", "print", "seen", std::numeric_limits<double>::quiet_NaN(), "%");
  report({run_, Results{{shape, undefined, figure("identity", "chance", "a/b", 25, "%", true),
                         figure("identity", "chance", "a|b", 50, "%")}}});
  const Json all = values();
  ASSERT_EQ(all.size(), 3U) << "undefined ones are left out";
  EXPECT_EQ(all[0]["tag"], "shape, RMS/nearest/3 bones");
  EXPECT_EQ(all[0]["scalar"], 0.8125);
  EXPECT_EQ(all[0]["step"], 0);
  EXPECT_EQ(all[0]["description"], "0.81 mm [0.5, 1.25]; 3 bones; smaller is better; no better than length");
  EXPECT_EQ(all[1]["tag"], "identity/chance/a|b");
  EXPECT_EQ(all[1]["description"], "25.0 %; larger is better; a trivial row or a bound");
  EXPECT_EQ(all[2]["tag"], "identity/chance/a|b-2") << "a name of its own";
}

TEST_F(TensorBoard, HasPicturesAsPng) {
  const at::Tensor grey = at::randint(256, {5, 3}, at::kByte), colour = at::randint(256, {2, 4, 3}, at::kByte);
  report({run_, Picture{"bones", "p01", grey}, Picture{"bones", "p01", colour}, Picture{"Grad-CAM", "p01", grey}});
  const Json all = values();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["tag"], "bones/p01");
  EXPECT_EQ(all[0]["image"], Json({5, 3, 1}));
  EXPECT_EQ(all[0]["png"], base64(encode_png(grey)));
  EXPECT_EQ(all[1]["tag"], "bones/p01-2");
  EXPECT_EQ(all[1]["image"], Json({2, 4, 3}));
  EXPECT_EQ(all[1]["png"], base64(encode_png(colour)));
  EXPECT_EQ(all[2]["tag"], "Grad-CAM/p01");
}

TEST_F(TensorBoard, StopsAtTheLargestNumberOfPicturesOfASection) {
  reporter_.emplace(make_reporter("tensorboard", {{"pictures", std::int64_t{2}}}));
  const at::Tensor grey = at::zeros({5, 3}, at::kByte);
  report({run_, Picture{"a", "1", grey}, Picture{"a", "2", grey}, Picture{"a", "3", grey}, Picture{"b", "1", grey}});
  const Json all = values();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2]["tag"], "b/1");
}

TEST_F(TensorBoard, HasMapsForTheProjector) {
  PicturedMap broken = map("PCA");
  broken.bones[1] = "p02\tright\n";
  broken.map.points[0][1] = std::numeric_limits<float>::infinity();
  report({run_, map("Fingerprint “t-SNE”"), broken});
  const Json maps = read()["maps"];
  ASSERT_EQ(maps.size(), 2U);
  EXPECT_EQ(maps[0]["tensor_name"], "Fingerprint “t-SNE”");
  EXPECT_EQ(maps[0]["tensor_path"], "maps/fingerprint-t-sne/tensors.tsv");
  EXPECT_EQ(maps[0]["tensors"], Json({{0.5, -1.25}, {3, 0.001}}));
  EXPECT_EQ(maps[0]["names"],
            Json({"bone", "role", "held out", "image", "pose", "axial", "tilt", "in-plane", "energy"}));
  EXPECT_EQ(maps[0]["rows"], Json({{"p01, left", "query", "true", "17", "3", "-21", "2.5", "10", "60"},
                                   {"p02", "training", "false", "4", "0", "0", "0", "0", "0"}}));
  EXPECT_EQ(maps[0]["sprite"]["single_image_dim"], Json({4, 4}));
  EXPECT_EQ(maps[0]["sprite_size"], Json({4, 8}));
  EXPECT_EQ(maps[1]["tensors"], Json::parse("[[3, 0.001]]")) << "points that are not finite are left out";
  EXPECT_EQ(maps[1]["rows"].at(0).at(0), "p02 right ");
  EXPECT_EQ(maps[1]["sprite_size"], Json({4, 4}));
}

TEST_F(TensorBoard, GivesEachMapAFolderOfItsOwn) {
  report({run_, map("PCA"), map("pca!"), map("PCA")});
  const Json maps = read()["maps"];
  ASSERT_EQ(maps.size(), 3U);
  EXPECT_EQ(maps[1]["tensor_path"], "maps/pca-2/tensors.tsv");
  EXPECT_EQ(maps[2]["tensor_path"], "maps/pca-3/tensors.tsv");
  EXPECT_EQ(maps[2]["tensor_name"], "PCA-2");
}

TEST_F(TensorBoard, RefusesAMapWhoseListsDiffer) {
  PicturedMap broken = map("PCA");
  broken.bones.pop_back();
  report({run_});
  try {
    reporter_->report(broken);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(
        e.what(),
        "reporter/tensorboard: map \"PCA\": for each of its 2 images there must be a point (float32 [n, 2]), a "
        "number, a thumbnail (uint8 [n, h, w]), a bone, a role and whether it was held out");
  }
}

TEST_F(TensorBoard, TheChecksumsNoticeEveryChangedByte) {
  report({run_, Scalar{"loss", 1, 0.75}, Picture{"bones", "p01", at::zeros({5, 3}, at::kByte)}});
  const Json changes = read_by("read_tensorboard.py", event_file(), "--corrupt");
  EXPECT_GT(changes["bytes"], 200);
  EXPECT_EQ(changes["noticed"], changes["bytes"]);
}

TEST_F(TensorBoard, AReaderRefusesACorruptFile) {
  report({run_, Scalar{"loss", 1, 0.75}});
  const std::filesystem::path file = event_file();
  std::string bytes = read_file(file);
  bytes[bytes.size() - 8] = static_cast<char>(bytes[bytes.size() - 8] + 1);  // of the last message
  write_file(file, bytes);
  const Answer answer = ask("read_tensorboard.py", folder());
  EXPECT_NE(answer.code, 0);
  EXPECT_NE(answer.words.find("the checksum of the message at byte "), std::string::npos) << answer.words;
}

TEST_F(TensorBoard, ALaterRunTakesTheEarliersPlaceAndLeavesOtherFiles) {
  report({run_, Scalar{"loss", 1, 0.75}, map("PCA"), RunFinished{"stopped", 1, ""}});
  const std::string foreign = "events.out.tfevents.1000000000.workstation.1";
  write_file(folder() / foreign, "");
  report({run_, Scalar{"loss", 1, 0.5}, RunFinished{"complete", 1, ""}});
  const Json all = values();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["scalar"], 0.5);
  EXPECT_EQ(read()["files"].size(), 2U);
  EXPECT_EQ(read()["files"][0], foreign);
  EXPECT_TRUE(read()["maps"].empty());
  EXPECT_FALSE(std::filesystem::exists(folder() / "maps"));
}

TEST_F(TensorBoard, EveryRecordIsThereAtOnce) {
  report({run_, Scalar{"loss", 1, 0.75}});
  EXPECT_EQ(values().size(), 1U) << "the run has not ended, nothing waits in a buffer";
}

TEST_F(TensorBoard, RefusesAFolderThatCannotBeWritten) {
  write_file(scratch_.path() / "runs", "a file");
  try {
    reporter_->report(run_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.cause(), Error::Cause::failure);
    EXPECT_EQ(std::string(e.what()), "reporter/tensorboard: " + folder().string() +
                                         ": cannot make the folder: Not a directory; the run's folder must be one that "
                                         "can be written");
  }
}

TEST_F(TensorBoard, AFullDiskLeavesWholeRecords) {
  report({run_, Scalar{"loss", 1, 0.75}});
  const std::filesystem::path file = event_file();
  const auto size = std::filesystem::file_size(file);
  // A limit on this process's files stands in for the disk.
  struct ::rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct ::rlimit small = before;
  small.rlim_cur = size + 10;
  ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string said;
  try {
    reporter_->report(Scalar{"loss", 2, 0.5});
  } catch (const Error& e) {
    said = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(said, "reporter/tensorboard: " + file.string() + ": cannot write: File too large");
  EXPECT_EQ(std::filesystem::file_size(file), size);
  report({Scalar{"loss", 3, 0.25}});
  EXPECT_EQ(values().size(), 2U) << "it goes on behind the last whole record";
}

TEST_F(TensorBoard, ReadsAllItsParameters) { EXPECT_TRUE(reporter_->parameters().unread().empty()); }

}  // namespace
}  // namespace osteon
