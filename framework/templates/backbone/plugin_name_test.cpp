#include <osteon/backbone.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

std::shared_ptr<Network> network(std::int64_t stages, std::int64_t height, std::int64_t width) {
  return PluginLibrary("backbone", PLUGIN_LIBRARY)
      .make<Backbone>({{"stages", stages}, {"width", std::int64_t{8}}})
      ->make(1, height, width);
}

TEST(PluginName, HalvesTheImageAndDoublesItsChannelsInEachStage) {
  const auto three = network(3, 32, 64);
  EXPECT_EQ(three->maps(at::rand({2, 1, 32, 64})).sizes(), (std::vector<std::int64_t>{2, 32, 4, 8}));
  EXPECT_EQ(three->features(), 32);
  EXPECT_EQ(three->forward(at::rand({2, 1, 32, 64})).sizes(), (std::vector<std::int64_t>{2, 32}));
}

TEST(PluginName, NamesAGroupForEveryParameterAndTheLastConvolution) {
  const auto three = network(3, 32, 64);
  for (const auto& parameter : three->named_parameters())
    EXPECT_TRUE(parameter.key().starts_with("stage")) << parameter.key();
  EXPECT_EQ(three->layer_groups(), (std::vector<std::string>{"stage1", "stage2", "stage3"}));
  EXPECT_NE(three->named_modules().find(three->last_convolution()), nullptr);
}

TEST(PluginName, RefusesImagesThatAreTooSmall) {
  try {
    (void)network(6, 32, 64);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "stages: 6 stages need images of at least 64 × 64 pixels, not 32 × 64; lower it, or raise "
                 "views.height");
  }
}

}  // namespace
}  // namespace osteon
