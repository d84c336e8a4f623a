// Perturbations on a cylinder in muscle, whose thickness, angles and volumes are known.

#include "imaging/perturb.hpp"

#include "imaging/film.hpp"
#include "imaging/render.hpp"
#include "voxeliser/shapes.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <functional>

namespace osteon::imaging {
namespace {

constexpr double kShaftRadius = 12, kLength = 200;  // mm
constexpr std::int16_t kBone = 1200, kMuscle = 50;

Parameters perturb(std::map<std::string, ParameterValue> given) { return {perturb_schema(), given}; }

/// A cylinder along z from -100 to 100 mm with rings every 5 mm.
Mesh cylinder() {
  constexpr int kSides = 64, kRings = 41;
  std::vector<Vec3> points;
  std::vector<std::array<std::int32_t, 3>> corners;
  for (int ring = 0; ring < kRings; ++ring)
    for (int side = 0; side < kSides; ++side) {
      const double angle = radians(360.0 * side / kSides);
      points.push_back({kShaftRadius * std::cos(angle), kShaftRadius * std::sin(angle), -kLength / 2 + 5.0 * ring});
      const int next = (side + 1) % kSides, here = ring * kSides, above = here + kSides;
      if (ring + 1 == kRings) continue;
      corners.push_back({here + side, here + next, above + side});
      corners.push_back({here + next, above + next, above + side});
    }
  const auto bottom = static_cast<std::int32_t>(points.size());
  points.push_back({0, 0, -kLength / 2});
  points.push_back({0, 0, kLength / 2});
  for (int side = 0; side < kSides; ++side) {
    const int next = (side + 1) % kSides, top = (kRings - 1) * kSides;
    corners.push_back({bottom, next, side});
    corners.push_back({bottom + 1, top + side, top + next});
  }
  return test::mesh_of(points, corners);
}

/// The frame of a left bone: medial -x, anterior -y.
BoneFrame shaft_frame() { return {{0, 0, 0}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 1}, kLength}; }

using Visit = std::function<void(std::int16_t, Vec3, std::int64_t)>;
void each_voxel(const Volume& volume, const Visit& visit) {
  const auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  std::int64_t n = 0;
  for (std::int64_t k = 0; k < volume.grid.size[2]; ++k)
    for (std::int64_t j = 0; j < volume.grid.size[1]; ++j)
      for (std::int64_t i = 0; i < volume.grid.size[0]; ++i, ++n)
        visit(voxel[n], volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k}), n);
}

