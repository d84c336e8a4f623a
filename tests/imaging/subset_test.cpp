#include "imaging/subset.hpp"
#include "imaging/views.hpp"

#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

/// The study's 900 images of a bone: 225 poses at four energies.
std::vector<ImageRow> the_studys_rows() {
  std::vector<ImageRow> rows;
  std::int64_t number = 0;
  for (const Pose& pose : gallery_poses(Parameters(views_schema(), {}))) {
    for (const double energy : {140.0, 146.0, 152.0, 158.0})
      rows.push_back({number, pose.axial, pose.tilt, pose.in_plane, energy, 1, pose.axial, pose.tilt, pose.in_plane});
    ++number;
  }
  return rows;
}

TEST(Subset, TheStudysSixCountTheImagesOfItsGrid) {
  const auto rows = the_studys_rows();
  ASSERT_EQ(rows.size(), 900U);
  const auto subsets = study_subsets();
  // Within 4° there are 3 angles of the grid (-3, 0, 3), within 7° 5, in all 15.
  const std::vector<std::size_t> expected = {3 * 3 * 3, 3 * 3 * 4, 5 * 5 * 4, 15 * 3 * 4, 3 * 15 * 4, 900};
  ASSERT_EQ(subsets.size(), expected.size());
  for (std::size_t i = 0; i < subsets.size(); ++i)
    EXPECT_EQ(subset(rows, subsets[i].axial, subsets[i].in_plane, subsets[i].energy).size(), expected[i])
        << subsets[i].name;
}

TEST(Subset, BothPlanesMustLieInTheRange) {
  std::vector<ImageRow> rows(3);
  rows[1].ml_axial = 5;
  rows[2].in_plane = -5;
  EXPECT_EQ(subset(rows, {-4, 4}, {-4, 4}, {0, 200}), std::vector<std::int64_t>{0});
  EXPECT_EQ(subset(rows, {-5, 5}, {-4, 4}, {0, 200}), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(subset(rows, {-5, 5}, {-5, 5}, {0, 200}), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_TRUE(subset(rows, {-5, 5}, {-5, 5}, {20, 200}).empty());
}

}  // namespace
}  // namespace osteon::imaging
