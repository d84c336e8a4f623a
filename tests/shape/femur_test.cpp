// The head and the regions of an artificial femur.

#include "femur/regions.hpp"
#include "femurs.hpp"

#include <gtest/gtest.h>

namespace osteon::femur {
namespace {

TEST(FemoralHead, IsTheSphereAtTheEndOfTheNeck) {
  const solids::FemurForm form{.neck_shaft = 131, .anteversion = -4, .head_radius = 21};
  const auto head = find_head(points_of(solids::femur(form)));
  ASSERT_TRUE(head.has_value());
  EXPECT_LT(norm(head->centre - solids::head_centre(form)), 0.3);
  EXPECT_NEAR(head->radius, 21, 0.2);
}

TEST(FemoralHead, IsNotFoundWhereThereIsNone) {
  EXPECT_FALSE(find_head(points_of(solids::rod({0, 0, 200}, {0, 0, -200}, 14))).has_value());
  EXPECT_FALSE(find_head(points_of(solids::sphere(40, 60, 90))).has_value());
  EXPECT_FALSE(find_head(points_of(solids::box({60, 60, 400}))).has_value());
}

TEST(FemurRegions, FollowTheLengthAndTheHeadsSphere) {
  const solids::FemurForm form;
  const Regions regions(solids::femur(form));
  const Vec3 head = solids::head_centre(form);
  EXPECT_EQ(regions.of(head + Vec3{24, 0, 0}), Region::head);
  EXPECT_EQ(regions.of(head + Vec3{0, -26, 0}), Region::head);  // 1.08 radii
  EXPECT_EQ(regions.of(head + Vec3{0, -27.5, 0}), Region::neck_and_trochanters);
  EXPECT_EQ(regions.of({-14, 0, 180}), Region::neck_and_trochanters);
  // From the head's top at 240.5 to the condyles at -210: a fifth is 90, 15 % are 67.6.
  EXPECT_EQ(regions.of({-14, 0, 151}), Region::neck_and_trochanters);
  EXPECT_EQ(regions.of({-14, 0, 149}), Region::shaft);
  EXPECT_EQ(regions.of({-14, 0, -142}), Region::shaft);
  EXPECT_EQ(regions.of({-14, 0, -143}), Region::condyles);
}

TEST(FemurRegions, DoNotTellHeadFromNeckWithoutAHead) {
  const Regions regions(solids::rod({0, 0, 186}, {0, 0, -186}, 14));  // 400 mm
  EXPECT_FALSE(regions.of({14, 0, 130}).has_value());
  EXPECT_EQ(regions.of({14, 0, 0}), Region::shaft);
  EXPECT_EQ(regions.of({14, 0, -150}), Region::condyles);
}

}  // namespace
}  // namespace osteon::femur
