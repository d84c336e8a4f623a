// Iso-surfaces of solids whose surface is known: spheres, ellipsoids and shells, blurred as a scanner blurs them.

#include "scenes.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace osteon::test {
namespace {

void expect_sphere(const Mesh& mesh, Vec3 middle, double radius, double tolerance) {
  require_closed(mesh, "the surface");
  EXPECT_NEAR(enclosed_volume(mesh), sphere_volume(radius), 0.01 * sphere_volume(radius));
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t v = 0; v < mesh.vertices.size(0); ++v)
    EXPECT_NEAR(norm(Vec3{p[3 * v], p[3 * v + 1], p[3 * v + 2]} - middle), radius, tolerance);
}

constexpr double kTenthOfAVoxel = 0.05;  // mm; of the smallest spacing

TEST(IsoSurface, FindsASphereInATiltedGridToATenthOfAVoxel) {
  const Volume volume = blurred(tilted_grid(), ball(kMiddle, 11));
  expect_sphere(extract(volume, {{"triangles", std::int64_t{0}}}), kMiddle, 11, kTenthOfAVoxel);
}

TEST(IsoSurface, KeepsTheSphereWithASixthOfTheTriangles) {
  const Volume volume = blurred(tilted_grid(), ball(kMiddle, 11));
  const Mesh all = extract(volume, {{"triangles", std::int64_t{0}}}),
             few = extract(volume, {{"triangles", std::int64_t{2000}}});
  EXPECT_GT(all.triangles.size(0), 12000);
  EXPECT_LE(few.triangles.size(0), 2000);
  EXPECT_GT(few.triangles.size(0), 1900);
  expect_sphere(few, kMiddle, 11, kTenthOfAVoxel);
}

TEST(IsoSurface, FindsAnEllipsoidsVolume) {
  const Vec3 half{8, 11, 14};
  const Mesh mesh = extract(blurred(tilted_grid(), [&](Vec3 p) {
    const Vec3 q = p - kMiddle;
    const double scale = norm({q.x / half.x, q.y / half.y, q.z / half.z});
    // First-order distance: (f - 1) / |grad f|.
    const Vec3 gradient{q.x / (half.x * half.x), q.y / (half.y * half.y), q.z / (half.z * half.z)};
    return scale < 1e-6 ? -8.0 : (scale - 1) * scale / norm(gradient);
  }));
  require_closed(mesh, "the ellipsoid");
  const double expected = sphere_volume(1) * half.x * half.y * half.z;
  EXPECT_NEAR(enclosed_volume(mesh), expected, 0.01 * expected);
  EXPECT_NEAR(bounding_box(mesh).high.z - bounding_box(mesh).low.z, 28, 0.2);
}

TEST(IsoSurface, GivesTheOuterSurfaceOfAHollowShell) {
  const Mesh mesh = extract(blurred(tilted_grid(), [](Vec3 p) { return std::abs(norm(p - kMiddle) - 10) - 1; }));
  expect_sphere(mesh, kMiddle, 11, kTenthOfAVoxel);
}

/// A shell of 9 to 11 mm with a round channel of 2.4 mm through its wall.
Volume perforated_shell() {
  return blurred(tilted_grid(), [](Vec3 p) {
    const Vec3 q = p - kMiddle;
    const double shell = std::abs(norm(q) - 10) - 1;
    const double channel = q.z > 0 ? 1.2 - std::hypot(q.x, q.y) : -100;
    return std::max(shell, channel);
  });
}

TEST(IsoSurface, SealsGapsInTheCortexBeforeItFillsTheCavity) {
  const Mesh sealed = extract(perforated_shell());
  EXPECT_NEAR(enclosed_volume(sealed), sphere_volume(11), 0.01 * sphere_volume(11));
  const Mesh open = extract(perforated_shell(), {{"closing", 0.0}});
  require_closed(open, "the open shell");
  EXPECT_NEAR(enclosed_volume(open), sphere_volume(11) - sphere_volume(9), 0.04 * sphere_volume(11));
}

TEST(IsoSurface, TakesTheLargerOfTwoBones) {
  const Vec3 neighbour = kMiddle + Vec3{0, 0, 13};
  const Volume volume =
      blurred(tilted_grid(), [&](Vec3 p) { return std::min(ball(kMiddle, 8)(p), ball(neighbour, 3.5)(p)); });
  expect_sphere(extract(volume), kMiddle, 8, kTenthOfAVoxel);
}

