// Line integrals against chord lengths that are known. Every test runs over rays in all directions, so that each axis
// of the grid is once the one along which the renderer steps, and once the one that lies fastest in memory.

#include "host/handles.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace osteon {
namespace {

const host::RendererHandle& joseph() {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  static const auto& plugin = registry.find("renderer", "joseph");
  static const host::RendererHandle handle(plugin, Parameters(plugin.schema, {}));
  return handle;
}

Volume volume(std::array<std::int64_t, 3> size, Vec3 spacing, const Mat3& direction,
              const std::function<double(Vec3)>& hounsfield_at) {
  Volume result;
  result.grid = {size, spacing, {}, direction};
  result.grid.origin = -result.grid.centre() + Vec3{3, -5, 8};
  result.hounsfield = at::empty({size[2], size[1], size[0]}, at::kShort);
  auto* voxel = result.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t k = 0; k < size[2]; ++k)
    for (std::int64_t j = 0; j < size[1]; ++j)
      for (std::int64_t i = 0; i < size[0]; ++i) {
        const Vec3 index{static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)};
        *voxel++ = static_cast<std::int16_t>(hounsfield_at(result.grid.to_patient(index)));
      }
  return result;
}

const Vec3 kCentre{3, -5, 8};  // of every volume here, off the origin

/// `n` × `n` parallel rays along `direction`, `pitch` mm apart, the middle one through `target`.
Projection square_parallel(Vec3 direction, Vec3 target, std::int64_t n, double pitch) {
  Projection p;
  p.parallel = true;
  p.direction = normalised(direction);
  const Vec3 other = std::abs(p.direction.z) < 0.9 ? Vec3{0, 0, 1} : Vec3{1, 0, 0};
  const Vec3 right = normalised(cross(p.direction, other));
  p.column_step = right * pitch;
  p.row_step = cross(right, p.direction) * -pitch;
  p.rows = p.columns = n;
  const double middle = static_cast<double>(n - 1) / 2;
  p.first_pixel = target + p.direction * 10 - p.column_step * middle - p.row_step * middle;
  return p;
}

/// The same pixels as `p`, seen from a point source at `distance` from `target`.
Projection perspective(Projection p, Vec3 target, double distance) {
  p.parallel = false;
  p.source = target - p.direction * distance;
  return p;
}

at::Tensor project(const Volume& v, const std::vector<Projection>& views) { return joseph().prepare(v).project(views); }

const std::vector<Vec3> kDirections = {{1, 0, 0}, {0, 1, 0},  {0, 0, 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1},
                                       {3, 1, 1}, {1, -3, 1}, {1, 1, 3}, {1, 1, 0},  {-2, 1, -2}};

TEST(Joseph, CentralRaysOfABoxHaveItsLength) {
  // A voxel counts with its full width: n voxels of water are n·spacing long.
  const std::array<std::int64_t, 3> size = {20, 30, 50};
  const Vec3 spacing{0.5, 0.7, 1.1};
  const Volume box = volume(size, spacing, {}, [](Vec3) { return 0; });
  for (int axis = 0; axis < 3; ++axis) {
    Vec3 direction{};
    direction[axis] = 1;
    const auto integrals = project(box, {square_parallel(direction, kCentre, 1, 1)});
    const double length = static_cast<double>(size[static_cast<std::size_t>(axis)]) * spacing[axis];
    EXPECT_NEAR(integrals[0][0][0][0].item<float>(), length, 1e-4 * length);
    EXPECT_EQ(integrals[0][1][0][0].item<float>(), 0);
  }
}

TEST(Joseph, ObliqueRaysOfABoxHaveTheirChord) {
  const Volume box = volume({40, 40, 40}, {1, 1, 1}, {}, [](Vec3) { return 0; });
  // Through two opposite faces at an angle: 40 / cos.
  for (const double angle : {5.0, 20.0, 40.0}) {
    const Vec3 direction{std::cos(radians(angle)), std::sin(radians(angle)), 0};
    const double expected = 40 / direction.x;
    EXPECT_NEAR(project(box, {square_parallel(direction, kCentre, 1, 1)})[0][0][0][0].item<float>(), expected,
                0.03 * expected);
  }
}

TEST(Joseph, BothMaterialsAreIntegratedWithTheirFractions) {
  const Vec3 spacing{1, 1, 1};
  const auto along_x = [&](double hounsfield) {
    const Volume box = volume({30, 20, 20}, spacing, {}, [=](Vec3) { return hounsfield; });
    const auto integrals = project(box, {square_parallel({1, 0, 0}, kCentre, 1, 1)});
    return std::pair{integrals[0][0][0][0].item<double>(), integrals[0][1][0][0].item<double>()};
  };
  for (const double hounsfield : {-1000.0, -400.0, 0.0, 800.0, 1600.0, 2400.0}) {
    const auto [water, bone] = along_x(hounsfield);
    const MaterialFractions fractions = material_fractions(hounsfield);
    EXPECT_NEAR(water, 30 * fractions.water, 1e-4);
    EXPECT_NEAR(bone, 30 * fractions.bone, 1e-4);
  }
}

