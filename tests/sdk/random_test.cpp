#include <osteon/random.hpp>

#include <gtest/gtest.h>

namespace osteon {
namespace {

TEST(Random, SameNameGivesTheSameNumbers) {
  Random a(7, "views", 3), b(7, "views", 3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.bits(), b.bits());
}

TEST(Random, OtherPurposeOrIndexGivesOtherNumbers) {
  Random a(7, "views", 3), b(7, "noise", 3), c(7, "views", 4);
  const auto first = a.bits();
  EXPECT_NE(first, b.bits());
  EXPECT_NE(first, c.bits());
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(1, "moments");
  double sum = 0, normal_sum = 0, squares = 0;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    sum += random.uniform();
    const double x = random.normal();
    normal_sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.003);
  EXPECT_NEAR(normal_sum / kCount, 0, 0.01);
  EXPECT_NEAR(squares / kCount, 1, 0.015);
}

TEST(Random, PermutationHoldsEachNumberOnce) {
  auto order = Random(1, "order").permutation(100);
  std::sort(order.begin(), order.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace osteon
