#include "imaging/without_bone.hpp"

#include "imaging/shaft.hpp"
#include "imaging/solid.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <vector>

namespace osteon::imaging {

namespace {

constexpr std::int16_t kBoneHounsfield = 150;  // denser is no soft tissue

}  // namespace

Volume without_bone(const Volume& volume, const Mesh& bone) {
  volume.check();
  Mask bones = voxels_inside(bone, volume.grid);
  const auto* before = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::size_t i = 0; i < bones.size(); ++i)
    if (before[i] > kBoneHounsfield) bones[i] = 1;
  // At least a voxel each, however coarse the grid.
  const Vec3 spacing = volume.grid.spacing;
  const double voxel = 1.001 * std::max({spacing.x, spacing.y, spacing.z});
  const Mask taken = within(bones, volume.grid, std::max(kBlurMargin, voxel));
  const Mask around = within(taken, volume.grid, std::max(kSurroundings, voxel));
  Volume result{volume.hounsfield.clone(), volume.grid};
  auto* voxels = result.hounsfield.data_ptr<std::int16_t>();
  std::vector<std::int16_t> surroundings;
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (around[i] != 0 && taken[i] == 0) surroundings.push_back(voxels[i]);
  if (surroundings.empty()) throw Error("no voxel of the volume is left when its bones are taken out");
  const auto middle = surroundings.begin() + static_cast<std::ptrdiff_t>(surroundings.size() / 2);
  std::nth_element(surroundings.begin(), middle, surroundings.end());
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (taken[i] != 0) voxels[i] = *middle;
  return result;
}

}  // namespace osteon::imaging
