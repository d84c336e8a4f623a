#include "imaging/shaft.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::imaging {

namespace {

constexpr int kSections = 100;                // of the centre line
constexpr std::int16_t kSoftTissueEnd = 150;  // HU; denser is another bone

}  // namespace

Heights::Heights(const Mesh& bone, const BoneFrame& frame) {
  const auto* v = bone.vertices.data_ptr<float>();
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (std::int64_t i = 0; i < bone.vertices.size(0); ++i) {
    const double height = dot(Vec3{v[3 * i], v[3 * i + 1], v[3 * i + 2]} - frame.origin, frame.proximal);
    least = std::min(least, height);
    most = std::max(most, height);
  }
  low = least;
  length = most - least;
}

Shaft::Shaft(const Mask& solid, const Grid& grid, const Mesh& bone, const BoneFrame& frame)
    : frame_(frame), heights_(bone, frame), step_(heights_.length / kSections) {
  std::vector<Vec3> sum(kSections);
  std::vector<double> count(kSections, 0);
  for_each_voxel(solid, grid, [&](std::size_t, Vec3 point) {
    const Vec3 p = own(point);
    const auto at =
        static_cast<std::size_t>(std::clamp((p.z - heights_.low) / step_, 0.0, static_cast<double>(kSections - 1)));
    sum[at] = sum[at] + p;
    ++count[at];
  });
  for (int s = 0; s < kSections; ++s) {
    Vec3 total{};
    double voxels = 0;
    // Where the voxels are coarse, further sections help.
    for (int reach = 1; voxels == 0 && reach < kSections; ++reach)
      for (int near = std::max(0, s - reach); near <= std::min(s + reach, kSections - 1); ++near) {
        total = total + sum[static_cast<std::size_t>(near)];
        voxels += count[static_cast<std::size_t>(near)];
      }
    if (voxels == 0) throw Error("no voxel of the volume lies in the bone: surface and volume don't belong together");
    line_.push_back(total * (1 / voxels));
  }
}

Vec3 Shaft::own(Vec3 patient) const {
  const Vec3 p = patient - frame_.origin;
  return {dot(p, frame_.medial), dot(p, frame_.anterior), dot(p, frame_.proximal)};
}

Vec3 Shaft::patient(Vec3 own) const {
  return frame_.origin + frame_.medial * own.x + frame_.anterior * own.y + frame_.proximal * own.z;
}

Vec3 Shaft::centre(double height) const {
  const double at = std::clamp((height - heights_.low) / step_ - 0.5, 0.0, static_cast<double>(kSections - 1));
  const auto below = std::min(static_cast<std::size_t>(at), line_.size() - 2);
  const double share = at - static_cast<double>(below);
  const Vec3 point = line_[below] * (1 - share) + line_[below + 1] * share;
  return {point.x, point.y, height};
}

Vec3 Shaft::on_line(double height) const {
  const Vec3 low = centre(heights_.mm(30)), high = centre(heights_.mm(65));
  return low + (high - low) * ((height - low.z) / (high.z - low.z));
}

std::int16_t surroundings(const Volume& volume, const Mask& near, const Shaft& shaft, double low, double high) {
  Mask around = within(near, volume.grid, kSurroundings);
  for (std::size_t n = 0; n < around.size(); ++n)
    if (near[n] != 0) around[n] = 0;
  const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  std::vector<std::int16_t> found;
  for_each_voxel(around, volume.grid, [&](std::size_t n, Vec3 point) {
    const double height = shaft.own(point).z;
    if (height >= low && height <= high && voxels[n] <= kSoftTissueEnd) found.push_back(voxels[n]);
  });
  if (found.empty())
    throw Error(
        "nothing of the volume surrounds the bone where it is to be perturbed, so that nothing can fill the gap");
  const auto middle = found.begin() + static_cast<std::ptrdiff_t>(found.size() / 2);
  std::nth_element(found.begin(), middle, found.end());
  return *middle;
}

std::int64_t voxel_at(const Grid& grid, Vec3 index) {
  std::array<std::int64_t, 3> at{};
  for (int axis = 0; axis < 3; ++axis) {
    const double nearest = std::floor(index[axis] + 0.5);
    if (!(nearest >= 0 && nearest < static_cast<double>(grid.size[static_cast<std::size_t>(axis)]))) return -1;
    at[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(nearest);
  }
  return (at[2] * grid.size[1] + at[1]) * grid.size[0] + at[0];
}

}  // namespace osteon::imaging
