#include <osteon/classifier.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

/// Bone 7 with its mean at (0, 0), bone 3 with its mean at (4, 0).
std::unique_ptr<Classifier> fitted(double unknown_beyond) {
  auto classifier = PluginLibrary("classifier", PLUGIN_LIBRARY).make<Classifier>({{"unknown_beyond", unknown_beyond}});
  classifier->fit(at::tensor({-1.0F, 0.0F, 1.0F, 0.0F, 4.0F, 0.0F}).view({3, 2}), at::tensor({7, 7, 3}, at::kLong));
  return classifier;
}

TEST(PluginName, AnswersWithTheNearestMeanAndMinusItsDistance) {
  const Prediction answer = fitted(0)->predict(at::tensor({1.5F, 0.0F, 4.0F, 3.0F}).view({2, 2}));
  EXPECT_TRUE(answer.labels.equal(at::tensor({7, 3}, at::kLong)));
  EXPECT_TRUE(at::allclose(answer.scores, at::tensor({-1.5F, -3.0F})));
}

TEST(PluginName, SaysUnknownBeyondTheDistanceThatIsSet) {
  const Prediction answer = fitted(2)->predict(at::tensor({1.5F, 0.0F, 4.0F, 3.0F}).view({2, 2}));
  EXPECT_TRUE(answer.labels.equal(at::tensor({7, -1}, at::kLong)));
}

TEST(PluginName, RefusesQueriesOfAnotherSize) { EXPECT_THROW((void)fitted(0)->predict(at::zeros({1, 3})), Error); }

}  // namespace
}  // namespace osteon
