// renderer/joseph: line integrals by Joseph's method
//
// P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Transactions on Medical
// Imaging 1(3), 192-196, 1982. Each ray is followed from voxel plane to voxel plane along the axis of the grid that it
// runs along most. In each plane the value is interpolated from the four voxels around the ray; the sum times the
// length of a step is the line integral, exact where the volume is linear between its voxels. Beyond the outermost
// voxels values fall to air over one voxel. Both materials go through the loop together.
//
// Perspective rays start at the source and have no end; parallel rays have neither. Spacing, origin and direction of
// the grid are honoured. It uses the host's threads, and its sums don't depend on how many there are.
//
// There are no parameters.
//
//     [renderer]
//     plugin = "joseph"

#include <osteon/parallel.hpp>
#include <osteon/renderer.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace osteon {

namespace {

/// Water and bone of a voxel, then water and bone of its neighbour: what one step of a ray loads.
using Quad = float __attribute__((vector_size(16)));

Quad load(const float* from) {
  Quad quad;
  std::memcpy(&quad, from, sizeof quad);
  return quad;
}

Quad load(const float* first, const float* second) {
  // Each pair of floats travels as a double, so that it goes from memory straight into its half of the register.
  using Pairs = double __attribute__((vector_size(16)));
  double low, high;
  std::memcpy(&low, first, sizeof low);
  std::memcpy(&high, second, sizeof high);
  const Pairs pairs = {low, high};
  Quad quad;
  std::memcpy(&quad, &pairs, sizeof quad);
  return quad;
}

/// The material fractions of the part of a volume that isn't air, with a border of air one voxel wide, both materials
/// side by side. The axis along which the volume is longest, along which a limb's rays never run, lies fastest in
/// memory.
struct Slab {
  std::array<std::int64_t, 3> low{};     ///< the voxel of the volume at border-included index 1
  std::array<std::int64_t, 3> size{};    ///< along i, j, k, without the border
  std::array<std::int64_t, 3> stride{};  ///< in floats
  int fastest = 0;
  std::vector<float> fractions;

  [[nodiscard]] bool empty() const { return fractions.empty(); }
};

/// First and last index along each axis of what isn't air; first > last when all is air.
std::array<std::array<std::int64_t, 2>, 3> bounds_of_matter(const Volume& volume) {
  const auto* hounsfield = volume.hounsfield.data_ptr<std::int16_t>();
  const auto [columns, rows, slices] = volume.grid.size;
  std::array<std::array<std::int64_t, 2>, 3> bounds = {{{columns, -1}, {rows, -1}, {slices, -1}}};
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

Slab make_slab(const Volume& volume) {
  Slab slab;
  const auto bounds = bounds_of_matter(volume);
  if (bounds[0][1] < 0) return slab;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    slab.low[axis] = bounds[axis][0];
    slab.size[axis] = bounds[axis][1] - bounds[axis][0] + 1;
  }
  const auto extent = [&](int axis) {
    return static_cast<double>(slab.size[static_cast<std::size_t>(axis)]) * volume.grid.spacing[axis];
  };
  int longest = 2;
  for (int axis = 0; axis < 2; ++axis)
    if (extent(axis) > extent(longest)) longest = axis;
  const auto slow = static_cast<std::size_t>(longest), fast = (slow + 1) % 3, middle = (slow + 2) % 3;
  slab.fastest = static_cast<int>(fast);
  slab.stride[fast] = kMaterials;
  slab.stride[middle] = slab.stride[fast] * (slab.size[fast] + 2);
  slab.stride[slow] = slab.stride[middle] * (slab.size[middle] + 2);
  slab.fractions.assign(static_cast<std::size_t>(slab.stride[slow] * (slab.size[slow] + 2)), 0.0F);

  const auto* hounsfield = volume.hounsfield.data_ptr<std::int16_t>();
  parallel_for(0, slab.size[2], 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t j = 0; j < slab.size[1]; ++j) {
        const auto* from = hounsfield + slab.low[0] +
                           volume.grid.size[0] * (j + slab.low[1] + volume.grid.size[1] * (k + slab.low[2]));
        float* to = slab.fractions.data() + (k + 1) * slab.stride[2] + (j + 1) * slab.stride[1] + slab.stride[0];
        for (std::int64_t i = 0; i < slab.size[0]; ++i, to += slab.stride[0]) {
          const MaterialFractions fractions = material_fractions(from[i]);
          to[0] = fractions.water;
          to[1] = fractions.bone;
        }
      }
  });
  return slab;
}

