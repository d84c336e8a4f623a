// Images read from a shared projection against each exposure projected by itself.

#include "imaging/roll.hpp"

#include "imaging/imaging.hpp"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

namespace osteon::imaging {
namespace {

const host::RendererHandle& joseph() {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  static const auto& plugin = registry.find("renderer", "joseph");
  static const host::RendererHandle handle(plugin, Parameters(plugin.schema, {}));
  return handle;
}

/// A bent bone with marrow and a head in soft tissue, with sharp edges, oblique in its grid.
Volume bone_in_tissue() {
  Volume volume;
  volume.grid = {{80, 90, 180}, {0.8, 0.8, 0.8}, {}, rotation(normalised({1, 2, 0}), 0.15)};
  volume.grid.origin = -volume.grid.centre();
  volume.hounsfield = at::empty({180, 90, 80}, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 180; ++k)
    for (int j = 0; j < 90; ++j)
      for (int i = 0; i < 80; ++i) {
        const Vec3 p = volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k});
        const double r = std::hypot(p.x, p.y - 4 * std::cos(p.z / 40)), head = norm(p - Vec3{10, 0, 45});
        const double depth = std::min(std::abs(p.z) < 55 ? r - 9 : 1e9, head - 11);
        *voxel++ = static_cast<std::int16_t>(depth < -3                                        ? 100
                                             : depth < 0                                       ? 1600
                                             : std::hypot(p.x, p.y) < 27 && std::abs(p.z) < 65 ? 40
                                                                                               : -1000);
      }
  return volume;
}

BoneFrame rolled_frame() { return {{0, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 0, 1}, 110}; }

Parameters rolled_views(std::map<std::string, ParameterValue> given = {}) {
  given.try_emplace("height", std::int64_t{256});
  given.try_emplace("field_of_view", 120.0);
  given.try_emplace("axial_range", 15.0);
  given.try_emplace("axial_step", 15.0);
  return {views_schema(), given};
}

at::Tensor images(const Parameters& v, const std::map<std::string, ParameterValue>& film, RollReuse reuse) {
  return render(joseph(), bone_in_tissue(), rolled_frame(), gallery_poses(v), v, Parameters(film_schema(), film), {},
                reuse)
      .pixels;
}

TEST(Roll, SharedProjectionsShowWhatDirectOnesDo) {
  for (const char* geometry : {"perspective", "parallel"}) {
    const Parameters v = rolled_views({{"geometry", std::string(geometry)}});
    const std::map<std::string, ParameterValue> film = {{"energies", std::vector<double>{60, 140}}, {"maximum", 4.0}};
    const at::Tensor direct = images(v, film, RollReuse::never), shared = images(v, film, RollReuse::where_it_pays);
    ASSERT_FALSE(direct.equal(shared)) << "nothing was shared";
    const at::Tensor difference = (direct.to(at::kInt) - shared.to(at::kInt)).abs().to(at::kFloat);
    EXPECT_LT(difference.mean().item<float>(), 0.05F) << geometry;
    EXPECT_LE(difference.max().item<float>(), 1) << geometry;
  }
}

TEST(Roll, TheMiddleAngleIsReadWithoutInterpolation) {
  const Parameters v = rolled_views();
  const at::Tensor direct = images(v, {{"blur", 0.0}}, RollReuse::never);
  const at::Tensor shared = images(v, {{"blur", 0.0}}, RollReuse::where_it_pays);
  // Poses: axial -15, 0, 15 × in-plane -21 … 21; four energies each.
  const std::int64_t middle = 4 * (15 + 7);
  EXPECT_LE((direct[middle].to(at::kInt) - shared[middle].to(at::kInt)).abs().max().item<int>(), 1);
}

std::vector<Projection> exposures(const Parameters& v) {
  std::vector<Projection> result;
  for (const Pose& pose : gallery_poses(v)) result.push_back(projection(rolled_frame(), Plane::ml, pose, v));
  return result;
}

TEST(Roll, OneSheetServesTheInPlaneAnglesOfAnAxialOne) {
  const RollPlan plan(exposures(rolled_views()), bone_in_tissue().grid, RollReuse::where_it_pays);
  for (std::size_t i = 0; i < 45; ++i) EXPECT_EQ(plan.sheet_of(i), static_cast<int>(i / 15));
}

TEST(Roll, IsLeftAloneWhereItDoesNotPay) {
  const Grid grid = bone_in_tissue().grid;
  const auto none = [&](const Parameters& v, RollReuse reuse = RollReuse::where_it_pays) {
    const RollPlan plan(exposures(v), grid, reuse);
    for (std::size_t i = 0; i < gallery_poses(v).size(); ++i)
      if (plan.sheet_of(i) >= 0) return false;
    return true;
  };
  EXPECT_TRUE(none(rolled_views(), RollReuse::never));
  EXPECT_TRUE(none(rolled_views({{"in_plane_step", 21.0}}))) << "three images do not pay for a sheet";
  EXPECT_TRUE(none(rolled_views({{"height", std::int64_t{32}}}))) << "coarse pixels would need a much finer sheet";
  EXPECT_FALSE(none(rolled_views({{"pairing", std::string("per_view")}})));
}

TEST(Roll, ARigidPairsMlPlaneTurnsOutOfItsOwn) {
  // In-plane is about the AP beam; for ML it is a tilt, which no sheet serves.
  const RollPlan plan(exposures(rolled_views({{"pairing", std::string("rigid")}})), bone_in_tissue().grid,
                      RollReuse::where_it_pays);
  for (std::size_t i = 0; i < 45; ++i) EXPECT_EQ(plan.sheet_of(i), -1);
}

TEST(Roll, ThreadsChangeNothing) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = images(rolled_views(), {{"photons", 1000.0}}, RollReuse::where_it_pays);
  at::set_num_threads(2);
  const at::Tensor two = images(rolled_views(), {{"photons", 1000.0}}, RollReuse::where_it_pays);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.equal(two));
}

}  // namespace
}  // namespace osteon::imaging
