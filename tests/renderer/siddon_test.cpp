// The exact radiological path against brute force in double precision, and the renderer against chords of spheres.

#include "../../plugins/renderer/siddon/radiological_path.hpp"
#include "scenes.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>

namespace osteon {
namespace {

using namespace scenes;

/// Length of a ray inside the box `low` … `high`, by clipping with its six planes.
double clipped(const siddon::Ray& ray, Vec3 low, Vec3 high) {
  double from = ray.begin, to = std::numeric_limits<double>::infinity();
  for (int axis = 0; axis < 3; ++axis) {
    const double a = low[axis] - ray.start[axis], b = high[axis] - ray.start[axis], d = ray.direction[axis];
    if (d == 0) {
      if (a > 0 || b <= 0) return 0;
      continue;
    }
    from = std::max(from, std::min(a / d, b / d));
    to = std::min(to, std::max(a / d, b / d));
  }
  return std::max(0.0, to - from);
}

const std::array<std::int64_t, 3> kSize = {7, 5, 9};
const std::array<std::int64_t, 3> kStride = {1, 7, 35};

/// Compares every voxel's length, and the length in all.
void expect_as_clipped(const siddon::Ray& ray) {
  std::vector<double> lengths(7 * 5 * 9, 0);
  siddon::walk(kSize, kStride, ray, [&](std::int64_t voxel, double length) {
    EXPECT_GT(length, 0);
    EXPECT_EQ(lengths.at(static_cast<std::size_t>(voxel)), 0) << "a voxel was visited twice";
    lengths.at(static_cast<std::size_t>(voxel)) = length;
  });
  double sum = 0, expected_sum = 0;
  for (int k = 0; k < 9; ++k)
    for (int j = 0; j < 5; ++j)
      for (int i = 0; i < 7; ++i) {
        const Vec3 centre{1.0 * i, 1.0 * j, 1.0 * k}, half{0.5, 0.5, 0.5};
        const double expected = clipped(ray, centre - half, centre + half);
        const double length = lengths[static_cast<std::size_t>(i + 7 * j + 35 * k)];
        const double value = 1 + i + 0.3 * j + 0.1 * k;
        EXPECT_NEAR(length, expected, 1e-9) << i << " " << j << " " << k;
        sum += length * value;
        expected_sum += expected * value;
      }
  EXPECT_NEAR(sum, expected_sum, 1e-9 * expected_sum + 1e-12);
}

TEST(RadiologicalPath, IsThatOfEveryVoxelsBoxClipped) {
  Random random(3, "rays");
  int hits = 0;
  for (int n = 0; n < 3000; ++n) {
    const Vec3 through{random.uniform(0, 6), random.uniform(0, 4), random.uniform(0, 8)};
    const Vec3 direction = normalised({random.normal(), random.normal(), random.normal()}) * random.uniform(0.3, 3);
    const siddon::Ray ray{through - direction * random.uniform(-3, 30), direction, 0};
    expect_as_clipped(ray);
    siddon::walk(kSize, kStride, ray, [&](std::int64_t, double) { ++hits; });
    if (HasFailure()) return;
  }
  EXPECT_GT(hits, 10000);
}

TEST(RadiologicalPath, AlongTheAxesAndInThePlanesToo) {
  Random random(4, "rays");
  for (int n = 0; n < 400; ++n)
    for (int axis = 0; axis < 3; ++axis)
      for (const double sign : {-1.0, 1.0}) {
        Vec3 direction{};
        direction[axis] = sign * random.uniform(0.4, 2);
        if (n % 2 == 0) direction[(axis + 1) % 3] = random.normal();
        const Vec3 through{random.uniform(-1, 7), random.uniform(-1, 5), random.uniform(-1, 9)};
        expect_as_clipped({through - direction * 20, direction, -std::numeric_limits<double>::infinity()});
        expect_as_clipped({through, direction, 0});
      }
}

TEST(RadiologicalPath, ARayAlongAFaceIsInOneVoxelOnly) {
  for (int axis = 0; axis < 3; ++axis) {
    Vec3 direction{}, start{2.5, 1.5, 3.5};
    direction[axis] = 2;
    start[axis] = -10;
    double sum = 0;
    siddon::walk(kSize, kStride, {start, direction, 0}, [&](std::int64_t, double length) { sum += length; });
    EXPECT_NEAR(sum, static_cast<double>(kSize[static_cast<std::size_t>(axis)]) / 2, 1e-12);
  }
}

TEST(RadiologicalPath, ThroughTheCornersOfVoxelsNothingIsLostOrCountedTwice) {
  const std::array<std::int64_t, 3> cube = {8, 8, 8};
  for (const Vec3 direction : {Vec3{1, 1, 1}, Vec3{-1, 1, 1}, Vec3{1, -1, -1}, Vec3{0, 1, 1}, Vec3{1, 0, -1}}) {
    double sum = 0;
    siddon::walk(cube, {1, 8, 64}, {Vec3{3.5, 3.5, 3.5} - direction * 50, direction, 0},
                 [&](std::int64_t, double length) { sum += length; });
    EXPECT_NEAR(sum, 8, 1e-12);
  }
}

TEST(Siddon, BoxesAlongTheAxesHaveTheirLength) {
  // In float, which the images are made of: 1e-9 is checked on the path itself above.
  const std::array<std::int64_t, 3> size = {20, 31, 50};
  const Vec3 spacing{0.5, 0.7, 1.1};
  const Volume box = volume(size, spacing, {}, [](Vec3) { return 0; });
  for (int axis = 0; axis < 3; ++axis)
    for (const double sign : {-1.0, 1.0}) {
      Vec3 direction{};
      direction[axis] = sign;
      const auto integrals = renderer("siddon").prepare(box).project({{parallel(direction, kCentre, 3, 3, 0.2)}});
      const double length = static_cast<double>(size[static_cast<std::size_t>(axis)]) * spacing[axis];
      for (int pixel = 0; pixel < 9; ++pixel)
        EXPECT_NEAR(integrals[0][0][pixel / 3][pixel % 3].item<float>(), length, 1e-6 * length);
      EXPECT_EQ(integrals[0][1].abs().max().item<float>(), 0);
    }
}

TEST(Siddon, MatchesBruteForceOnATurnedAnisotropicOffCentreGrid) {
  Random random(5, "voxels");
  const Volume noise = volume({9, 7, 8}, {1, 1.3, 0.9}, rotation(normalised({1, -2, 0.5}), 0.8),
                              [&](Vec3) { return std::floor(random.uniform(-1300, 2500)); });
  const auto [I, J, K] = noise.grid.size;
  const auto* voxels = noise.hounsfield.data_ptr<std::int16_t>();
  for (const Vec3 direction : {Vec3{1, 0.3, 0.2}, Vec3{0.1, -1, 0.4}, Vec3{-0.2, 0.3, 1}})
    for (const double distance : {0.0, 3.0, 60.0}) {
      Projection view = parallel(direction, kCentre, 9, 11, 1.1);
      if (distance > 0) view = perspective(view, kCentre, distance);
      const auto integrals = renderer("siddon").prepare(noise).project({{view}});
      for (std::int64_t row = 0; row < 9; ++row)
        for (std::int64_t column = 0; column < 11; ++column) {
          const auto [from, along] = ray_of(view, row, column);
          const siddon::Ray ray{noise.grid.to_index(from), noise.grid.to_index(noise.grid.origin + along),
                                view.parallel ? -1e9 : 0};
          double water = 0, bone = 0;
          for (std::int64_t v = 0; v < I * J * K; ++v) {
            const Vec3 at{static_cast<double>(v % I), static_cast<double>(v / I % J), static_cast<double>(v / (I * J))};
            const double length = clipped(ray, at - Vec3{0.5, 0.5, 0.5}, at + Vec3{0.5, 0.5, 0.5});
            water += length * static_cast<double>(material_fractions(voxels[v]).water);
            bone += length * static_cast<double>(material_fractions(voxels[v]).bone);
          }
          EXPECT_NEAR(integrals[0][0][row][column].item<double>(), water, 1e-6 * (water + 0.1));
          EXPECT_NEAR(integrals[0][1][row][column].item<double>(), bone, 1e-6 * (bone + 0.1));
        }
    }
}

/// Mean absolute difference to the chords of a sphere of `radius` voxels, relative to their mean, over all its rays.
double sphere_error(double radius, const Projection& view) {
  const auto n = static_cast<std::int64_t>(2 * radius) + 6;
  const Volume ball = volume({n, n, n}, {1, 1, 1}, {},
                             [=](Vec3 p) { return -1000 * std::clamp(norm(p - kCentre) - radius + 0.5, 0.0, 1.0); });
  const auto integrals = renderer("siddon").prepare(ball).project({{view}});
  double difference = 0, sum = 0;
  for (std::int64_t row = 0; row < view.rows; ++row)
    for (std::int64_t column = 0; column < view.columns; ++column) {
      const auto [from, direction] = ray_of(view, row, column);
      const double distance = norm(cross(from - kCentre, direction));
      const double chord = distance < radius ? 2 * std::sqrt(radius * radius - distance * distance) : 0;
      difference += std::abs(integrals[0][0][row][column].item<double>() - chord);
      sum += chord;
    }
  return difference / sum;
}

TEST(Siddon, ChordsOfASphereConvergeWithResolution) {
  const auto error_at = [](double radius) {
    Projection view = parallel({1, 0.37, -0.21}, kCentre, 61, 61, radius / 18);
    view.first_pixel = view.first_pixel + view.direction * (2 * radius - 150);
    return sphere_error(radius, perspective(view, kCentre, 8 * radius));
  };
  const double coarse = error_at(25), middle = error_at(50), fine = error_at(100);
  EXPECT_LT(middle, 0.55 * coarse);
  EXPECT_LT(fine, 0.55 * middle);
  EXPECT_LT(fine, 0.002);
  RecordProperty("mean_error_at_100_voxels", std::to_string(fine));
}

}  // namespace
}  // namespace osteon
