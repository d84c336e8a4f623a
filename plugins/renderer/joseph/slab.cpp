#include "slab.hpp"

#include <osteon/error.hpp>
#include <osteon/materials.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace osteon::joseph {

namespace {

/// First and last index along each axis of what isn't air; first > last when all is air.
using Bounds = std::array<std::array<std::int64_t, 2>, 3>;

Bounds bounds_of_matter(const Volume& volume) {
  const auto* hounsfield = volume.hounsfield.data_ptr<std::int16_t>();
  const auto [columns, rows, slices] = volume.grid.size;
  Bounds bounds = {{{columns, -1}, {rows, -1}, {slices, -1}}};
  const auto include = [](std::array<std::int64_t, 2>& bound, std::int64_t first, std::int64_t last) {
    bound = {std::min(bound[0], first), std::max(bound[1], last)};
  };
  for (std::int64_t k = 0; k < slices; ++k)
    for (std::int64_t j = 0; j < rows; ++j, hounsfield += columns) {
      const auto matter = [](std::int16_t value) { return value > -1000; };
      const auto* end = hounsfield + columns;
      const auto* first = std::find_if(hounsfield, end, matter);
      if (first == end) continue;
      const auto* last = end - 1;
      while (!matter(*last)) --last;
      include(bounds[0], first - hounsfield, last - hounsfield);
      include(bounds[1], j, j);
      include(bounds[2], k, k);
    }
  return bounds;
}

/// Zeroed memory in large pages where the system has them: a ray touches a new page at nearly each of its steps.
Voxel* allocate(std::size_t count) {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  const std::size_t bytes = (count * sizeof(Voxel) + kPage - 1) / kPage * kPage;
  void* memory = std::aligned_alloc(kPage, bytes);
  if (memory == nullptr) throw failure(text("no memory for ", bytes >> 20, " MB of voxels"));
#ifdef __linux__
  (void)madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: without large pages it works as well, only slower
#endif
  std::memset(memory, 0, bytes);
  return static_cast<Voxel*>(memory);
}

/// The voxel of each Hounsfield value from -1000 on; below it there is air too.
std::vector<Voxel> voxel_of_hounsfield() {
  std::vector<Voxel> table;
  for (int value = -1000; value <= 32767; ++value) {
    const MaterialFractions fractions = material_fractions(value);
    table.push_back({static_cast<std::int16_t>(std::lround(fractions.water * kWaterUnits)),
                     static_cast<std::int16_t>(std::lround(fractions.bone * kBoneUnits))});
  }
  return table;
}

}  // namespace

Slab::Slab(const Volume& volume) : grid_(volume.grid), voxels_(nullptr, std::free) {
  for (const std::int64_t size : grid_.size)
    if (size > kLongestAxis)
      throw Error(text("the volume has ", size, " voxels along one axis; at most ", kLongestAxis, " can be projected"));
  const Bounds bounds = bounds_of_matter(volume);
  if (bounds[0][1] < 0) return;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    low_[axis] = bounds[axis][0];
    size_[axis] = bounds[axis][1] - bounds[axis][0] + 1;
  }
  const auto extent = [&](int axis) { return static_cast<double>(size(axis)) * grid_.spacing[axis]; };
  fastest_ = 2;
  for (int axis = 0; axis < 2; ++axis)
    if (extent(axis) > extent(fastest_)) fastest_ = axis;
  const auto fast = static_cast<std::size_t>(fastest_), middle = (fast + 1) % 3, slow = (fast + 2) % 3;
  stride_[fast] = 1;
  // Neighbours along the other axes start in different sets of the caches: an odd number of lines apart.
  const auto odd = [](std::int64_t count) { return count | 1; };
  stride_[middle] = 16 * odd((size_[fast] + 2 + 15) / 16);
  stride_[slow] = stride_[middle] * odd(size_[middle] + 2);
  if (stride_[slow] * (size_[slow] + 2) > kMostVoxels)
    throw Error(text("the volume has ", size_[0], " × ", size_[1], " × ", size_[2], " voxels that aren't air; about ",
                     kMostVoxels, " can be projected"));
  // One voxel more: the last load takes a voxel and its neighbour.
  voxels_.reset(allocate(static_cast<std::size_t>(stride_[slow] * (size_[slow] + 2) + 1)));
  fill(volume);
  map();
}