/// On a grid turned about z, of three spacings.
Volume scene(std::int16_t bone = kBone, std::int16_t around = kMuscle) {
  Volume volume;
  volume.grid = {{100, 90, 150}, {1, 1.1, 1.5}, {}, rotation({0, 0, 1}, 0.3)};
  volume.grid.origin = -volume.grid.centre();
  volume.hounsfield = at::full({150, 90, 100}, around, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  each_voxel(volume, [&](std::int16_t, Vec3 p, std::int64_t n) {
    if (std::hypot(p.x, p.y) < kShaftRadius && std::abs(p.z) < kLength / 2) voxel[n] = bone;
  });
  return volume;
}

double voxel_volume(const Grid& grid) { return grid.spacing.x * grid.spacing.y * grid.spacing.z; }

double bone_volume(const Volume& volume) {
  double sum = 0;
  each_voxel(volume, [&](std::int16_t v, Vec3, std::int64_t) { sum += v > 600 ? voxel_volume(volume.grid) : 0; });
  return sum;
}

/// Centroid of the dense voxels between two heights.
Vec3 centroid(const Volume& volume, double low, double high) {
  Vec3 sum{};
  double count = 0;
  each_voxel(volume, [&](std::int16_t v, Vec3 p, std::int64_t) {
    if (v <= 600 || p.z < low || p.z > high) return;
    sum = sum + p;
    ++count;
  });
  return sum * (1 / count);
}

TEST(Perturb, StrengthZeroChangesNothing) {
  const Parameters none = perturb({});
  EXPECT_FALSE(is_perturbed(none));
  const Volume volume = scene(), same = perturbed(volume, cylinder(), shaft_frame(), none);
  EXPECT_TRUE(at::equal(same.hounsfield, volume.hounsfield));
  EXPECT_EQ(same.grid, volume.grid);
  const std::vector<Pose> poses = {{1, 2, 3}};
  EXPECT_EQ(with_view_error(poses, none, 7).front().axial, 1);
  ImageSet set{at::randint(0, 256, {1, 64, 64}, at::kByte), std::vector<ImageRow>(1)};
  const at::Tensor before = set.pixels.clone();
  const Parameters views(views_schema(), {});
  perturb_images(set, poses, poses, cylinder(), shaft_frame(), views, none, 7);
  EXPECT_TRUE(at::equal(set.pixels, before));
}

TEST(Perturb, AThinShaftIsThinnerByWhatWasAskedInBothPlanes) {
  const Volume before = scene();
  const at::Tensor kept = before.hounsfield.clone();
  const Volume after = perturbed(before, cylinder(), shaft_frame(), perturb({{"thin_shaft", 40.0}}));
  EXPECT_TRUE(at::equal(before.hounsfield, kept)) << "the given volume is left as it was";
  const auto* old = before.hounsfield.data_ptr<std::int16_t>();
  // Second moments tell the thickness without the voxels' steps: of a disc of radius r the variance is r²/4.
  double xx = 0, yy = 0, count = 0;
  each_voxel(after, [&](std::int16_t v, Vec3 p, std::int64_t n) {
    if (std::abs(p.z) > 30 || std::hypot(p.x, p.y) > kShaftRadius + 5) {
      ASSERT_EQ(v, old[n]) << "untouched: " << p.x << " " << p.y << " " << p.z;
    }
    if (std::abs(p.z) > 10) return;
    ASSERT_TRUE(v == kBone || v == kMuscle) << v;
    if (v != kBone) return;
    xx += p.x * p.x;
    yy += p.y * p.y;
    ++count;
  });
  // The slices cut the voxels all alike, so a third of a voxel remains.
  EXPECT_NEAR(2 * std::sqrt(xx / count), 0.6 * kShaftRadius, 0.35);
  EXPECT_NEAR(2 * std::sqrt(yy / count), 0.6 * kShaftRadius, 0.35);
}

TEST(Perturb, ABrokenEndHasTheAskedAngleAndItsVolume) {
  const Volume before = scene();
  for (const double towards : {0.0, 90.0}) {
    const Volume after =
        perturbed(before, cylinder(), shaft_frame(),
                  perturb({{"broken_end", 25.0}, {"broken_end_height", 75.0}, {"broken_end_towards", towards}}));
    const Vec3 axis = centroid(after, 82, 86) - centroid(after, 66, 70);
    const double aside = towards == 0 ? -axis.x : -axis.y, across = towards == 0 ? axis.y : axis.x;
    EXPECT_NEAR(degrees(std::atan2(aside, axis.z)), 25, 1) << towards;
    EXPECT_NEAR(degrees(std::atan2(across, axis.z)), 0, 1) << towards;
    EXPECT_NEAR(bone_volume(after) / bone_volume(before), 1, 0.03);
  }
}

TEST(Perturb, ABrokenEndLeavesTheShaftBelowAndShiftsAsAsked) {
  const Volume before = scene();
  const Volume after =
      perturbed(before, cylinder(), shaft_frame(), perturb({{"broken_end_shift", 10.0}, {"broken_end_height", 75.0}}));
  ASSERT_EQ(after.grid, before.grid);
  const Vec3 end = centroid(after, 55, 95);
  EXPECT_NEAR(end.x, -10, 0.3);
  EXPECT_NEAR(end.y, 0, 0.3);
  const auto* old = before.hounsfield.data_ptr<std::int16_t>();
  each_voxel(after, [&](std::int16_t v, Vec3 p, std::int64_t n) {
    if (p.z < 49) {
      ASSERT_EQ(v, old[n]) << p.x << " " << p.y << " " << p.z;
    }
    if (p.z > 52 && p.x > 4 && std::hypot(p.x, p.y) < kShaftRadius + 10) {
      ASSERT_EQ(v, kMuscle) << p.x << " " << p.y << " " << p.z << ": flesh fills the gap";
    }
  });
}

TEST(Perturb, TheVolumeGrowsWhereABrokenEndWouldLeaveIt) {
  const Volume before = scene();
  const Volume after =
      perturbed(before, cylinder(), shaft_frame(), perturb({{"broken_end", 90.0}, {"broken_end_height", 60.0}}));
  EXPECT_GT(after.hounsfield.numel(), before.hounsfield.numel());
  // What overlaps is a quarter of a cylinder's cut; of the whole bone that is little.
  EXPECT_NEAR(bone_volume(after) / bone_volume(before), 1, 0.06);
  const Vec3 end = centroid(after, 20 - 2, 20 + kShaftRadius);
  EXPECT_LT(end.x, -25) << "it lies medially";
}

TEST(Perturb, ARodsLineIntegralIsItsDiameterTimesItsDensity) {
  const Volume after = perturbed(
      scene(0, 0), cylinder(), shaft_frame(),
      perturb({{"implant_diameter", 9.0}, {"implant_length", 120.0}, {"implant_hounsfield", std::int64_t{3000}}}));
  const auto voxels = after.hounsfield.accessor<std::int16_t, 3>();
  double integral = 0;
  int lines = 0;
  for (double z = -50; z <= 50; z += 0.7, ++lines)
    for (double x = -20; x <= 20; x += 0.1) {
      const Vec3 index = after.grid.to_index({x, 0, z});
      integral += 0.1 * voxels[std::lround(index.z)][std::lround(index.y)][std::lround(index.x)];
    }
  // The voxels nearest to the line lie up to half a voxel beside it, where the chord is shorter.
  EXPECT_NEAR(integral / lines, 9 * 3000, 0.03 * 9 * 3000);
  double mass = 0;
  each_voxel(after, [&](std::int16_t v, Vec3, std::int64_t) { mass += v * voxel_volume(after.grid); });
  EXPECT_NEAR(mass / (std::numbers::pi * 4.5 * 4.5 * 120 * 3000), 1, 0.02);
}

TEST(Perturb, APlateLiesOnTheLateralSide) {
  const Volume after = perturbed(scene(0, 0), cylinder(), shaft_frame(),
                                 perturb({{"implant", std::string("plate")},
                                          {"implant_diameter", 5.0},
                                          {"implant_width", 14.0},
                                          {"implant_length", 100.0},
                                          {"implant_hounsfield", std::int64_t{3000}}}));
  double mass = 0;
  Vec3 sum{};
  each_voxel(after, [&](std::int16_t v, Vec3 p, std::int64_t) {
    mass += v * voxel_volume(after.grid);
    sum = sum + p * (v * voxel_volume(after.grid));
  });
  EXPECT_NEAR(mass / (5.0 * 14 * 100 * 3000), 1, 0.02);
  EXPECT_NEAR(sum.x / mass, kShaftRadius + 2.5, 0.7);
  EXPECT_NEAR(sum.y / mass, 0, 0.1);
}

TEST(Perturb, AHipStemNeedsAHeadAndFillsIt) {
  const Parameters stem = perturb({{"implant", std::string("stem")}, {"implant_diameter", 14.0}});
  try {
    (void)perturbed(scene(), cylinder(), shaft_frame(), stem);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "perturb.implant = \"stem\" needs the femoral head's centre, and no head was found; use \"rod\"");
  }
  BoneFrame with_head = shaft_frame();
  with_head.hip_centre = Vec3{-30, 0, 90};
  with_head.head_radius = 22;
  const Volume after = perturbed(scene(), cylinder(), with_head, stem);
  const Vec3 index = after.grid.to_index(*with_head.hip_centre);
  EXPECT_EQ(
      (after.hounsfield.accessor<std::int16_t, 3>()[std::lround(index.z)][std::lround(index.y)][std::lround(index.x)]),
      3071);
}