TEST(IsoSurface, RefusesAVolumeWithoutBone) {
  Volume volume = blurred(tilted_grid(), ball(kMiddle, 11));
  volume.hounsfield.clamp_(-1000, 120);
  EXPECT_EQ(refusal(volume),
            "surface/isosurface: no bone: the largest value is 120 HU, below the threshold of 346 HU; lower "
            "surface.threshold, or check the volume's Hounsfield units");
}

TEST(IsoSurface, RefusesABoneThatLeavesTheVolume) {
  const Volume volume = blurred(tilted_grid(), ball(kMiddle + Vec3{0, 0, 15}, 11));
  EXPECT_EQ(
      refusal(volume),
      "surface/isosurface: the bone leaves the volume towards the patient's head (voxel k = 49), so its surface "
      "can't be closed; give a volume that holds the whole bone, or set surface.separation if a neighbour that is cut "
      "has grown together with it, or surface.skip_cut = true if this is a larger neighbour");
}

TEST(IsoSurface, AllowsANeighbourThatLeavesTheVolume) {
  const Volume volume = blurred(tilted_grid(), [&](Vec3 p) {
    return std::min(ball(kMiddle, 9)(p), ball(kMiddle + Vec3{0, 0, 22}, 9)(p));
  });
  expect_sphere(extract(volume), kMiddle, 9, kTenthOfAVoxel);
}

TEST(IsoSurface, IsClosedForNoiseToo) {
  // Every configuration of a cube's corners occurs, ambiguous ones in all neighbourhoods.
  Grid grid = tilted_grid({24, 24, 24});
  Volume volume{at::full({24, 24, 24}, -50, at::kShort), grid};
  Random random(7, "noise");
  auto voxels = volume.hounsfield.accessor<std::int16_t, 3>();
  for (int k = 1; k < 23; ++k)
    for (int j = 1; j < 23; ++j)
      for (int i = 1; i < 23; ++i) voxels[k][j][i] = static_cast<std::int16_t>(random.uniform(-200, 1000));
  for (const double closing : {0.0, 1.5})
    for (const std::int64_t triangles : {0, 8000}) {
      const Mesh mesh = extract(volume, {{"closing", closing}, {"triangles", triangles}});
      require_closed(mesh, "noise");
      EXPECT_GT(enclosed_volume(mesh), 0);
    }
}

TEST(IsoSurface, EveryParameterChangesTheSurface) {
  // A perforated shell, and a smaller one that the edge cuts and that touches it.
  const Volume volume = blurred(tilted_grid(), [](Vec3 p) {
    const Vec3 q = p - kMiddle;
    const double shell = std::abs(norm(q) - 10) - 1;
    const double channel = q.z > 0 ? 1.2 - std::hypot(q.x, q.y) : -100;
    return std::min(std::max(shell, channel), ball(kMiddle + Vec3{0, 14.6, 0}, 4)(p));
  });
  const Mesh standard = extract(volume);
  const std::vector<Given> changes = {{{"level", std::string("otsu")}},
                                      {{"threshold", 500.0}},
                                      {{"smoothing", 0.5}},
                                      {{"closing", 0.0}},
                                      {{"separation", 4.0}},
                                      {{"fairing", 0.2}},
                                      {{"triangles", std::int64_t{1000}}},
                                      {{"triangles", std::int64_t{0}}, {"tolerance", 0.05}}};
  for (const Given& change : changes) {
    const Mesh mesh = extract(volume, change);
    EXPECT_FALSE(at::equal(mesh.vertices, standard.vertices)) << change.begin()->first;
  }
}

TEST(IsoSurface, GivesTheSameBitsInEveryThread) {
  const Volume volume = perforated_shell();
  const Mesh first = extract(volume, {{"smoothing", 0.4}});
  std::vector<Mesh> meshes(2);
  std::vector<std::thread> threads;
  for (Mesh& mesh : meshes) threads.emplace_back([&] { mesh = extract(volume, {{"smoothing", 0.4}}); });
  for (std::thread& thread : threads) thread.join();
  for (const Mesh& mesh : meshes) {
    EXPECT_TRUE(at::equal(mesh.vertices, first.vertices));
    EXPECT_TRUE(at::equal(mesh.triangles, first.triangles));
  }
}

}  // namespace
}  // namespace osteon::test
