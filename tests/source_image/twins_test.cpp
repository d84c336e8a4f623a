// From a file to an X-ray: a bone and its mirror image on the other side give the same pictures.

#include "imaging/imaging.hpp"
#include "source_image/image_fixture.hpp"

#include <ATen/Functions.h>

namespace osteon {
namespace {

using Twins = ImageFiles;

/// The volume mirrored in the plane between left and right. The grid stays right-handed: the voxels of a row turn
/// round.
Volume mirrored(const Volume& volume) {
  const auto mirror = [](Vec3 v) { return Vec3{-v.x, v.y, v.z}; };
  const Grid& grid = volume.grid;
  Grid twin = grid;
  twin.origin = mirror(grid.to_patient({static_cast<double>(grid.size[0] - 1), 0, 0}));
  twin.direction = {
      {-mirror(grid.direction.column[0]), mirror(grid.direction.column[1]), mirror(grid.direction.column[2])}};
  return {volume.hounsfield.flip({2}).contiguous(), twin.canonical()};
}

TEST_F(Twins, LookAlikeFromTheFileToTheXray) {
  bool has_phantoms = false;
  for (const host::FoundPlugin& plugin : registry().list())
    has_phantoms = has_phantoms || (plugin.kind == "source" && plugin.name == "phantom");
  if (!has_phantoms) GTEST_SKIP() << "the phantoms need Open3D, which this build leaves out";
  const auto handle = [](const std::string& kind, const std::string& name) -> const host::LoadedPlugin& {
    return registry().find(kind, name);
  };
  const auto& phantom = handle("source", "phantom");
  const host::SourceHandle phantoms(
      phantom, Parameters(phantom.schema,
                          {{"sides", std::string("right")}, {"bones", std::int64_t{1}}, {"size", std::string("cat")}}));
  const Volume right = phantoms.acquire(phantoms.specimens().at(0), 0).volume;
  format().write_volume(right, {{"femur-right", "person-07", Side::right, 1}, 0}, folder_ / "right.nrrd");
  format().write_volume(mirrored(right), {{"femur-left", "person-07", Side::left, 1}, 0}, folder_ / "left.nrrd");

  const auto& isosurface = handle("surface", "isosurface");
  const auto& joseph = handle("renderer", "joseph");
  const host::SurfaceHandle surface(isosurface, Parameters(isosurface.schema, {}));
  const host::RendererHandle renderer(joseph, Parameters(joseph.schema, {}));
  const Parameters views(imaging::views_schema(), {{"height", std::int64_t{96}}});
  const Parameters film(imaging::film_schema(), {{"energies", std::vector<double>{60}}});
  std::map<Side, at::Tensor> pictures;
  const host::SourceHandle files = source();
  for (const SpecimenInfo& specimen : files.specimens()) {
    const Acquisition scan = files.acquire(specimen, 0);
    const Mesh mesh = surface.extract(scan.volume, scan.bone_mask);
    const imaging::BoneFrame frame = imaging::find_bone_frame(mesh, specimen.side);
    const std::vector<imaging::Pose> poses = {{}, {12, 0, -9}};
    pictures[specimen.side] = imaging::render(renderer, scan.volume, frame, poses, views, film, {}).pixels;
  }
  ASSERT_EQ(pictures.size(), 2U);
  const at::Tensor apart = (pictures.at(Side::left).to(at::kInt) - pictures.at(Side::right).to(at::kInt)).abs();
  EXPECT_LT(apart.to(at::kDouble).mean().item<double>(), 0.5) << "grey values of 255";
  EXPECT_GT(pictures.at(Side::right).max().item<int>(), 50) << "the bone shows";
}

}  // namespace
}  // namespace osteon
