// Otsu's threshold: where it lies for densities that are known, and what it refuses.

#include "scenes.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

const Given kOtsu{{"level", std::string("otsu")}};

Given at(double threshold) { return {{"threshold", threshold}}; }

/// A hard ball of `inside` HU in `outside` HU.
Volume two_densities(std::int16_t inside, std::int16_t outside) {
  const Grid grid = tilted_grid();
  Volume volume = blurred(grid, ball(kMiddle, 11));
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t v = 0; v < volume.hounsfield.numel(); ++v) voxel[v] = voxel[v] >= 346 ? inside : outside;
  return volume;
}

void expect_equal(const Mesh& a, const Mesh& b) {
  EXPECT_TRUE(at::equal(a.vertices, b.vertices));
  EXPECT_TRUE(at::equal(a.triangles, b.triangles));
}

TEST(Otsu, LiesMidwayBetweenTwoDensities) {
  const Volume volume = two_densities(900, 40);
  expect_equal(extract(volume, kOtsu), extract(volume, at(470)));
}

TEST(Otsu, LeavesAirAndMetalOut) {
  Volume volume = two_densities(900, 40);
  volume.hounsfield.slice(0, 0, 4).fill_(-1000);
  volume.hounsfield.slice(0, 46).slice(1, 0, 3).fill_(12000);
  const Mesh mesh = extract(volume, kOtsu);
  expect_equal(mesh, extract(volume, at(470)));
}

/// The threshold of most variance between classes, by trying all of them in float64.
double naive_otsu(const at::Tensor& hounsfield) {
  std::map<int, double> count;
  const auto* voxel = hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t v = 0; v < hounsfield.numel(); ++v)
    if (voxel[v] >= -500 && voxel[v] <= 3000) ++count[voxel[v]];
  double best = 0, threshold = 0;
  for (const auto& [cut, ignored] : count) {
    double n[2] = {0, 0}, mean[2] = {0, 0};
    for (const auto& [value, times] : count) n[value > cut] += times, mean[value > cut] += times * value;
    if (n[1] == 0) continue;
    const double apart = mean[0] / n[0] - mean[1] / n[1], variance = n[0] * n[1] * apart * apart;
    if (variance > best) best = variance, threshold = cut + 0.5;
  }
  return threshold;
}

TEST(Otsu, AgreesWithTryingEveryThreshold) {
  // Fat, muscle and bone of 300 to 1100 HU, each of them noisy.
  Volume volume = blurred(tilted_grid(), ball(kMiddle, 9));
  Random random(3, "noise");
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t v = 0; v < volume.hounsfield.numel(); ++v) {
    const double tissue = v % 72 < 30 ? -100 : 50;
    voxel[v] = static_cast<std::int16_t>(voxel[v] > 346 ? random.uniform(300, 1100) : tissue + random.uniform(-30, 30));
  }
  expect_equal(extract(volume, kOtsu), extract(volume, at(naive_otsu(volume.hounsfield))));
}

TEST(Otsu, RefusesAVolumeOfOneDensity) {
  Volume volume = two_densities(900, 40);
  volume.hounsfield.fill_(40);
  EXPECT_EQ(
      refusal(volume, kOtsu),
      "surface/isosurface: no bone: the volume has no two densities between air (-500 HU) and metal (3000 HU) for "
      "Otsu's method to part; check the volume's Hounsfield units");
}

TEST(Otsu, RefusesToTakeMuscleForBone) {
  EXPECT_EQ(refusal(two_densities(60, -100), kOtsu),
            "surface/isosurface: no bone: Otsu's threshold is -20 HU, which parts one soft tissue from another (bone "
            "begins above 100 HU); give a volume that bone fills more of, or set surface.level = \"threshold\"");
}

}  // namespace
}  // namespace osteon::test