/// A ray as the inner loop walks it: from plane to plane, `first` to `last` along the dominant axis, with the position
/// in the plane at the first and its change per plane. Indices include the border.
struct Walk {
  std::int64_t first = 1, last = 0;  ///< none when last < first
  std::int64_t plane_stride = 0, a_stride = 0, b_stride = 0;
  float a = 0, b = 0, a_slope = 0, b_slope = 0;
  float step = 0;  ///< mm between planes along the ray
};

/// Sums both materials along a walk. `kNeighbours`: voxels adjacent along b are adjacent in memory.
template <bool kNeighbours>
MaterialFractions sum(const Walk& walk, const float* fractions) {
  Quad total = {0, 0, 0, 0};
  const float* plane = fractions + walk.first * walk.plane_stride;
  const auto steps = static_cast<int>(walk.last - walk.first + 1);
  for (int step = 0; step < steps; ++step, plane += walk.plane_stride) {
    const float a = walk.a + static_cast<float>(step) * walk.a_slope;
    const float b = walk.b + static_cast<float>(step) * walk.b_slope;
    const int a_index = static_cast<int>(a), b_index = static_cast<int>(b);
    const float a_part = a - static_cast<float>(a_index), b_part = b - static_cast<float>(b_index);
    const float* p = plane + a_index * walk.a_stride + b_index * walk.b_stride;
    Quad low, high;
    if constexpr (kNeighbours) {
      low = load(p);
      high = load(p + walk.a_stride);
    } else {
      low = load(p, p + walk.b_stride);
      high = load(p + walk.a_stride, p + walk.a_stride + walk.b_stride);
    }
    const Quad along_a = low + a_part * (high - low);
    total += along_a * Quad{1 - b_part, 1 - b_part, b_part, b_part};
  }
  return {(total[0] + total[2]) * walk.step, (total[1] + total[3]) * walk.step};
}

class JosephProjector final : public Projector {
 public:
  explicit JosephProjector(const Volume& volume) : grid_(volume.grid), slab_(make_slab(volume)) {}

