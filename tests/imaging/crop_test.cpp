// Cropping to the bone, on a ball whose distance to every voxel is known.

#include "imaging/crop.hpp"

#include "voxeliser/shapes.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

constexpr double kRadius = 9;

Parameters crop(const std::string& outside, double margin) {
  return {crop_schema(), {{"outside", outside}, {"margin", margin}}};
}

/// Bone of 900 HU everywhere, on a tilted grid of three spacings; the ball's centre is in the middle, or beyond the
/// volume's end.
struct Scene {
  Volume volume;
  Vec3 centre;
  Mesh ball;

  explicit Scene(bool at_the_end = false) {
    Grid grid{{60, 50, 40}, {0.7, 0.8, 1.1}, {-30, 12, 100}, rotation(normalised({1, 2, 3}), 0.5)};
    volume = {at::full({40, 50, 60}, 900, at::kShort), grid.canonical()};
    centre = at_the_end ? volume.grid.to_patient({30, 25, 36}) : volume.grid.centre();
    ball = test::sphere(kRadius, centre, 4);
  }
  [[nodiscard]] double distance(int i, int j, int k) const {
    return norm(volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k}) - centre) - kRadius;
  }
};

/// Every voxel that is clearly within the margin keeps its value, every one clearly beyond has `expected`.
void expect_cropped(const Scene& scene, const std::string& outside, double margin, int expected) {
  const Volume result = cropped(scene.volume, scene.ball, crop(outside, margin));
  EXPECT_TRUE(result.grid == scene.volume.grid);
  const auto voxels = result.hounsfield.accessor<std::int16_t, 3>();
  constexpr double kVoxel = 1.1;  // how far a voxel's centre may lie off the surface that it stands for
  int within = 0, beyond = 0;
  for (int k = 0; k < 40; ++k)
    for (int j = 0; j < 50; ++j)
      for (int i = 0; i < 60; ++i) {
        const double d = scene.distance(i, j, k);
        if (d < margin - kVoxel) {
          ++within;
          ASSERT_EQ(voxels[k][j][i], 900) << i << " " << j << " " << k << ": " << d << " mm off the bone";
        } else if (d > margin + 0.1) {
          ++beyond;
          ASSERT_EQ(voxels[k][j][i], expected) << i << " " << j << " " << k << ": " << d << " mm off the bone";
        }
      }
  EXPECT_GT(within, 1000);
  EXPECT_GT(beyond, 10000);
}

TEST(Crop, KeepsEverythingUnlessAsked) {
  const Scene scene;
  EXPECT_TRUE(
      cropped(scene.volume, scene.ball, Parameters(crop_schema(), {})).hounsfield.equal(scene.volume.hounsfield));
}

TEST(Crop, MakesAirOfWhatLiesBeyondTheMargin) {
  const Scene scene;
  for (const double margin : {0.0, 3.0, 5.5}) expect_cropped(scene, "air", margin, -1000);
}

TEST(Crop, CapsAtSoftTissueWhatLiesBeyondTheMargin) {
  Scene scene;
  expect_cropped(scene, "soft_tissue", 3, 60);
  scene.volume.hounsfield.fill_(-90);  // fat stays fat
  const Volume result = cropped(scene.volume, scene.ball, crop("soft_tissue", 3));
  EXPECT_TRUE(result.hounsfield.equal(scene.volume.hounsfield));
}

TEST(Crop, HoldsWhereTheBoneReachesTheVolumesEnd) { expect_cropped(Scene(true), "air", 4, -1000); }

TEST(Crop, LeavesItsInputAlone) {
  const Scene scene;
  (void)cropped(scene.volume, scene.ball, crop("air", 1));
  EXPECT_EQ(scene.volume.hounsfield.min().item<int>(), 900);
}

TEST(Crop, RefusesANegativeMargin) {
  try {
    (void)crop("air", -1);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("margin"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace osteon::imaging
