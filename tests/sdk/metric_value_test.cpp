#include <osteon/reporter.hpp>

#include <gtest/gtest.h>

namespace osteon {
namespace {

std::string shown(double value, const std::string& unit) {
  MetricValue one;
  one.value = value;
  one.unit = unit;
  return to_text(one);
}

TEST(MetricValues, AreShownWithTheDigitsThatTheirUnitsDeserve) {
  EXPECT_EQ(shown(1.1156, "mm"), "1.12 mm");
  EXPECT_EQ(shown(96.43, "%"), "96.4 %");
  EXPECT_EQ(shown(0.89123, ""), "0.891");
  EXPECT_EQ(shown(18.75, "of 19"), "18.75 of 19");
  EXPECT_EQ(shown(2.0 / 21, "of 19 to 20"), "0.095 of 19 to 20");
  EXPECT_EQ(shown(100, "of 100"), "100 of 100");
  EXPECT_EQ(shown(0, "of 3"), "0 of 3");
}

TEST(MetricValues, SayWhyTheyAreUndefined) {
  MetricValue none;
  none.note = "one bone alone";
  EXPECT_EQ(to_text(none), "undefined (one bone alone)");
}

}  // namespace
}  // namespace osteon
