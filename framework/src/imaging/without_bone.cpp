#include "imaging/without_bone.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <vector>

namespace osteon::imaging {

namespace {

constexpr double kBlurMargin = 3, kSurroundings = 4;  // mm
constexpr std::int16_t kBoneHounsfield = 150;         // denser is no soft tissue

/// Which voxels belong to something, laid out like the volume.
using Mask = std::vector<std::uint8_t>;

/// Where the surface crosses each line of voxels along i, in voxel indices. The lines run a hair beside the voxel
/// centres, so that none passes through a vertex or along an edge.
std::vector<std::vector<double>> crossings(const Mesh& bone, const Grid& grid) {
  constexpr double kBesideJ = 1.37e-5, kBesideK = 2.71e-5;
  std::vector<std::vector<double>> lines(static_cast<std::size_t>(grid.size[1] * grid.size[2]));
  const auto* vertices = bone.vertices.data_ptr<float>();
  const auto* triangles = bone.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < bone.triangles.size(0); ++t) {
    Vec3 p[3];
    for (int corner = 0; corner < 3; ++corner) {
      const float* v = vertices + 3 * triangles[3 * t + corner];
      p[corner] = grid.to_index({v[0], v[1], v[2]}) - Vec3{0, kBesideJ, kBesideK};
    }
    const double area = (p[1].y - p[0].y) * (p[2].z - p[0].z) - (p[2].y - p[0].y) * (p[1].z - p[0].z);
    if (area == 0) continue;
    const auto range = [&](int axis, std::int64_t size) {
      const auto [low, high] = std::minmax({p[0][axis], p[1][axis], p[2][axis]});
      return std::pair{std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(low))),
                       std::min<std::int64_t>(size - 1, static_cast<std::int64_t>(std::floor(high)))};
    };
    const auto [first_j, last_j] = range(1, grid.size[1]);
    const auto [first_k, last_k] = range(2, grid.size[2]);
    for (std::int64_t k = first_k; k <= last_k; ++k)
      for (std::int64_t j = first_j; j <= last_j; ++j) {
        const auto y = static_cast<double>(j), z = static_cast<double>(k);
        const double u = ((y - p[0].y) * (p[2].z - p[0].z) - (p[2].y - p[0].y) * (z - p[0].z)) / area;
        const double v = ((p[1].y - p[0].y) * (z - p[0].z) - (y - p[0].y) * (p[1].z - p[0].z)) / area;
        if (u >= 0 && v >= 0 && u + v <= 1)
          lines[static_cast<std::size_t>(k * grid.size[1] + j)].push_back(p[0].x + u * (p[1].x - p[0].x) +
                                                                          v * (p[2].x - p[0].x));
      }
  }
  return lines;
}

/// Voxels whose centre lies inside the closed surface, by the parity of crossings along i.
Mask inside(const Mesh& bone, const Grid& grid) {
  Mask mask(static_cast<std::size_t>(grid.size[0] * grid.size[1] * grid.size[2]), 0);
  auto lines = crossings(bone, grid);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    std::ranges::sort(lines[line]);
    for (std::size_t n = 0; n + 1 < lines[line].size(); n += 2) {
      const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(lines[line][n])));
      const auto last =
          std::min<std::int64_t>(grid.size[0] - 1, static_cast<std::int64_t>(std::floor(lines[line][n + 1])));
      for (std::int64_t i = first; i <= last; ++i)
        mask[line * static_cast<std::size_t>(grid.size[0]) + static_cast<std::size_t>(i)] = 1;
    }
  }
  return mask;
}

/// The mask grown by `margin` mm along each axis of the grid, one axis after another (a box, so at least a ball).
Mask grown(Mask mask, const Grid& grid, double margin) {
  const std::int64_t strides[3] = {1, grid.size[0], grid.size[0] * grid.size[1]};
  for (int axis = 0; axis < 3; ++axis) {
    const auto reach = static_cast<std::int64_t>(std::ceil(margin / grid.spacing[axis]));
    const std::int64_t length = grid.size[static_cast<std::size_t>(axis)], stride = strides[axis];
    std::vector<std::uint8_t> line(static_cast<std::size_t>(length));
    for (std::int64_t start = 0; start < static_cast<std::int64_t>(mask.size()); ++start) {
      if (start / stride % length != 0) continue;
      std::fill(line.begin(), line.end(), std::uint8_t{0});
      for (std::int64_t n = 0; n < length; ++n)
        if (mask[static_cast<std::size_t>(start + n * stride)] != 0)
          std::fill(line.begin() + std::max<std::int64_t>(0, n - reach), line.begin() + std::min(length, n + reach + 1),
                    std::uint8_t{1});
      for (std::int64_t n = 0; n < length; ++n)
        mask[static_cast<std::size_t>(start + n * stride)] = line[static_cast<std::size_t>(n)];
    }
  }
  return mask;
}

}  // namespace

Volume without_bone(const Volume& volume, const Mesh& bone) {
  volume.check();
  Mask bones = inside(bone, volume.grid);
  const auto* before = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::size_t i = 0; i < bones.size(); ++i)
    if (before[i] > kBoneHounsfield) bones[i] = 1;
  const Mask taken = grown(std::move(bones), volume.grid, kBlurMargin);
  const Mask around = grown(taken, volume.grid, kSurroundings);
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
