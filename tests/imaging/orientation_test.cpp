// A CT may be stored along any axes, of a body in any position, of either side: the X-rays are to be the same.

#include "imaging/render.hpp"

#include "imaging/imaging.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

host::Registry& registry() {
  static host::Registry plugins({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return plugins;
}

template <class H>
H handle(const std::string& kind, const std::string& name, const std::map<std::string, ParameterValue>& given = {}) {
  const auto& plugin = registry().find(kind, name);
  return H(plugin, Parameters(plugin.schema, given));
}

/// A right phantom femur and its first acquisition.
const Volume& phantom() {
  static const Volume volume = [] {
    const auto source = handle<host::SourceHandle>("source", "phantom",
                                                   {{"bones", std::int64_t{1}}, {"spacing", 3.0}, {"sides", "right"}});
    return source.acquire(source.specimens().front(), 0).volume;
  }();
  return volume;
}

/// The same voxels, stored with index axis `order[n]` as the n-th one, and turned round where `flip` says so.
Volume stored_as(const Volume& volume, std::array<int, 3> order, std::array<bool, 3> flip) {
  Volume result;
  Vec3 first{};
  for (std::size_t n = 0; n < 3; ++n) {
    const auto axis = static_cast<std::size_t>(order[n]);
    result.grid.size[n] = volume.grid.size[axis];
    result.grid.spacing[static_cast<int>(n)] = volume.grid.spacing[order[n]];
    result.grid.direction.column[n] = volume.grid.direction.column[axis] * (flip[n] ? -1.0 : 1.0);
    if (flip[n]) first[order[n]] = static_cast<double>(volume.grid.size[axis] - 1);
  }
  result.grid.origin = volume.grid.to_patient(first);
  // The tensor's dimensions run k, j, i.
  at::Tensor voxels = volume.hounsfield.permute({2 - order[2], 2 - order[1], 2 - order[0]});
  for (std::size_t n = 0; n < 3; ++n)
    if (flip[n]) voxels = voxels.flip({static_cast<std::int64_t>(2 - n)});
  result.hounsfield = voxels.contiguous();
  result.check();
  return result;
}

/// The body turned about the origin.
Volume turned(Volume volume, const Mat3& turn) {
  volume.grid.origin = turn * volume.grid.origin;
  volume.grid.direction = turn * volume.grid.direction;
  return volume;
}

/// The mirror image of the body (x to -x), on a right-handed grid.
Volume mirrored(const Volume& volume) {
  Volume result = volume;
  const auto flipped = [](Vec3 v) { return Vec3{-v.x, v.y, v.z}; };
  for (Vec3& column : result.grid.direction.column) column = flipped(column);
  result.grid.direction.column[0] = -result.grid.direction.column[0];
  result.grid.origin = flipped(volume.grid.to_patient({static_cast<double>(volume.grid.size[0] - 1), 0, 0}));
  result.hounsfield = volume.hounsfield.flip({2}).contiguous();
  result.check();
  return result;
}

at::Tensor xrays(const Volume& volume, Side side) {
  const auto surface = handle<host::SurfaceHandle>("surface", "isosurface");
  const auto renderer = handle<host::RendererHandle>("renderer", "joseph");
  const BoneFrame frame = find_bone_frame(surface.extract(volume), side);
  const std::vector<Pose> poses = {{}, {15, 5, -10}};
  return render(renderer, volume, frame, poses, Parameters(views_schema(), {{"height", std::int64_t{96}}}),
                Parameters(film_schema(), {{"energies", std::vector<double>{70}}}), {})
      .pixels.to(at::kInt);
}

/// Within the rounding of interpolation: one grey value here and there (measured: 0.014 in the mean, 1 at most).
void expect_same_images(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor difference = (a - b).abs();
  std::printf("  grey values: mean difference %.3f, largest %d\n", difference.to(at::kDouble).mean().item<double>(),
              difference.max().item<int>());
  EXPECT_LT(difference.to(at::kDouble).mean().item<double>(), 0.05);
  EXPECT_LT(difference.max().item<int>(), 2);
}

TEST(Orientation, EightWaysOfStoringABoneGiveTheSameImage) {
  const at::Tensor standard = xrays(phantom(), Side::right);
  struct Way {
    std::array<int, 3> order;
    std::array<bool, 3> flip;
  };
  const std::vector<Way> ways = {{{0, 1, 2}, {true, true, false}},   {{0, 1, 2}, {false, true, true}},
                                 {{1, 2, 0}, {false, false, false}}, {{2, 0, 1}, {false, false, false}},
                                 {{1, 0, 2}, {true, false, false}},  {{0, 2, 1}, {false, false, true}},
                                 {{2, 1, 0}, {true, true, true}},    {{2, 1, 0}, {false, true, false}}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    SCOPED_TRACE(i);
    expect_same_images(standard, xrays(stored_as(phantom(), ways[i].order, ways[i].flip), Side::right));
  }
}

TEST(Orientation, ABodyInAnyPositionGivesTheSameImage) {
  const at::Tensor standard = xrays(phantom(), Side::right);
  for (const auto& [axis, angle] : std::vector<std::pair<Vec3, double>>{
           {{1, 0, 0}, 90}, {{0, 1, 0}, 90}, {{0, 0, 1}, 180}, {{0, 0, 1}, 45}, {{1, 2, -1}, 50}}) {
    SCOPED_TRACE(angle);
    expect_same_images(standard, xrays(turned(phantom(), rotation(normalised(axis), radians(angle))), Side::right));
  }
}

TEST(Orientation, AMirroredLeftBoneEqualsItsRightTwin) {
  expect_same_images(xrays(phantom(), Side::right), xrays(mirrored(phantom()), Side::left));
}

TEST(Orientation, ABoneOfUnknownSideIsTakenForWhatItsShapeIs) {
  expect_same_images(xrays(phantom(), Side::right), xrays(phantom(), Side::unknown));
  expect_same_images(xrays(phantom(), Side::right), xrays(mirrored(phantom()), Side::unknown));
}

TEST(Orientation, NoSpacingOfZeroOrLess) {
  for (const double spacing : {0.0, -2.0}) {
    Volume volume = phantom();
    volume.grid.spacing.y = spacing;
    try {
      (void)handle<host::RendererHandle>("renderer", "joseph").prepare(volume);
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(text("voxel spacing must be above 0 mm; along axis 1 it is ", spacing)),
                std::string::npos)
          << error.what();
    }
  }
}

TEST(Orientation, AVolumeWithoutBoneSaysWhatItFound) {
  Volume volume = phantom();
  volume.hounsfield = volume.hounsfield.clamp_max(150);
  try {
    (void)handle<host::SurfaceHandle>("surface", "isosurface").extract(volume);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("150 HU"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace osteon::imaging
