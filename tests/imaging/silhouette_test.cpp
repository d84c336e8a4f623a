// Shadows of a ball: how large they are is known.

#include "imaging/silhouette.hpp"
#include "imaging/views.hpp"
#include "shape/solids.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

constexpr double kBallRadius = 60, kSpacing = 1.5, kSource = 900;  // mm

struct Extent {
  double wide, high;  ///< mm at the isocentre
};

Extent shadow_of_ball(const std::string& geometry, std::int64_t finer = 1) {
  const Parameters views(views_schema(), {{"geometry", geometry}, {"height", std::int64_t{256}}});
  const Projection exposure = told_projection(Plane::ml, kSpacing, views);
  const at::Tensor shadow =
      silhouette(solids::ellipsoid({kBallRadius, kBallRadius, kBallRadius}), exposure, is_slot_scan(views), finer);
  const auto count = [&](std::int64_t over) {
    return static_cast<double>(shadow.amax(over).sum().item<std::int64_t>()) * kSpacing / static_cast<double>(finer);
  };
  return {count(0), count(1)};
}

TEST(Silhouette, IsAsLargeAsTheRaysThatGrazeABall) {
  const double larger = kSource / std::sqrt(kSource * kSource - kBallRadius * kBallRadius);
  for (const std::int64_t finer : {1, 3}) {
    const double pixel = 1.5 * kSpacing / static_cast<double>(finer);
    const Extent perspective = shadow_of_ball("perspective", finer), slot = shadow_of_ball("slot", finer),
                 parallel = shadow_of_ball("parallel", finer);
    EXPECT_NEAR(perspective.wide, 2 * kBallRadius * larger, pixel);
    EXPECT_NEAR(perspective.high, 2 * kBallRadius * larger, pixel);
    EXPECT_NEAR(slot.wide, 2 * kBallRadius * larger, pixel);
    EXPECT_NEAR(slot.high, 2 * kBallRadius, pixel);
    EXPECT_NEAR(parallel.wide, 2 * kBallRadius, pixel);
    EXPECT_NEAR(parallel.high, 2 * kBallRadius, pixel);
  }
}

TEST(Silhouette, LeavesNoHoleBetweenTriangles) {
  const Parameters views(views_schema(), {{"height", std::int64_t{256}}});
  const at::Tensor shadow = silhouette(solids::ellipsoid({kBallRadius, kBallRadius, kBallRadius}),
                                       told_projection(Plane::ap, kSpacing, views), false, 2);
  for (std::int64_t row = 0; row < shadow.size(0); ++row) {
    const at::Tensor inside = shadow[row].nonzero();
    if (inside.size(0) == 0) continue;
    EXPECT_EQ(inside.size(0), (inside.max() - inside.min()).item<std::int64_t>() + 1) << "row " << row;
  }
  EXPECT_EQ(outline_of(shadow).mul(1 - shadow).sum().item<std::int64_t>(), 0) << "the outline lies inside";
}

TEST(Silhouette, IsEmptyForWhatLiesBehindTheSource) {
  const Parameters views(views_schema(), {{"height", std::int64_t{64}}});
  Mesh ball = solids::ellipsoid({kBallRadius, kBallRadius, kBallRadius});
  ball = transformed(ball, {Mat3{}, {0, 2 * kSource, 0}});
  EXPECT_EQ(silhouette(ball, told_projection(Plane::ap, 8, views), false).sum().item<std::int64_t>(), 0);
}

}  // namespace
}  // namespace osteon::imaging