void Slab::fill(const Volume& volume) {
  const std::vector<Voxel> table = voxel_of_hounsfield();
  const auto* hounsfield = volume.hounsfield.data_ptr<std::int16_t>();
  // A few columns at a time, so that what is written side by side is written soon after each other.
  constexpr std::int64_t kTogether = 16;
  const auto [columns, rows, slices] = size_;
  parallel_for(0, (columns + kTogether - 1) / kTogether * rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t j = piece % rows, first = piece / rows * kTogether;
      const std::int64_t count = std::min(kTogether, columns - first);
      for (std::int64_t k = 0; k < slices; ++k) {
        const auto* from = hounsfield + low_[0] + first + grid_.size[0] * (j + low_[1] + grid_.size[1] * (k + low_[2]));
        Voxel* to = voxels_.get() + (first + 1) * stride_[0] + (j + 1) * stride_[1] + (k + 1) * stride_[2];
        for (std::int64_t i = 0; i < count; ++i)
          if (from[i] > -1000) to[i * stride_[0]] = table[static_cast<std::size_t>(from[i] + 1000)];
      }
    }
  });
}

void Slab::map() {
  for (std::size_t axis = 0; axis < 3; ++axis) blocks_[axis] = ((size_[axis] + 1) >> kBlockBits) + 1;
  values_.resize(static_cast<std::size_t>(blocks_[0] * blocks_[1] * blocks_[2]));
  const auto fast = static_cast<std::size_t>(fastest_), middle = (fast + 1) % 3, slow = (fast + 2) % 3;
  parallel_for(0, blocks_[slow], 1, [&](std::int64_t begin, std::int64_t end) {
    std::array<std::int64_t, 3> block{};
    for (block[slow] = begin; block[slow] < end; ++block[slow])
      for (block[middle] = 0; block[middle] < blocks_[middle]; ++block[middle])
        for (block[fast] = 0; block[fast] < blocks_[fast]; ++block[fast]) {
          // Interpolation reads the next voxel too.
          const auto first = [&](std::size_t axis) { return block[axis] << kBlockBits; };
          const auto last = [&](std::size_t axis) { return std::min(first(axis) + kBlock, size_[axis] + 1); };
          const Voxel value =
              voxels_.get()[first(slow) * stride_[slow] + first(middle) * stride_[middle] + first(fast)];
          bool alike = true;
          for (std::int64_t s = first(slow); s <= last(slow) && alike; ++s)
            for (std::int64_t m = first(middle); m <= last(middle) && alike; ++m) {
              const Voxel* row = voxels_.get() + s * stride_[slow] + m * stride_[middle];
              alike = std::all_of(row + first(fast), row + last(fast) + 1, [&](Voxel v) { return v == value; });
            }
          if (alike) values_[index_of(block)] = value;
        }
  });
}

Vec3 Slab::position(Vec3 point) const {
  Vec3 index = grid_.to_index(point);
  for (int axis = 0; axis < 3; ++axis) index[axis] += 1.0 - static_cast<double>(low_[static_cast<std::size_t>(axis)]);
  return index;
}

Vec3 Slab::difference(Vec3 step) const {
  const Vec3 local = transposed(grid_.direction) * step;
  return {local.x / grid_.spacing.x, local.y / grid_.spacing.y, local.z / grid_.spacing.z};
}

std::optional<Voxel> Slab::only_value(std::array<std::int64_t, 3> low, std::array<std::int64_t, 3> high) const {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    low[axis] = std::max<std::int64_t>(low[axis], 0);
    high[axis] = std::min(high[axis], blocks_[axis] - 1);
    if (low[axis] > high[axis]) return Voxel{0, 0};
  }
  const std::optional<Voxel> value = values_[index_of(low)];
  std::array<std::int64_t, 3> block{};
  for (block[2] = low[2]; block[2] <= high[2] && value; ++block[2])
    for (block[1] = low[1]; block[1] <= high[1]; ++block[1])
      for (block[0] = low[0]; block[0] <= high[0]; ++block[0])
        if (values_[index_of(block)] != value) return std::nullopt;
  return value;
}

}  // namespace osteon::joseph
