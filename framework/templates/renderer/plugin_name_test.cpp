#include <osteon/renderer.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace osteon {
namespace {

/// A cube of 20 mm in air, centred at the origin, on a grid of 2 mm.
Volume cube(double hounsfield) {
  Volume volume{at::full({20, 20, 20}, -1000, at::kShort), {}};
  volume.hounsfield.slice(0, 5, 15).slice(1, 5, 15).slice(2, 5, 15).fill_(hounsfield);
  volume.grid.size = {20, 20, 20};
  volume.grid.spacing = {2, 2, 2};
  volume.grid.origin = {-19, -19, -19};
  return volume;
}

/// One pixel, seen from 1 m in front of the origin along this direction.
Projection pixel_along(Vec3 direction) {
  Projection view;
  view.source = direction * -1000;
  view.first_pixel = direction * 500;
  view.rows = view.columns = 1;
  return view;
}

at::Tensor integrals(const Volume& volume, const Projection& view, double step) {
  const auto renderer = PluginLibrary("renderer", PLUGIN_LIBRARY).make<Renderer>({{"step", step}});
  return renderer->prepare(volume)->project({&view, 1}).flatten();
}

TEST(PluginName, MeasuresAChordInMillimetres) {
  const at::Tensor chord = integrals(cube(0), pixel_along({0, 1, 0}), 0.5);
  EXPECT_NEAR(chord[0].item<float>(), 20, 0.01);
  EXPECT_EQ(chord[1].item<float>(), 0);
}

TEST(PluginName, MeasuresALongerChordThroughTheEdges) {
  const Vec3 across = normalised({1, 1, 0});
  // Interpolation takes a third of a voxel off the two edges that the ray meets.
  EXPECT_NEAR(integrals(cube(0), pixel_along(across), 0.1)[0].item<float>(), (20 - 2.0 / 3) * std::sqrt(2.0), 0.05);
}

TEST(PluginName, SeesCorticalBoneAsBoneAlone) {
  const at::Tensor chord = integrals(cube(kCorticalHounsfield), pixel_along({0, 0, 1}), 0.5);
  EXPECT_EQ(chord[0].item<float>(), 0);
  EXPECT_NEAR(chord[1].item<float>(), 20, 0.01);
}

TEST(PluginName, SeesNothingBesideTheGrid) {
  Projection beside = pixel_along({0, 1, 0});
  beside.parallel = true;
  beside.direction = {0, 1, 0};
  beside.first_pixel = {100, 500, 0};
  EXPECT_EQ(integrals(cube(0), beside, 0.5).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace osteon
