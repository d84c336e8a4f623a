// What the network sees of an X-ray pair.

#include "pipeline/network_input.hpp"
#include "imaging/upright.hpp"

#include "training/training.hpp"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::pipeline {
namespace {

at::Tensor seen(const at::Tensor& pairs, bool is_upright, const std::string& planes) {
  return as_seen(pairs, network_input_of({training::training_schema(), {{"upright", is_upright}, {"planes", planes}}}));
}

TEST(NetworkInput, BlackensTheViewThatIsNotSeen) {
  const at::Tensor pairs = at::randint(1, 256, {3, 20, 16}, at::kByte), kept = pairs.clone();
  EXPECT_TRUE(at::equal(seen(pairs, false, "both"), pairs));
  const at::Tensor ap = seen(pairs, false, "ap"), ml = seen(pairs, false, "ml");
  EXPECT_TRUE(at::equal(ap.slice(2, 0, 8), pairs.slice(2, 0, 8)));
  EXPECT_TRUE(at::equal(ap.slice(2, 8), at::zeros({3, 20, 8}, at::kByte)));
  EXPECT_TRUE(at::equal(ml.slice(2, 8), pairs.slice(2, 8)));
  EXPECT_TRUE(at::equal(ml.slice(2, 0, 8), at::zeros({3, 20, 8}, at::kByte)));
  EXPECT_TRUE(at::equal(pairs, kept)) << "what was rendered has changed";
}

TEST(NetworkInput, TurnsUprightBeforeAViewIsTakenAway) {
  at::Tensor pairs = at::zeros({1, 40, 40}, at::kByte);
  for (std::int64_t i = 5; i < 15; ++i) pairs[0][2 * i][i].fill_(200);
  const at::Tensor upright = imaging::upright(pairs, 2);
  EXPECT_FALSE(at::equal(upright, pairs));
  EXPECT_TRUE(at::equal(seen(pairs, true, "both"), upright));
  EXPECT_TRUE(at::equal(seen(pairs, true, "ap").slice(2, 0, 20), upright.slice(2, 0, 20)));
}

TEST(NetworkInput, IsNamedInKeys) {
  const Parameters standard(training::training_schema(), {});
  EXPECT_TRUE(is_as_rendered(network_input_of(standard)));
  const auto parts = network_input_parts(standard);
  EXPECT_EQ(parts.size(), 2U);
  EXPECT_NE(parts, network_input_parts({training::training_schema(), {{"planes", std::string("ap")}}}));
  EXPECT_NE(parts, network_input_parts({training::training_schema(), {{"upright", true}}}));
}

}  // namespace
}  // namespace osteon::pipeline
