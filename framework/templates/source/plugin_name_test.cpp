#include <osteon/source.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

std::unique_ptr<Source> source(std::int64_t seed = 1, double cortex = 4) {
  return PluginLibrary("source", PLUGIN_LIBRARY)
      .make<Source>({{"bones", std::int64_t{3}}, {"spacing", 4.0}, {"seed", seed}, {"cortex", cortex}});
}

Volume volume(const Source& from, std::size_t bone, int acquisition) {
  return from.acquire(from.specimens().at(bone), acquisition).volume;
}

/// Share of the voxels above water's density.
double dense_share(const Volume& volume) { return volume.hounsfield.gt(500).to(at::kDouble).mean().item<double>(); }

TEST(PluginName, ListsOneBoneAPersonOnBothSides) {
  const std::vector<SpecimenInfo> list = source()->specimens();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].id, "bone-1");
  EXPECT_EQ(list[0].side, Side::right);
  EXPECT_EQ(list[1].side, Side::left);
}

TEST(PluginName, MakesTheSameBoneInWhateverOrderItIsAsked) {
  const auto one = source(), other = source();
  (void)volume(*one, 2, 0);
  EXPECT_TRUE(volume(*one, 1, 1).hounsfield.equal(volume(*other, 1, 1).hounsfield));
}

TEST(PluginName, DrawsOtherBonesFromAnotherSeedAndForAnotherNumber) {
  const Volume first = volume(*source(1), 0, 0);
  EXPECT_NE(first.grid.origin, volume(*source(2), 0, 0).grid.origin);
  EXPECT_NE(first.grid.origin, volume(*source(1), 2, 0).grid.origin);
}

TEST(PluginName, ScansABoneOnAnotherGridEachTime) {
  const auto bones = source();
  EXPECT_NE(volume(*bones, 0, 0).grid.origin, volume(*bones, 0, 1).grid.origin);
}

TEST(PluginName, LeavesAirAroundTheBoneOnACanonicalGrid) {
  const Volume whole = volume(*source(), 0, 0);
  EXPECT_NO_THROW(whole.check());
  EXPECT_EQ(whole.grid, whole.grid.canonical());
  for (int axis = 0; axis < 3; ++axis)
    for (const std::int64_t side : {std::int64_t{0}, whole.hounsfield.size(axis) - 1})
      EXPECT_EQ(whole.hounsfield.select(axis, side).max().item<int>(), -1000) << "axis " << axis << ", side " << side;
}

TEST(PluginName, HasMoreDenseBoneWithAThickerCortex) {
  EXPECT_GT(dense_share(volume(*source(1, 8), 0, 0)), 1.2 * dense_share(volume(*source(1, 4), 0, 0)));
}

}  // namespace
}  // namespace osteon
