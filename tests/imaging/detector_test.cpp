#include "imaging/detector.hpp"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

Parameters detector_views(std::map<std::string, ParameterValue> given) {
  given.try_emplace("field_of_view", 140.0);
  given.try_emplace("geometry", std::string("parallel"));
  return {views_schema(), given};
}

BoneFrame bone_frame() { return {{0, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 0, 1}, 100}; }

/// An open square tube along z, 100 mm long, cut into 400 equal pieces: as good as a bone for counting what is seen.
Mesh tube() {
  std::vector<float> vertices;
  std::vector<std::int32_t> triangles;
  for (int side = 0; side < 4; ++side)
    for (int i = 0; i < 100; ++i) {
      const float x = side % 2 == 0 ? 5.0F : -5.0F, y = side < 2 ? 5.0F : -5.0F, z = static_cast<float>(i) - 50;
      const auto first = static_cast<std::int32_t>(vertices.size() / 3);
      for (const auto& p : {std::array{x, y, z}, std::array{x, -y, z}, std::array{x, y, z + 1}})
        vertices.insert(vertices.end(), p.begin(), p.end());
      triangles.insert(triangles.end(), {first, first + 1, first + 2});
    }
  return {at::tensor(vertices).view({-1, 3}), at::tensor(triangles, at::kInt).view({-1, 3})};
}

TEST(Detector, TheCutShareIsStored) {
  std::vector<ImageRow> rows(2);
  rows[1].pose = 1;
  const std::vector<Pose> poses = {{}, {0, 0, 90}};
  EXPECT_EQ(note_truncation(rows, poses, tube(), bone_frame(), detector_views({{"detector_height", 60.0}})), "");
  EXPECT_NEAR(rows[0].ap_cut, 0.4, 0.011);
  EXPECT_NEAR(rows[0].ml_cut, 0.4, 0.011);
  // Lying across, the bone is cut by the half image's width, 70 mm.
  EXPECT_NEAR(rows[1].ap_cut, 0.3, 0.011);
}

TEST(Detector, ADetectorThatMissesTheBoneIsWarnedOfWithTheNumbers) {
  std::vector<ImageRow> rows(1);
  const std::vector<Pose> poses = {{}};
  const std::string warning = note_truncation(
      rows, poses, tube(), bone_frame(),
      detector_views(
          {{"detector_width", 20.0}, {"detector_height", 20.0}, {"detector_shift", std::vector<double>{40, 0}}}));
  EXPECT_EQ(rows[0].ap_cut, 1);
  // The detector begins 30 mm beside the axis; the nearest triangle's middle lies 1.7 mm from it.
  EXPECT_EQ(warning,
            "the detector misses the bone in 2 of 2 views, by up to 28.3 mm at the isocentre (ML at axial 0°, tilt 0°, "
            "in-plane 0°); see views.detector_shift, detector_width, detector_height and field_of_view");
}

}  // namespace
}  // namespace osteon::imaging