/// A sphere of water whose voxels hold their share of it.
Volume sphere(double radius, Vec3 spacing, const Mat3& direction) {
  std::array<std::int64_t, 3> size{};
  for (int axis = 0; axis < 3; ++axis)
    size[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(2 * radius / spacing[axis]) + 6;
  const double width = (spacing.x + spacing.y + spacing.z) / 3;
  return volume(size, spacing, direction,
                [=](Vec3 p) { return -1000 * std::clamp((norm(p - kCentre) - radius) / width + 0.5, 0.0, 1.0); });
}

/// Mean and largest difference to the chords of a sphere, relative to its diameter, over rays that pass within 90 % of
/// it.
std::pair<double, double> sphere_error(const Volume& ball, double radius, const Projection& view) {
  const auto integrals = project(ball, {view});
  double sum = 0, largest = 0;
  int count = 0;
  for (std::int64_t row = 0; row < view.rows; ++row)
    for (std::int64_t column = 0; column < view.columns; ++column) {
      const Vec3 pixel =
          view.first_pixel + view.row_step * static_cast<double>(row) + view.column_step * static_cast<double>(column);
      const Vec3 direction = view.parallel ? view.direction : normalised(pixel - view.source);
      const double distance = norm(cross(pixel - kCentre, direction));
      if (distance > 0.9 * radius) continue;
      const double chord = 2 * std::sqrt(radius * radius - distance * distance);
      const double difference = std::abs(integrals[0][0][row][column].item<double>() - chord) / (2 * radius);
      sum += difference;
      largest = std::max(largest, difference);
      ++count;
    }
  EXPECT_GT(count, 100);
  return {sum / count, largest};
}

TEST(Joseph, ChordsOfASphereAreRightToOnePercentInEveryDirection) {
  const Volume ball = sphere(30, {1, 1, 1}, {});
  for (const Vec3 direction : kDirections) {
    const auto [mean, largest] = sphere_error(ball, 30, square_parallel(direction, kCentre, 25, 2.3));
    EXPECT_LT(mean, 0.005);
    EXPECT_LT(largest, 0.02);
  }
}

TEST(Joseph, HonoursAnisotropicSpacingAndDirection) {
  const Mat3 oblique = rotation(normalised({1, 2, 3}), 0.7);
  for (const Vec3 spacing : {Vec3{0.6, 0.9, 1.5}, Vec3{1.5, 0.6, 0.9}})
    for (const Mat3& direction : {Mat3{}, oblique}) {
      const Volume ball = sphere(25, spacing, direction);
      for (const Vec3 along : kDirections) {
        const auto [mean, largest] = sphere_error(ball, 25, square_parallel(along, kCentre, 25, 1.9));
        EXPECT_LT(mean, 0.01);
        EXPECT_LT(largest, 0.03);
      }
    }
}

TEST(Joseph, PerspectiveRaysHaveTheChordsOfTheirOwnDirections) {
  const Volume ball = sphere(30, {1, 1, 1}, {});
  for (const Vec3 direction : kDirections) {
    const auto view = perspective(square_parallel(direction, kCentre, 25, 2.3), kCentre, 120);
    EXPECT_LT(sphere_error(ball, 30, view).first, 0.005);
  }
}

TEST(Joseph, AFarSourceSeesWhatParallelRaysSee) {
  const Volume ball = sphere(20, {1, 1, 1.3}, rotation({1, 0, 0}, 0.3));
  const Projection near = square_parallel({1, 3, 0.5}, kCentre, 31, 1.5);
  const auto integrals = project(ball, {near, perspective(near, kCentre, 1e6)});
  EXPECT_LT((integrals[0] - integrals[1]).abs().max().item<float>(), 0.02);
}

TEST(Joseph, TurningGridAndRaysTogetherChangesNothing) {
  const auto shape = [](Vec3 p) { return p.x > kCentre.x ? 1600.0 : p.z > kCentre.z ? 0.0 : -500.0; };
  const Volume straight = volume({30, 24, 40}, {1, 1.2, 0.8}, {}, shape);
  const Mat3 turn = rotation(normalised({2, -1, 1}), 1.1);
  Volume turned = straight;
  turned.grid.direction = turn;
  turned.grid.origin = turn * straight.grid.origin;
  for (const Vec3 direction : kDirections) {
    Projection view = perspective(square_parallel(direction, kCentre, 21, 1.7), kCentre, 200);
    const auto before = project(straight, {view});
    for (Vec3* v : {&view.source, &view.direction, &view.first_pixel, &view.row_step, &view.column_step})
      *v = turn * *v;
    const auto after = project(turned, {view});
    // At 45° two axes are equally good, and rounding may choose one or the other.
    EXPECT_LT((before - after).abs().mean().item<float>(), 0.02);
    if (direction == kDirections[0] || direction == kDirections[6]) {
      EXPECT_LT((before - after).abs().max().item<float>(), 1e-3);
    }
  }
}

TEST(Joseph, AgreesWithANaiveIntegralInDoublePrecision) {
  Random random(5, "voxels");
  const Volume noise = volume({13, 11, 17}, {1, 1.3, 0.9}, rotation({0, 0, 1}, 0.2),
                              [&](Vec3) { return std::floor(random.uniform(-1000, 2500)); });
  const auto* voxels = noise.hounsfield.data_ptr<std::int16_t>();
  const auto bone_at = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
    const auto [I, J, K] = noise.grid.size;
    if (i < 0 || j < 0 || k < 0 || i >= I || j >= J || k >= K) return 0.0;
    return static_cast<double>(material_fractions(voxels[(k * J + j) * I + i]).bone);
  };
  for (const Vec3 direction : {Vec3{1, 0.3, 0.2}, Vec3{0.1, -1, 0.4}, Vec3{-0.2, 0.3, 1}}) {
    const Projection view = square_parallel(direction, kCentre, 15, 1.4);
    const auto integrals = project(noise, {view});
    for (std::int64_t row = 0; row < 15; ++row)
      for (std::int64_t column = 0; column < 15; ++column) {
        const Vec3 from = noise.grid.to_index(view.first_pixel + view.row_step * static_cast<double>(row) +
                                              view.column_step * static_cast<double>(column));
        const Vec3 d = noise.grid.to_index(noise.grid.origin + view.direction);
        int axis = 0;
        for (int other = 1; other < 3; ++other)
          if (std::abs(d[other]) > std::abs(d[axis])) axis = other;
        double sum = 0;
        for (std::int64_t plane = 0; plane < noise.grid.size[static_cast<std::size_t>(axis)]; ++plane) {
          const Vec3 at = from + d * ((static_cast<double>(plane) - from[axis]) / d[axis]);
          for (int corner = 0; corner < 8; ++corner) {
            double weight = 1;
            std::array<std::int64_t, 3> index{};
            for (int a = 0; a < 3; ++a) {
              const double whole = a == axis ? static_cast<double>(plane) : std::floor(at[a]);
              const double part = a == axis ? 0 : at[a] - whole;
              const bool upper = (corner >> a & 1) != 0;
              weight *= upper ? part : 1 - part;
              index[static_cast<std::size_t>(a)] = static_cast<std::int64_t>(whole) + (upper ? 1 : 0);
            }
            sum += weight == 0 ? 0 : weight * bone_at(index[0], index[1], index[2]);
          }
        }
        EXPECT_NEAR(integrals[0][1][row][column].item<double>(), sum / std::abs(d[axis]), 0.02);
      }
  }
}

