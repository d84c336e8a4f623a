#include <osteon/loss.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

std::unique_ptr<Loss> with_margin(double margin) {
  return PluginLibrary("loss", PLUGIN_LIBRARY).make<Loss>({{"margin", margin}});
}

/// Two images of one bone at squared distance 1, and one of another at 4 from the first.
at::Tensor three_images() { return at::tensor({0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 2.0F}).view({3, 2}); }

Tuples one_triplet() {
  const auto row = [](std::int64_t index) { return at::full({1}, index, at::kLong); };
  return make_tuples(row(0), row(1), row(2), 3);
}

const at::Tensor kLabels = at::tensor({0, 0, 1}, at::kLong);

TEST(PluginName, IsTheMarginLessTheGap) {
  EXPECT_FLOAT_EQ(with_margin(3.5)->compute(three_images(), kLabels, one_triplet()).value.item<float>(), 0.5F);
}

TEST(PluginName, IsZeroWhereTheGapIsWideEnough) {
  const LossValue value = with_margin(0.1)->compute(three_images(), kLabels, one_triplet());
  EXPECT_EQ(value.value.item<float>(), 0);
  EXPECT_EQ(value.statistics.at("active triplets"), 0);
}

TEST(PluginName, MovesThePositiveTowardsTheAnchorAndTheNegativeAway) {
  const at::Tensor embeddings = three_images().requires_grad_();
  with_margin(3.5)->compute(embeddings, kLabels, one_triplet()).value.backward();
  EXPECT_FLOAT_EQ(embeddings.grad()[1][0].item<float>(), 2);
  EXPECT_FLOAT_EQ(embeddings.grad()[2][1].item<float>(), -4);
}

TEST(PluginName, GivesAZeroWithAGraphWithoutTriplets) {
  const at::Tensor embeddings = three_images().requires_grad_(), none = at::empty({0}, at::kLong);
  const LossValue value = with_margin(0.1)->compute(embeddings, kLabels, make_tuples(none, none, none, 3));
  value.value.backward();
  EXPECT_EQ(value.value.item<float>(), 0);
  EXPECT_EQ(embeddings.grad().abs().sum().item<float>(), 0);
}

}  // namespace
}  // namespace osteon
