// Threshold, connected components (He, Chao and Suzuki 2008, as in ITK), and a sealed flood fill of the cavity.
//
// The cortex over the ends of a long bone is thinner than a voxel in places, so the thresholded shell has gaps. A
// closing (dilation, then erosion, by a ball) seals them; what the sealed shell encloses is the cavity. Only the cavity
// is taken from the closing: the bone's outer concavities stay as the threshold shows them.

#include "bone_mask.hpp"

#include "itk/volume_image.hpp"

#include <itkConnectedComponentImageFilter.h>
#include <itkDiscreteGaussianImageFilter.h>

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace osteon::isosurface {

namespace {

using MaskImage = itk::Image<std::uint8_t, 3>;
using LabelImage = itk::Image<std::uint32_t, 3>;

/// Face-connected components of the voxels that are `value`: labels from 1, 0 elsewhere.
LabelImage::Pointer components(Mask& mask) {
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
  return filter->GetOutput();
}

/// Keeps the component with most voxels (the first of equals). Returns how many it has.
std::size_t keep_largest(Mask& mask) {
  const LabelImage::Pointer labels = components(mask);
  const std::uint32_t* label = labels->GetBufferPointer();
  std::vector<std::size_t> count(1, 0);
  for (std::size_t v = 0; v < mask.inside.size(); ++v) {
    if (label[v] >= count.size()) count.resize(label[v] + 1, 0);
    ++count[label[v]];
  }
  count[0] = 0;
  const auto largest = static_cast<std::uint32_t>(std::max_element(count.begin(), count.end()) - count.begin());
  if (largest == 0) return 0;
  for (std::size_t v = 0; v < mask.inside.size(); ++v) mask.inside[v] = label[v] == largest;
  return count[largest];
}

/// Fills what the outside, entered at the box's first corner, does not reach.
void fill(Mask& mask) {
  for (auto& voxel : mask.inside) voxel ^= 1;
  const LabelImage::Pointer labels = components(mask);
  const std::uint32_t* label = labels->GetBufferPointer();
  const std::uint32_t outside = label[0];
  for (std::size_t v = 0; v < mask.inside.size(); ++v) mask.inside[v] = label[v] != outside;
}

/// A ball in voxels, as rows along i.
struct Ball {
  struct Row {
    std::int64_t j, k, reach;
  };
  std::vector<Row> rows;
  std::array<std::int64_t, 3> radius{};

  Ball(double millimetres, const Vec3& spacing) {
    for (int axis = 0; axis < 3; ++axis)
      radius[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(std::floor(millimetres / spacing[axis]));
    for (std::int64_t k = -radius[2]; k <= radius[2]; ++k)
      for (std::int64_t j = -radius[1]; j <= radius[1]; ++j) {
        const double y = static_cast<double>(j) * spacing.y, z = static_cast<double>(k) * spacing.z;
        const double rest = millimetres * millimetres - y * y - z * z;
        if (rest >= 0) rows.push_back({j, k, static_cast<std::int64_t>(std::floor(std::sqrt(rest) / spacing.x))});
      }
  }
};

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

/// Cavities that the shell encloses once gaps up to twice the ball's radius are sealed, reaching into the seals.
void fill_sealed(Mask& bone, const Ball& ball) {
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

const char* towards(Vec3 direction) {
  const double x = std::abs(direction.x), y = std::abs(direction.y), z = std::abs(direction.z);
  if (z >= x && z >= y) return direction.z > 0 ? "head" : "feet";
  if (x >= y) return direction.x > 0 ? "left" : "right";
  return direction.y > 0 ? "back" : "front";
}

void require_within(const Mask& bone, const Grid& grid, const std::array<std::int64_t, 3>& low,
                    const std::array<std::int64_t, 3>& high, Level level) {
  static constexpr const char* kAxes[] = {"i", "j", "k"};
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const bool upper : {false, true}) {
      if (upper ? high[axis] < bone.size[axis] - 1 : low[axis] > 0) continue;
      const Vec3 direction = grid.direction.column[axis] * (upper ? 1.0 : -1.0);
      throw Error(text("the bone leaves the volume towards the patient's ", towards(direction), " (voxel ", kAxes[axis],
                       " = ", upper ? bone.size[axis] - 1 : 0,
                       "), so its surface can't be closed; give a volume that holds the whole bone, or ",
                       level.of_labels ? "a label map that ends before the volume does"
                                       : "raise surface.threshold if the bone has grown together with a neighbour"));
    }
}

/// The box around the bone with a margin, which may reach out of the volume.
Mask cropped(const Mask& bone, const std::array<std::int64_t, 3>& low, const std::array<std::int64_t, 3>& high,
             const std::array<std::int64_t, 3>& margin) {
  Mask box;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    box.low[axis] = low[axis] - margin[axis];
    box.size[axis] = high[axis] - low[axis] + 1 + 2 * margin[axis];
  }
  box.inside.assign(static_cast<std::size_t>(box.size[0] * box.size[1] * box.size[2]), 0);
  for (std::int64_t k = low[2]; k <= high[2]; ++k)
    for (std::int64_t j = low[1]; j <= high[1]; ++j)
      std::copy_n(&bone.inside[bone.at(low[0], j, k)], high[0] - low[0] + 1,
                  &box.inside[box.at(margin[0], j - box.low[1], k - box.low[2])]);
  return box;
}

}  // namespace

Mask bone_solid(const float* density, const Grid& grid, Level level, double closing) {
  Mask bone{{}, grid.size, {}};
  bone.inside.resize(static_cast<std::size_t>(grid.size[0] * grid.size[1] * grid.size[2]));
  for (std::size_t v = 0; v < bone.inside.size(); ++v) bone.inside[v] = density[v] >= level.threshold;
  if (keep_largest(bone) == 0) {
    if (level.of_labels)
      throw Error("the label map marks a bone thinner than two voxels, which has no surface; give a finer label map");
    throw Error(text("no bone: the largest value is ", *std::max_element(density, density + bone.inside.size()),
                     " HU, below the threshold of ", level.threshold,
                     " HU; lower surface.threshold, or check the volume's Hounsfield units"));
  }
  std::array<std::int64_t, 3> low = grid.size, high{-1, -1, -1};
  for (std::int64_t k = 0; k < grid.size[2]; ++k)
    for (std::int64_t j = 0; j < grid.size[1]; ++j) {
      const auto* row = &bone.inside[bone.at(0, j, k)];
      const auto* first = std::find(row, row + grid.size[0], 1);
      if (first == row + grid.size[0]) continue;
      const auto* last = row + grid.size[0] - 1;
      while (*last == 0) --last;
      low = {std::min(low[0], first - row), std::min(low[1], j), std::min(low[2], k)};
      high = {std::max(high[0], last - row), std::max(high[1], j), std::max(high[2], k)};
    }
  require_within(bone, grid, low, high, level);
  const Ball ball(closing, grid.spacing);
  Mask box = cropped(bone, low, high, {ball.radius[0] + 1, ball.radius[1] + 1, ball.radius[2] + 1});
  if (ball.rows.size() > 1 || ball.radius[0] > 0) fill_sealed(box, ball);
  fill(box);
  keep_largest(box);
  return box;
}

std::vector<float> smoothed(const Volume& volume, double deviation) {
  if (deviation == 0) {
    const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
    return {voxels, voxels + volume.hounsfield.numel()};
  }
  auto filter = itk::DiscreteGaussianImageFilter<ItkVolume, itk::Image<float, 3>>::New();
  filter->SetInput(to_itk(volume));
  filter->SetVariance(deviation * deviation);  // mm²: the filter uses the image's spacing
  filter->SetMaximumError(0.001);
  filter->SetMaximumKernelWidth(101);
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  const float* values = filter->GetOutput()->GetBufferPointer();
  return {values, values + volume.hounsfield.numel()};
}

std::vector<float> antialiased(const at::Tensor& labels, const Grid& grid, double deviation) {
  const auto* label = labels.data_ptr<std::uint8_t>();
  if (std::all_of(label, label + labels.numel(), [](std::uint8_t value) { return value == 0; }))
    throw Error("no bone: the label map marks no voxel; check source.label and the label map");
  const at::Tensor marked = at::empty(labels.sizes(), at::kShort);
  std::transform(label, label + labels.numel(), marked.data_ptr<std::int16_t>(),
                 [](std::uint8_t value) { return static_cast<std::int16_t>(value != 0 ? 1000 : 0); });
  auto filter = itk::DiscreteGaussianImageFilter<ItkVolume, itk::Image<float, 3>>::New();
  filter->SetInput(to_itk({marked, grid}));
  itk::FixedArray<double, 3> variance;
  for (unsigned axis = 0; axis < 3; ++axis)
    variance[axis] = std::pow(grid.spacing[static_cast<int>(axis)], 2) + deviation * deviation;
  filter->SetVariance(variance);
  filter->SetMaximumError(0.001);
  filter->SetMaximumKernelWidth(101);
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  const float* values = filter->GetOutput()->GetBufferPointer();
  return {values, values + labels.numel()};
}

}  // namespace osteon::isosurface
