#include <osteon/metric.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace osteon {
namespace {

/// Images of the bones at these places of a line.
Evidence::Contents on_a_line(const std::vector<std::int64_t>& bones, const std::vector<float>& places) {
  Evidence::Contents contents;
  contents.bone = at::tensor(bones, at::kLong);
  contents.embeddings.push_back({"fingerprint", false, at::tensor(places).view({-1, 1})});
  return contents;
}

std::vector<MetricValue> figures(const Evidence::Contents& contents, std::int64_t images) {
  const auto metric = PluginLibrary("metric", PLUGIN_LIBRARY).make<Metric>({{"images", images}});
  return metric->evaluate(Evidence(contents, metric->needs())).values;
}

TEST(PluginName, CountsEachPairOnceAndNoImageWithItself) {
  const auto values = figures(on_a_line({0, 0, 1}, {0, 1, 4}), 100);
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].column, "same bone");
  EXPECT_DOUBLE_EQ(values[0].value, 1);
  EXPECT_EQ(values[0].count, 1);
  EXPECT_EQ(values[1].column, "different bones");
  EXPECT_DOUBLE_EQ(values[1].value, 3.5);
  EXPECT_EQ(values[1].count, 2);
}

TEST(PluginName, LooksAtAsManyImagesAsItIsTold) {
  EXPECT_DOUBLE_EQ(figures(on_a_line({0, 1, 1, 1}, {0, 1, 4, 9}), 2)[1].value, 4);
}

TEST(PluginName, SaysWhyAFigureIsUndefined) {
  const auto values = figures(on_a_line({0, 1}, {0, 1}), 100);
  EXPECT_TRUE(std::isnan(values[0].value));
  EXPECT_EQ(values[0].note, "no such pair of images");
}

}  // namespace
}  // namespace osteon