  at::Tensor project(std::span<const Projection> projections) override {
    const auto count = static_cast<std::int64_t>(projections.size());
    const std::int64_t rows = projections.front().rows, columns = projections.front().columns;
    at::Tensor result = at::zeros({count, kMaterials, rows, columns}, at::kFloat);
    if (slab_.empty()) return result;
    auto* pixels = result.data_ptr<float>();
    const std::int64_t blocks = (rows + kBlock - 1) / kBlock;
    parallel_for(0, count * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t view = item % count, row = item / count * kBlock;
        project_block(projections[static_cast<std::size_t>(view)], row, std::min(rows, row + kBlock),
                      pixels + view * kMaterials * rows * columns);
      }
    });
    return result;
  }

 private:
  /// Rows that one thread renders at a time.
  static constexpr std::int64_t kBlock = 8;

  void project_block(const Projection& view, std::int64_t first_row, std::int64_t end_row, float* pixels) const {
    const std::int64_t plane = view.rows * view.columns;
    for (std::int64_t row = first_row; row < end_row; ++row)
      for (std::int64_t column = 0; column < view.columns; ++column) {
        const Vec3 pixel = view.first_pixel + view.row_step * static_cast<double>(row) +
                           view.column_step * static_cast<double>(column);
        const Vec3 from = view.parallel ? pixel : view.source;
        const Vec3 direction = view.parallel ? view.direction : normalised(pixel - view.source);
        const Walk walk = walk_along(from, direction, view.parallel);
        if (walk.last < walk.first) continue;
        const bool neighbours = walk.b_stride == kMaterials;
        const MaterialFractions integral =
            neighbours ? sum<true>(walk, slab_.fractions.data()) : sum<false>(walk, slab_.fractions.data());
        float* to = pixels + row * view.columns + column;
        to[0] = integral.water;
        to[plane] = integral.bone;
      }
  }

  /// Position and direction in indices of the slab with its border.
  [[nodiscard]] Vec3 position_in_slab(Vec3 point) const {
    Vec3 index = grid_.to_index(point);
    for (int axis = 0; axis < 3; ++axis)
      index[axis] += 1.0 - static_cast<double>(slab_.low[static_cast<std::size_t>(axis)]);
    return index;
  }
  [[nodiscard]] Vec3 direction_in_slab(Vec3 direction) const {
    const Vec3 local = transposed(grid_.direction) * direction;
    return {local.x / grid_.spacing.x, local.y / grid_.spacing.y, local.z / grid_.spacing.z};
  }

  /// `direction` is a unit vector in patient coordinates.
  [[nodiscard]] Walk walk_along(Vec3 from, Vec3 direction, bool both_ways) const {
    const Vec3 start = position_in_slab(from), d = direction_in_slab(direction);
    int dominant = 0;
    for (int axis = 1; axis < 3; ++axis)
      if (std::abs(d[axis]) > std::abs(d[dominant])) dominant = axis;
    // b is the axis whose neighbours lie side by side in memory, unless the ray itself runs along that one.
    const int b = dominant == slab_.fastest ? (slab_.fastest + 1) % 3 : slab_.fastest;
    const int a = 3 - dominant - b;
    const auto size = [this](int axis) { return static_cast<double>(slab_.size[static_cast<std::size_t>(axis)]); };

    // Planes that the ray meets inside the border.
    double low = 1, high = size(dominant);
    if (!both_ways)
      (d[dominant] > 0 ? low : high) =
          (d[dominant] > 0 ? std::max(low, start[dominant]) : std::min(high, start[dominant]));
    const double a_slope = d[a] / d[dominant], b_slope = d[b] / d[dominant];
    clip(start[a] - start[dominant] * a_slope, a_slope, size(a) + 1, low, high);
    clip(start[b] - start[dominant] * b_slope, b_slope, size(b) + 1, low, high);
    Walk walk;
    if (!(low <= high)) return walk;
    walk.first = static_cast<std::int64_t>(std::ceil(low));
    walk.last = static_cast<std::int64_t>(std::floor(high));
    walk.plane_stride = slab_.stride[static_cast<std::size_t>(dominant)];
    walk.a_stride = slab_.stride[static_cast<std::size_t>(a)];
    walk.b_stride = slab_.stride[static_cast<std::size_t>(b)];
    const double to_first = static_cast<double>(walk.first) - start[dominant];
    walk.a = static_cast<float>(start[a] + to_first * a_slope);
    walk.b = static_cast<float>(start[b] + to_first * b_slope);
    walk.a_slope = static_cast<float>(a_slope);
    walk.b_slope = static_cast<float>(b_slope);
    walk.step = static_cast<float>(1 / std::abs(d[dominant]));
    return walk;
  }

  /// Narrows low … high to where intercept + slope·s lies between 0 and `end`, less a margin for the rounding to float
  /// (at the border, where the volume is air but for that margin).
  static void clip(double intercept, double slope, double end, double& low, double& high) {
    const double margin = 1e-3 + 1e-6 * end;
    if (std::abs(slope) < 1e-12) {
      if (!(intercept >= margin && intercept <= end - margin)) high = -std::numeric_limits<double>::infinity();
      return;
    }
    const double enters = (margin - intercept) / slope, leaves = (end - margin - intercept) / slope;
    low = std::max(low, std::min(enters, leaves));
    high = std::min(high, std::max(enters, leaves));
  }

  Grid grid_;
  Slab slab_;
};

class JosephRenderer final : public Renderer {
 public:
  static Schema schema() {
    return {"Line integrals by linear interpolation from voxel plane to voxel plane (Joseph, 1982), on the CPU.", {}};
  }
  explicit JosephRenderer(const Parameters& /*parameters*/) {}

  [[nodiscard]] std::unique_ptr<Projector> prepare(const Volume& volume) const override {
    volume.check();
    return std::make_unique<JosephProjector>(volume);
  }
};

}  // namespace

OSTEON_PLUGIN(renderer, joseph, "0.1.0", JosephRenderer)

}  // namespace osteon
