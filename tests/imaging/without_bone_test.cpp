#include "imaging/without_bone.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

constexpr Vec3 kNeighbour{22, 0, 0};

/// A ball of 1200 HU and radius 10 mm in muscle (50 HU), another bone beside it, on an oblique anisotropic grid.
Volume hollow_scene() {
  Volume volume;
  volume.grid = {{60, 50, 40}, {1, 1.2, 1.5}, {}, rotation({0, 0, 1}, 0.3)};
  volume.grid.origin = -volume.grid.centre();
  volume.hounsfield = at::empty({40, 50, 60}, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 40; ++k)
    for (int j = 0; j < 50; ++j)
      for (int i = 0; i < 60; ++i) {
        const Vec3 p = volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k});
        const bool neighbour = norm(p - kNeighbour) < 4;
        *voxel++ = static_cast<std::int16_t>(norm(p) < 10 || neighbour ? 1200 : 50);
      }
  return volume;
}

/// An octahedron's faces, halved `times` times, on a sphere.
Mesh ball(double radius) {
  std::vector<Vec3> corners = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
  std::vector<std::array<int, 3>> faces = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4},
                                           {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
  for (int round = 0; round < 4; ++round) {
    std::vector<std::array<int, 3>> finer;
    for (const auto& [a, b, c] : faces) {
      const int ab = static_cast<int>(corners.size());
      corners.push_back(normalised(corners[static_cast<std::size_t>(a)] + corners[static_cast<std::size_t>(b)]));
      corners.push_back(normalised(corners[static_cast<std::size_t>(b)] + corners[static_cast<std::size_t>(c)]));
      corners.push_back(normalised(corners[static_cast<std::size_t>(c)] + corners[static_cast<std::size_t>(a)]));
      for (const auto& face : {std::array{a, ab, ab + 2}, {ab, b, ab + 1}, {ab + 2, ab + 1, c}, {ab, ab + 1, ab + 2}})
        finer.push_back(face);
    }
    faces = finer;
  }
  Mesh mesh{at::empty({std::ssize(corners), 3}, at::kFloat), at::empty({std::ssize(faces), 3}, at::kInt)};
  auto* v = mesh.vertices.data_ptr<float>();
  for (const Vec3& corner : corners)
    for (int axis = 0; axis < 3; ++axis) *v++ = static_cast<float>(corner[axis] * radius);
  auto* t = mesh.triangles.data_ptr<std::int32_t>();
  for (const auto& face : faces) t = std::copy(face.begin(), face.end(), t);
  return mesh;
}

TEST(WithoutBone, FillsAllBonesAndAMarginWithWhatSurroundsThem) {
  const Volume before = hollow_scene(), after = without_bone(before, ball(10));
  const auto* old = before.hounsfield.data_ptr<std::int16_t>();
  const auto* now = after.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 40; ++k)
    for (int j = 0; j < 50; ++j)
      for (int i = 0; i < 60; ++i, ++old, ++now) {
        const Vec3 p = before.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k});
        ASSERT_EQ(*now, 50) << p.x << " " << p.y << " " << p.z << ", before " << *old;
      }
  EXPECT_EQ(after.grid, before.grid);
}

TEST(WithoutBone, LeavesTheGivenVolumeAsItWas) {
  const Volume volume = hollow_scene();
  const at::Tensor copy = volume.hounsfield.clone();
  (void)without_bone(volume, ball(10));
  EXPECT_TRUE(at::equal(volume.hounsfield, copy));
}

TEST(WithoutBone, AlsoTakesTheInsideThatIsNoDenserThanMuscle) {
  Volume marrow = hollow_scene();
  auto* voxel = marrow.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 40; ++k)
    for (int j = 0; j < 50; ++j)
      for (int i = 0; i < 60; ++i, ++voxel)
        if (norm(marrow.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k})) < 8) *voxel = -50;
  const Volume after = without_bone(marrow, ball(10));
  EXPECT_EQ(after.hounsfield.min().item<std::int16_t>(), 50);
  EXPECT_EQ(after.hounsfield.max().item<std::int16_t>(), 50);
}

TEST(WithoutBone, RefusesAVolumeThatIsAllBone) {
  Volume volume = hollow_scene();
  volume.hounsfield.fill_(1200);
  try {
    (void)without_bone(volume, ball(10));
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "no voxel of the volume is left when its bones are taken out");
  }
}

}  // namespace
}  // namespace osteon::imaging