TEST(Joseph, OnlyWhatLiesBeforeTheSourceIsSeen) {
  const Volume box = volume({40, 40, 40}, {1, 1, 1}, {}, [](Vec3) { return 0; });
  const Projection view = perspective(square_parallel({1, 0, 0}, kCentre, 1, 1), kCentre, 0);
  EXPECT_NEAR(project(box, {view})[0][0][0][0].item<float>(), 20, 0.6);
}

TEST(Joseph, AirGivesZeroAndNothingIsNegative) {
  const Volume air = volume({8, 8, 8}, {1, 1, 1}, {}, [](Vec3) { return -1000; });
  EXPECT_EQ(project(air, {square_parallel({1, 2, 3}, kCentre, 9, 1)}).abs().max().item<float>(), 0);
  const Volume single = volume({9, 9, 9}, {1, 1, 1}, {}, [](Vec3 p) { return norm(p - kCentre) < 0.1 ? 1600 : -1000; });
  for (const Vec3 direction : kDirections) {
    const auto integrals = project(single, {square_parallel(direction, kCentre, 41, 0.1)});
    EXPECT_GE(integrals.min().item<float>(), 0);
    EXPECT_GT(integrals.max().item<float>(), 0.9);
    EXPECT_EQ(integrals[0][1][0][0].item<float>(), 0) << "a voxel must not spread over more than its neighbours";
  }
}

TEST(Joseph, TheSameBitsWithAnyNumberOfThreads) {
  const Volume ball = sphere(20, {1, 1, 1}, {});
  std::vector<Projection> views;
  for (const Vec3 direction : kDirections)
    views.push_back(perspective(square_parallel(direction, kCentre, 33, 1.4), kCentre, 300));
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = project(ball, views);
  at::set_num_threads(2);
  const auto two = project(ball, views);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.equal(two));
  EXPECT_TRUE(project(ball, {views[3]})[0].equal(one[3])) << "nor does it matter which views are asked for together";
}

TEST(Joseph, RefusesAVolumeWhoseGridIsNotItsTensors) {
  Volume broken = sphere(5, {1, 1, 1}, {});
  broken.grid.size[0] += 1;
  try {
    (void)joseph().prepare(broken);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "renderer/joseph: a volume's voxels do not have the size of its grid");
  }
}

}  // namespace
}  // namespace osteon