TEST(Perturb, ContradictingHeightsAreAMistake) {
  try {
    (void)is_perturbed(perturb({{"thin_shaft", 10.0}, {"thin_shaft_from", 70.0}}));
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "perturb.thin_shaft_from = 70 must be below perturb.thin_shaft_to = 65");
  }
}

/// X-rays of the cylinder, AP | ML, 1.25 mm a pixel, bone bright.
struct Xrays {
  std::vector<Pose> poses = {{}, {0, 0, 10}};
  Parameters views{views_schema(),
                   {{"height", std::int64_t{192}}, {"field_of_view", 240.0}, {"geometry", std::string("parallel")}}};
  Parameters film{film_schema(), {{"energies", std::vector<double>{60}}}};

  [[nodiscard]] ImageSet taken(const std::vector<Pose>& at) const {
    static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    const auto& plugin = registry.find("renderer", "joseph");
    const host::RendererHandle renderer(plugin, Parameters(plugin.schema, {}));
    return render(renderer, scene(), shaft_frame(), at, views, film, {});
  }
  /// After the perturbation.
  [[nodiscard]] ImageSet painted(const Parameters& by) const {
    const auto truly = with_view_error(poses, by, 7);
    ImageSet set = taken(truly);
    perturb_images(set, poses, truly, cylinder(), shaft_frame(), views, by, 7);
    return set;
  }
};

at::Tensor half(const ImageSet& set, std::int64_t image, Plane plane) {
  return set.pixels[image].slice(1, plane == Plane::ap ? 0 : 96, plane == Plane::ap ? 96 : 192);
}

