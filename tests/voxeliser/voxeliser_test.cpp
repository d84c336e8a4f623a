#include "shapes.hpp"

#include <voxeliser/surface_distance.hpp>
#include <voxeliser/voxeliser.hpp>

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

using voxeliser::Settings;

voxeliser::Settings quiet(double spacing) {
  Settings settings;
  settings.seed = 3;
  settings.spacing = spacing;
  settings.noise = 0;
  settings.surface_error = 0;
  return settings;
}

TEST(SurfaceDistance, IsTheSpheresAnalyticDistance) {
  const voxeliser::SurfaceDistance surface(test::sphere(20, {3, -2, 5}, 6));
  std::vector<float> row(61);
  for (const double y : {-14.0, -2.0, 0.25, 17.3}) {
    surface.along_row({-27, y, 6.5}, {1, 0, 0}, 50, 50, row);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double exact = norm(Vec3{-27 + static_cast<double>(i), y, 6.5} - Vec3{3, -2, 5}) - 20;
      EXPECT_NEAR(row[i], exact, 0.02) << "y " << y << " point " << i;
    }
  }
}

TEST(SurfaceDistance, SkipsOnlyWhatLiesBeyondWhatWasAskedFor) {
  const voxeliser::SurfaceDistance surface(test::sphere(20, {}, 5));
  std::vector<float> full(201), part(201);
  const Vec3 start{-50, 1.7, -3}, step{0.5, 0, 0};
  surface.along_row(start, step, 100, 100, full);
  surface.along_row(start, step, 4, 3, part);
  for (std::size_t i = 0; i < full.size(); ++i) {
    EXPECT_EQ(full[i] < 0, part[i] < 0) << i;
    if (full[i] > -4 && full[i] < 3)
      EXPECT_FLOAT_EQ(full[i], part[i]) << i;
    else
      EXPECT_TRUE(part[i] >= 3 || part[i] <= -4) << i << ": " << part[i];
  }
}

TEST(SurfaceDistance, TellsInsideFromOutsideOnRowsThroughEdgesAndCorners) {
  const voxeliser::SurfaceDistance surface(test::box({0, 0, 0}, {8, 8, 8}));
  std::vector<float> row(13);
  for (int y = -2; y <= 10; ++y)
    for (int z = -2; z <= 10; ++z) {
      surface.along_row({-2.5, static_cast<double>(y), static_cast<double>(z)}, {1, 0, 0}, 9, 9, row);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const double x = -2.5 + static_cast<double>(i);
        const bool within = x > 0 && x < 8 && y > 0 && y < 8 && z > 0 && z < 8;
        const bool without = x < 0 || x > 8 || y < 0 || y > 8 || z < 0 || z > 8;
        EXPECT_TRUE(!within || row[i] < 0) << x << ' ' << y << ' ' << z;
        EXPECT_TRUE(!without || row[i] > 0) << x << ' ' << y << ' ' << z;
      }
    }
}

TEST(Voxeliser, CoverageSumsUpToTheSpheresVolume) {
  const Mesh mesh = test::sphere(15, {1, 2, 3});
  Grid grid;
  grid.size = {40, 44, 42};
  grid.spacing = {1.1, 1.0, 0.9};
  grid.direction = rotation(normalised({1, 2, 3}), 0.3);
  grid.origin = Vec3{1, 2, 3} - grid.direction * Vec3{21.4, 21.9, 18.7};
  const double volume = voxeliser::coverage(mesh, grid).sum().item<double>() * 1.1 * 1.0 * 0.9;
  EXPECT_NEAR(volume / enclosed_volume(mesh), 1, 0.005);
}

/// Radius of the sphere that has the volume of all voxels above `iso`, linearly interpolated along the grid's rows.
double radius_at(const Volume& volume, Vec3 centre, double iso) {
  const auto& grid = volume.grid;
  const auto* value = volume.hounsfield.data_ptr<std::int16_t>();
  double sum = 0;
  std::int64_t count = 0;
  // Rays from the centre outwards, sampled trilinearly: the outermost crossing of the iso-value.
  const auto sample = [&](Vec3 p) {
    const Vec3 q = grid.to_index(p);
    const auto x = static_cast<std::int64_t>(std::floor(q.x)), y = static_cast<std::int64_t>(std::floor(q.y)),
               z = static_cast<std::int64_t>(std::floor(q.z));
    double result = 0;
    for (int corner = 0; corner < 8; ++corner) {
      const std::int64_t i = x + (corner & 1), j = y + (corner >> 1 & 1), k = z + (corner >> 2);
      if (i < 0 || j < 0 || k < 0 || i >= grid.size[0] || j >= grid.size[1] || k >= grid.size[2]) return -1000.0;
      result += value[(k * grid.size[1] + j) * grid.size[0] + i] * (1 - std::abs(q.x - static_cast<double>(i))) *
                (1 - std::abs(q.y - static_cast<double>(j))) * (1 - std::abs(q.z - static_cast<double>(k)));
    }
    return result;
  };
  Random random(1, "rays");
  for (int ray = 0; ray < 400; ++ray) {
    const Vec3 direction = normalised({random.normal(), random.normal(), random.normal()});
    double low = 22, high = 33;  // mm: bone at the one, the joint's gap or muscle at the other
    for (int round = 0; round < 30; ++round) {
      const double middle = (low + high) / 2;
      (sample(centre + direction * middle) > iso ? low : high) = middle;
    }
    sum += low;
    ++count;
  }
  return sum / static_cast<double>(count);
}

