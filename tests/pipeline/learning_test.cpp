// Transfer learning as a user runs it: a class layer on features, weights out of one run and into another.

#include "command.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

const std::string kClasses =
    " --set loss.plugin=softmax --set head.pairs=0 --set training.sampling=images --set training.batch_size=6 --set "
    "training.epochs=12"
    " --set metric.classification.plugin=classification";

double figure(const fs::path& run, const std::string& row, const std::string& column) {
  const auto metrics = nlohmann::json::parse(read(run / "metrics.json"));
  for (const auto& value : metrics.at("values"))
    if (value.at("row") == row && value.at("column") == column) return value.at("value");
  ADD_FAILURE() << "no figure " << row << " / " << column;
  return -1;
}

TEST(Learning, AClassLayerIsTrainedStoredAndScored) {
  const Workplace place;
  const auto first = place.osteon("run " + small_profile() + kClasses);
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  const double accuracy = figure(only_run(place), "class layer", "validation images");
  EXPECT_GT(accuracy, 60);  // chance: 33
  EXPECT_GE(figure(only_run(place), "class layer", "another scan"), 0);
  EXPECT_NEAR(figure(only_run(place), "chance", "another scan"), 100.0 / 3, 1e-6);
  EXPECT_GT(stages(only_run(place)).at("grad_cam").made, 0);
  // Evaluated anew, from the class layer that was stored.
  const auto again = place.osteon("run " + small_profile() + kClasses + " --set classifier.knn.k=3 --runs other");
  ASSERT_EQ(again.code, 0) << again.out << again.err;
  fs::path other;
  for (const auto& entry : fs::directory_iterator(place.folder() / "other")) other = entry.path();
  EXPECT_EQ(stages(other).at("train").made, 0);
  EXPECT_EQ(figure(other, "class layer", "validation images"), accuracy);
}

TEST(Learning, WeightsOfOneRunStartAnother) {
  const Workplace place;
  ASSERT_EQ(place.osteon("run " + small_profile()).code, 0);
  const std::string run = only_run(place).string();
  const auto exported = place.osteon("weights export " + run + " --out weights/trained.safetensors");
  ASSERT_EQ(exported.code, 0) << exported.out << exported.err;
  const std::string transfer =
      small_profile() + kClasses +
      " --set weights.path=weights/trained.safetensors --set 'training.frozen=[\"backbone\"]' --runs other";
  const auto outcome = place.osteon("run " + transfer);
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  fs::path other;
  for (const auto& entry : fs::directory_iterator(place.folder() / "other")) other = entry.path();
  EXPECT_EQ(stages(other).at("render").made, 0);
  // A frozen backbone gives the same features before and after training.
  EXPECT_EQ(figure(other, "given weights, untrained + knn", "seen in training"),
            figure(other, "fingerprint + knn", "seen in training"));
  const auto wrong = place.osteon("run " + transfer + " --set backbone.width=0.25");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("trained.safetensors"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace osteon::test