/// Columns of a row that are brighter than the flesh at its side, and their middle.
std::pair<double, double> bright(const at::Tensor& image, std::int64_t row) {
  const at::Tensor greys = image[row].to(at::kDouble);
  const double flesh = greys.slice(0, 24, 34).mean().item<double>(), most = greys.max().item<double>();
  const at::Tensor is_bone = greys.gt((flesh + most) / 2).to(at::kDouble);
  const double count = is_bone.sum().item<double>();
  return {count, (is_bone * at::arange(96, at::kDouble)).sum().item<double>() / std::max(count, 1.0)};
}

TEST(Perturb, AThinShaftIsPaintedOnTheAskedImageAlone) {
  const Xrays xrays;
  const ImageSet healthy = xrays.taken(xrays.poses);
  const ImageSet ap = xrays.painted(perturb({{"thin_shaft", 50.0}, {"thin_shaft_on", std::string("ap")}}));
  const ImageSet both = xrays.painted(perturb({{"thin_shaft", 50.0}, {"thin_shaft_on", std::string("both")}}));
  for (const std::int64_t image : {0, 1}) {
    EXPECT_TRUE(at::equal(half(ap, image, Plane::ml), half(healthy, image, Plane::ml)));
    EXPECT_TRUE(at::equal(half(ap, image, Plane::ap), half(both, image, Plane::ap)));
  }
  for (const Plane plane : {Plane::ap, Plane::ml}) {
    EXPECT_GT(1.25 * bright(half(healthy, 0, plane), 96).first, 1.6 * kShaftRadius);
    EXPECT_NEAR(1.25 * bright(half(both, 0, plane), 96).first, kShaftRadius, 2.5)
        << "half of the diameter, one pixel more or less at each side";
  }
  EXPECT_TRUE(at::equal(both.pixels.slice(1, 0, 50), healthy.pixels.slice(1, 0, 50)));
}

TEST(Perturb, ABrokenEndIsPaintedOnOneImageAtTheAskedAngle) {
  const Xrays xrays;
  const ImageSet healthy = xrays.taken(xrays.poses);
  const ImageSet set =
      xrays.painted(perturb({{"broken_end", 20.0}, {"broken_end_height", 60.0}, {"broken_end_on", std::string("ap")}}));
  EXPECT_TRUE(at::equal(half(set, 0, Plane::ml), half(healthy, 0, Plane::ml)));
  const double up = bright(half(set, 0, Plane::ap), 35).second, down = bright(half(set, 0, Plane::ap), 65).second;
  EXPECT_NEAR(degrees(std::atan2(up - down, 30)), 20, 1.5) << "to the right, which is medial";
  EXPECT_TRUE(at::equal(set.pixels[0].slice(0, 88), healthy.pixels[0].slice(0, 88))) << "below the break";
}

TEST(Perturb, NoiseTruncationAndViewErrorAreWhatWasAsked) {
  const Xrays xrays;
  const ImageSet healthy = xrays.taken(xrays.poses);
  const ImageSet noisy = xrays.painted(perturb({{"noise", 4.0}}));
  const at::Tensor middle = healthy.pixels.gt(40).logical_and(healthy.pixels.lt(215));
  const at::Tensor change = (noisy.pixels.to(at::kDouble) - healthy.pixels.to(at::kDouble)).masked_select(middle);
  EXPECT_NEAR(change.std().item<double>(), 4, 0.3);
  EXPECT_TRUE(at::equal(xrays.painted(perturb({{"noise", 4.0}})).pixels, noisy.pixels)) << "the same when repeated";

  const ImageSet cut = xrays.painted(perturb({{"truncation", 25.0}, {"truncation_end", std::string("distal")}}));
  EXPECT_EQ(cut.pixels.slice(1, 144).max().item<int>(), 0);
  EXPECT_TRUE(at::equal(cut.pixels.slice(1, 0, 144), healthy.pixels.slice(1, 0, 144)));

  const Parameters error = perturb({{"view_error", 8.0}});
  const auto taken = with_view_error(xrays.poses, error, 7);
  const ImageSet turned = xrays.painted(error);
  EXPECT_FALSE(at::equal(turned.pixels, healthy.pixels));
  for (std::size_t i = 0; i < taken.size(); ++i) {
    EXPECT_LE(std::abs(taken[i].in_plane - xrays.poses[i].in_plane), 8);
    EXPECT_NE(taken[i].axial, xrays.poses[i].axial);
    EXPECT_EQ(turned.rows[i].in_plane, xrays.poses[i].in_plane) << "what one is told";
    EXPECT_EQ(turned.rows[i].ml_axial, healthy.rows[i].ml_axial);
  }
}

}  // namespace
}  // namespace osteon::imaging
