#include <osteon/surface.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace osteon {
namespace {

constexpr double kPi = std::numbers::pi;

/// Air on a grid of 40 × 40 × 30 voxels, turned and longer along k.
Volume air() {
  Volume volume{at::full({30, 40, 40}, -1000, at::kShort), {}};
  volume.grid.size = {40, 40, 30};
  volume.grid.spacing = {1, 1, 1.5};
  volume.grid.origin = {10, -20, 5};
  volume.grid.direction = rotation({0, 0, 1}, 0.3);
  return volume;
}

/// Puts a ball of bone (1000 HU) around the voxel (i, j, k), with what lies within `hollow` mm of its centre left out.
void add_ball(Volume& volume, Vec3 voxel, double radius, double hollow = -1) {
  const Vec3 centre = volume.grid.to_patient(voxel);
  auto* hounsfield = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t n = 0; n < volume.hounsfield.numel(); ++n) {
    const Vec3 index{static_cast<double>(n % 40), static_cast<double>(n / 40 % 40), static_cast<double>(n / 1600)};
    const double distance = norm(volume.grid.to_patient(index) - centre);
    // A linear edge, so that 0 HU lies at the radius itself.
    if (distance > hollow && distance < radius + 3)
      hounsfield[n] = static_cast<std::int16_t>(std::clamp(400 * (radius - distance), -1000.0, 1000.0));
  }
}

Mesh surface_at(double level, const Volume& volume, const at::Tensor& mask = {}) {
  return PluginLibrary("surface", PLUGIN_LIBRARY).make<Surface>({{"level", level}})->extract(volume, mask);
}

std::string refusal(const Volume& volume) {
  try {
    (void)surface_at(346, volume);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(PluginName, FindsABallWhereItIs) {
  Volume volume = air();
  add_ball(volume, {20, 20, 15}, 10);
  const Mesh mesh = surface_at(0, volume);
  EXPECT_NO_THROW(require_closed(mesh, "the ball"));
  EXPECT_NEAR(enclosed_volume(mesh), 4 * kPi / 3 * 1000, 50);
  EXPECT_LT(norm(solid_centroid(mesh) - volume.grid.to_patient({20, 20, 15})), 0.05);
}

TEST(PluginName, FillsCavitiesAndLeavesSmallerPiecesOut) {
  Volume solid = air(), hollow = air();
  add_ball(solid, {20, 20, 15}, 10);
  add_ball(hollow, {20, 20, 15}, 10, 6);
  add_ball(hollow, {5, 5, 5}, 2);
  EXPECT_NEAR(enclosed_volume(surface_at(0, hollow)), enclosed_volume(surface_at(0, solid)), 1e-3);
}

TEST(PluginName, LiesFartherInAtAHigherLevel) {
  Volume volume = air();
  add_ball(volume, {20, 20, 15}, 10);
  EXPECT_LT(enclosed_volume(surface_at(800, volume)), enclosed_volume(surface_at(0, volume)) - 500);
}

TEST(PluginName, TakesLabelsForTheBoneWhereThereAreAny) {
  const Volume volume = air();
  at::Tensor mask = at::zeros({30, 40, 40}, at::kByte);
  mask.slice(0, 10, 20).slice(1, 10, 20).slice(2, 10, 20).fill_(1);
  const Mesh mesh = surface_at(346, volume, mask);
  EXPECT_NO_THROW(require_closed(mesh, "the labelled cube"));
  EXPECT_NEAR(enclosed_volume(mesh), 1500, 75);
}

TEST(PluginName, SaysWhyThereIsNoSurface) {
  EXPECT_EQ(refusal(air()), "no bone: the densest voxel has -1000 HU, the level is 346 HU");
  Volume cut = air(), two = air();
  add_ball(cut, {0, 20, 15}, 10);
  EXPECT_EQ(refusal(cut), "the bone leaves the volume: a closed surface needs the whole bone, with a voxel around it");
  add_ball(two, {10, 20, 15}, 5);
  add_ball(two, {30, 20, 15}, 5);
  EXPECT_TRUE(refusal(two).starts_with("two bones of about one size (")) << refusal(two);
}

}  // namespace
}  // namespace osteon