// A blurred edge keeps its place at half its height, between soft tissue (40 HU) and cortex (about 1500 HU); at the 346
// HU of the iso-surface it lies outside by 0.8 times the scanner's blur.
TEST(Voxeliser, ASphereHasItsRadiusAtHalfTheHeightOfItsCortex) {
  const Mesh mesh = test::sphere(25, {10, -20, 30}, 6);
  Settings settings = quiet(1);
  for (const int acquisition : {0, 1}) {
    const Acquisition made = voxeliser::voxelise(mesh, settings, 7, acquisition);
    const Vec3 centre = solid_centroid(made.truth.value());
    EXPECT_NEAR(radius_at(made.volume, centre, 770), 25, 0.5) << "acquisition " << acquisition;
  }
}

// Of a volume that holds 55 to 60 cm of thigh, 15 to 18 cm thick, the fat is a shell of 3 to 8 mm and the bone little.
TEST(Voxeliser, HoldsAirSoftTissueMarrowSpongeAndCortex) {
  const Mesh mesh = transformed(test::sphere(1, {}, 5), {{{{22, 0, 0}, {0, 22, 0}, {0, 0, 180}}}, {0, 0, 0}});
  const Acquisition made = voxeliser::voxelise(mesh, quiet(2), 0, 0);
  made.volume.check();
  const at::Tensor& hu = made.volume.hounsfield;
  const double voxels = static_cast<double>(hu.numel());
  const auto share = [&](int low, int high) {
    return at::logical_and(hu.ge(low), hu.le(high)).sum().item<double>() / voxels;
  };
  EXPECT_GT(share(-1024, -950), 0.05) << "air";
  EXPECT_GT(share(-125, -75), 0.004) << "fat";
  EXPECT_GT(share(25, 60), 0.1) << "muscle";
  EXPECT_GT(share(150, 520), 0.002) << "trabecular bone";
  EXPECT_GT(share(1100, 1960), 0.002) << "cortex";
  EXPECT_LE(hu.max().item<int>(), 1960);
  EXPECT_GE(hu.min().item<int>(), -1000);
}

TEST(Voxeliser, IsTheSameForTheSameNamesAndOnAnyNumberOfThreads) {
  const Mesh mesh = test::sphere(25);
  Settings settings = quiet(2);
  settings.noise = 15;
  settings.surface_error = 0.4;
  const Acquisition a = voxeliser::voxelise(mesh, settings, 5, 0), b = voxeliser::voxelise(mesh, settings, 5, 0);
  EXPECT_EQ(a.volume.grid, b.volume.grid);
  EXPECT_TRUE(a.volume.hounsfield.equal(b.volume.hounsfield));
  EXPECT_EQ(a.volume.grid, a.volume.grid.canonical());
}

TEST(Voxeliser, AcquisitionsOfABoneDifferInGridPoseAndVoxelsNotInTissue) {
  const Mesh mesh = test::sphere(25);
  const Settings settings = quiet(2);
  const Acquisition a = voxeliser::voxelise(mesh, settings, 5, 0), b = voxeliser::voxelise(mesh, settings, 5, 1);
  EXPECT_FALSE(a.volume.grid.direction == b.volume.grid.direction);
  EXPECT_FALSE(a.volume.grid.origin == b.volume.grid.origin);
  EXPECT_FALSE(a.volume.grid.spacing == b.volume.grid.spacing);
  EXPECT_FALSE(a.truth->vertices.equal(b.truth->vertices));
  EXPECT_FALSE(a.volume.hounsfield.sizes() == b.volume.hounsfield.sizes() &&
               a.volume.hounsfield.equal(b.volume.hounsfield));
}

TEST(Voxeliser, TissueIsDrawnFromTheBonesNumberNeverFromItsSurface) {
  // draw_tissue is not even given a surface; two bones differ, and over many bones the draws fill their ranges.
  const Settings settings = quiet(2);
  double sum = 0, least = 1e9, most = 0;
  for (std::uint64_t bone = 0; bone < 500; ++bone) {
    const voxeliser::Tissue tissue = voxeliser::draw_tissue(settings, bone);
    EXPECT_EQ(tissue.shaft_thickness, voxeliser::draw_tissue(settings, bone).shaft_thickness);
    EXPECT_GE(tissue.cortical, 1200);
    EXPECT_LE(tissue.cortical, 1900);
    EXPECT_GE(tissue.trabecular, 150);
    EXPECT_LE(tissue.trabecular, 500);
    EXPECT_LE(std::abs(tissue.marrow), 50);
    EXPECT_GT(tissue.shaft_thickness, tissue.end_thickness);
    sum += tissue.shaft_thickness;
    least = std::min(least, tissue.shaft_thickness);
    most = std::max(most, tissue.shaft_thickness);
  }
  EXPECT_NEAR(sum / 500, 6, 0.15);
  EXPECT_LT(least, 4.5);
  EXPECT_GT(most, 7.5);
}

TEST(Voxeliser, RefusesAVolumeThatNoMachineHolds) {
  Settings settings = quiet(0.05);
  try {
    static_cast<void>(voxeliser::voxelise(test::sphere(25), settings, 0, 0));
    FAIL() << "no error";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find("a volume of this bone would have "), 0U) << message;
    EXPECT_NE(message.find(" voxels, more than 200 million; choose a larger spacing than 0.0"), std::string::npos)
        << message;
    EXPECT_EQ(error.cause(), Error::Cause::mistake);
  }
}

}  // namespace
}  // namespace osteon
