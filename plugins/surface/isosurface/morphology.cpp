// Connected components (He, Chao and Suzuki 2008, as in ITK), balls and sealed flood fills on masks of voxels.
//
// The cortex over the ends of a long bone is thinner than a voxel in places, so the thresholded shell has gaps. A
// closing (dilation, then erosion, by a ball) seals them; what the sealed shell encloses is the cavity. Only the cavity
// is taken from the closing: the bone's outer concavities stay as the threshold shows them.

#include "morphology.hpp"

#include "itk/volume_image.hpp"

#include <itkConnectedComponentImageFilter.h>

#include <algorithm>
#include <cmath>

namespace osteon::isosurface {

namespace {

using MaskImage = itk::Image<std::uint8_t, 3>;
using LabelImage = itk::Image<std::uint32_t, 3>;

}  // namespace

Labels components(Mask& mask) {
  keep_itk_in_this_thread();
  MaskImage::SizeType size;
  for (unsigned axis = 0; axis < 3; ++axis) size[axis] = static_cast<itk::SizeValueType>(mask.size[axis]);
  auto import = itk::ImportImageFilter<std::uint8_t, 3>::New();
  import->SetRegion({{}, size});
  import->SetImportPointer(mask.inside.data(), mask.inside.size(), false);
  auto filter = itk::ConnectedComponentImageFilter<MaskImage, LabelImage>::New();
  filter->SetInput(import->GetOutput());
  filter->SetFullyConnected(false);
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  const LabelImage::Pointer image = filter->GetOutput();
  return {image->GetBufferPointer(), [image](std::uint32_t*) {}};
}

void keep_largest(Mask& mask) {
  const Labels label = components(mask);
  std::vector<std::size_t> count(1, 0);
  for (std::size_t v = 0; v < mask.inside.size(); ++v) {
    if (label[v] >= count.size()) count.resize(label[v] + 1, 0);
    ++count[label[v]];
  }
  count[0] = 0;
  const auto largest = static_cast<std::uint32_t>(std::max_element(count.begin(), count.end()) - count.begin());
  if (largest == 0) return;
  for (std::size_t v = 0; v < mask.inside.size(); ++v) mask.inside[v] = label[v] == largest;
}

void fill(Mask& mask) {
  for (auto& voxel : mask.inside) voxel ^= 1;
  const Labels label = components(mask);
  std::uint32_t outside = 0;
  for (const auto k : {std::int64_t{0}, mask.size[2] - 1})
    for (const auto j : {std::int64_t{0}, mask.size[1] - 1})
      for (const auto i : {std::int64_t{0}, mask.size[0] - 1})
        if (outside == 0) outside = label[mask.at(i, j, k)];
  for (std::size_t v = 0; v < mask.inside.size(); ++v) mask.inside[v] = label[v] != outside;
}

Ball::Ball(double millimetres, const Vec3& spacing) {
  for (int axis = 0; axis < 3; ++axis)
    radius[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(std::floor(millimetres / spacing[axis]));
  for (std::int64_t k = -radius[2]; k <= radius[2]; ++k)
    for (std::int64_t j = -radius[1]; j <= radius[1]; ++j) {
      const double y = static_cast<double>(j) * spacing.y, z = static_cast<double>(k) * spacing.z;
      const double rest = millimetres * millimetres - y * y - z * z;
      if (rest >= 0) rows.push_back({j, k, static_cast<std::int64_t>(std::floor(std::sqrt(rest) / spacing.x))});
    }
}

namespace {

/// Sets every voxel within the ball around a voxel that is `from` to `from`. Only voxels beside another kind spread.
void spread(Mask& mask, const Ball& ball, std::uint8_t from) {
  const std::vector<std::uint8_t> before = mask.inside;
  const auto [nx, ny, nz] = mask.size;
  const std::int64_t step[3] = {1, nx, nx * ny};
  for (std::int64_t k = 0; k < nz; ++k)
    for (std::int64_t j = 0; j < ny; ++j)
      for (std::int64_t i = 0; i < nx; ++i) {
        const std::size_t v = mask.at(i, j, k);
        if (before[v] != from) continue;
        const std::int64_t place[3] = {i, j, k};
        bool edge = false;
        for (int axis = 0; axis < 3 && !edge; ++axis)
          edge = (place[axis] > 0 && before[v - static_cast<std::size_t>(step[axis])] != from) ||
                 (place[axis] + 1 < mask.size[static_cast<std::size_t>(axis)] &&
                  before[v + static_cast<std::size_t>(step[axis])] != from);
        if (!edge) continue;
        for (const Ball::Row& row : ball.rows) {
          if (j + row.j < 0 || j + row.j >= ny || k + row.k < 0 || k + row.k >= nz) continue;
          const std::int64_t first = std::max<std::int64_t>(0, i - row.reach), last = std::min(nx - 1, i + row.reach);
          std::fill_n(&mask.inside[mask.at(first, j + row.j, k + row.k)], last - first + 1, from);
        }
      }
}

}  // namespace

void fill_sealed(Mask& bone, const Ball& ball) {
  if (ball.rows.size() <= 1 && ball.radius[0] == 0) return;
  Mask closed = bone;
  spread(closed, ball, 1);
  spread(closed, ball, 0);
  for (std::size_t v = 0; v < bone.inside.size(); ++v) closed.inside[v] |= bone.inside[v];
  Mask cavity = closed;
  fill(cavity);
  for (std::size_t v = 0; v < bone.inside.size(); ++v) cavity.inside[v] &= closed.inside[v] ^ 1;
  Mask reach = cavity;
  spread(reach, ball, 1);
  for (std::size_t v = 0; v < bone.inside.size(); ++v)
    bone.inside[v] |= cavity.inside[v] | (reach.inside[v] & closed.inside[v]);
}

}  // namespace osteon::isosurface
