// renderer/joseph: line integrals by Joseph's method
//
// P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Transactions on Medical
// Imaging 1(3), 192-196, 1982. Each ray is followed from voxel plane to voxel plane along the axis of the grid that it
// runs along most. In each plane the value is interpolated from the four voxels around the ray; the sum times the
// length of a step is the line integral, exact where the volume is linear between its voxels. Beyond the outermost
// voxels values fall to air over one voxel. Both materials go through the loop together.
//
// Voxels are kept as 16-bit integers, which hold water and bone exactly, and interpolated with integer weights (in
// steps of 1/16384): the sums are the same bits on every processor, with any number of threads, and whichever exposures
// are asked for together. Blocks that hold one value throughout (air above all, and whatever else a phantom or a mask
// made uniform) are passed over. Memory: twice the volume.
//
// Perspective rays start at the source and have no end; parallel rays have neither. Spacing, origin and direction of
// the grid are honoured.
//
// There are no parameters.
//
//     [renderer]
//     plugin = "joseph"

#include "walk.hpp"

#include <osteon/parallel.hpp>
#include <osteon/renderer.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace osteon {

namespace {

using joseph::Axes, joseph::TilePath, joseph::Ray, joseph::Slab;

/// Pixels along each side of what one thread renders at a time.
constexpr std::int64_t kTile = 12;

/// An exposure in the indices of the slab.
struct Exposure {
  Exposure(const Projection& view, const Slab& slab)
      : parallel(view.parallel),
        source(view.parallel ? Vec3{} : slab.position(view.source)),
        direction(view.parallel ? slab.difference(view.direction) : Vec3{}),
        first_pixel(slab.position(view.first_pixel)),
        row_step(slab.difference(view.row_step)),
        column_step(slab.difference(view.column_step)),
        rows(view.rows),
        columns(view.columns) {}

  [[nodiscard]] Vec3 pixel(std::int64_t row, std::int64_t column) const {
    return first_pixel + row_step * static_cast<double>(row) + column_step * static_cast<double>(column);
  }
  [[nodiscard]] Vec3 start_of(Vec3 pixel_at) const { return parallel ? pixel_at : source; }
  [[nodiscard]] Vec3 direction_to(Vec3 pixel_at) const { return parallel ? direction : pixel_at - source; }

  bool parallel;
  Vec3 source, direction, first_pixel, row_step, column_step;
  std::int64_t rows, columns;
};

struct Tile {
  std::int64_t first_row, end_row, first_column, end_column;
};

int dominant_axis(Vec3 direction) {
  int dominant = 0;
  for (int axis = 1; axis < 3; ++axis)
    if (std::abs(direction[axis]) > std::abs(direction[dominant])) dominant = axis;
  return dominant;
}

class JosephProjector final : public Projector {
 public:
  explicit JosephProjector(const Volume& volume) : slab_(volume) {}

  at::Tensor project(std::span<const Projection> projections) override {
    const auto count = static_cast<std::int64_t>(projections.size());
    const std::int64_t rows = projections.front().rows, columns = projections.front().columns;
    if (slab_.empty()) return at::zeros({count, kMaterials, rows, columns}, at::kFloat);
    at::Tensor result = at::empty({count, kMaterials, rows, columns}, at::kFloat);
    auto* pixels = result.data_ptr<float>();
    std::vector<Exposure> exposures;
    for (const Projection& view : projections) exposures.emplace_back(view, slab_);
    const std::int64_t across = (columns + kTile - 1) / kTile, down = (rows + kTile - 1) / kTile;
    // Tiles take unlike times: each thread takes the next one when it is done with its own.
    std::atomic<std::int64_t> next = 0;
    parallel_for(0, thread_count(), 1, [&](std::int64_t, std::int64_t) {
      for (std::int64_t item; (item = next++) < count * across * down;) {
        const std::int64_t view = item / (across * down), row = item / across % down * kTile,
                           column = item % across * kTile;
        project_tile(exposures[static_cast<std::size_t>(view)],
                     {row, std::min(rows, row + kTile), column, std::min(columns, column + kTile)},
                     pixels + view * kMaterials * rows * columns);
      }
    });
    return result;
  }

 private:
  void project_tile(const Exposure& view, Tile tile, float* pixels) const {
    std::array<Vec3, 4> corners;  // pixels
    for (std::size_t i = 0; i < 4; ++i)
      corners[i] = view.pixel(i / 2 == 0 ? tile.first_row : tile.end_row - 1,
                              i % 2 == 0 ? tile.first_column : tile.end_column - 1);
    const Vec3 first = view.direction_to(corners[0]);
    const int dominant = dominant_axis(first);
    const bool alike = std::ranges::all_of(corners, [&](Vec3 corner) {
      const Vec3 direction = view.direction_to(corner);
      return dominant_axis(direction) == dominant && direction[dominant] * first[dominant] > 0;
    });
    if (alike) {
      const Axes axes = joseph::axes_of(dominant, slab_);
      project_pixels(view, tile, axes, path_between(view, corners, axes), pixels);
      return;
    }
    // Rays along different axes: each by itself.
    for (std::int64_t row = tile.first_row; row < tile.end_row; ++row)
      for (std::int64_t column = tile.first_column; column < tile.end_column; ++column) {
        const Vec3 pixel = view.pixel(row, column);
        const Axes axes = joseph::axes_of(dominant_axis(view.direction_to(pixel)), slab_);
        project_pixels(view, {row, row + 1, column, column + 1}, axes,
                       path_between(view, {pixel, pixel, pixel, pixel}, axes), pixels);
      }
  }

  /// Rays go down a column of pixels when that is how they lie side by side in memory.
  void project_pixels(const Exposure& view, Tile tile, Axes axes, const TilePath& path, float* pixels) const {
    const bool down = std::abs(view.row_step[axes.b]) > std::abs(view.column_step[axes.b]);
    const std::int64_t rows = tile.end_row - tile.first_row, columns = tile.end_column - tile.first_column;
    const std::int64_t lines = down ? columns : rows, length = down ? rows : columns;
    std::array<Ray, kTile> rays;
    std::array<MaterialFractions, kTile> integrals;
    for (std::int64_t line = 0; line < lines; ++line) {
      const auto place = [&](std::int64_t i) {
        return std::pair(tile.first_row + (down ? i : line), tile.first_column + (down ? line : i));
      };
      for (std::int64_t i = 0; i < length; ++i) {
        const auto [row, column] = place(i);
        const Vec3 at = view.pixel(row, column);
        rays[static_cast<std::size_t>(i)] =
            joseph::make_ray(slab_, axes, view.start_of(at), view.direction_to(at), view.parallel);
      }
      joseph::sum_rays(slab_, axes, path, rays.data(), length, integrals.data());
      for (std::int64_t i = 0; i < length; ++i) {
        const auto [row, column] = place(i);
        float* to = pixels + row * view.columns + column;
        to[0] = integrals[static_cast<std::size_t>(i)].water;
        to[view.rows * view.columns] = integrals[static_cast<std::size_t>(i)].bone;
      }
    }
  }

  /// What the rays between the corners meet. In each plane they lie between those of the corners.
  [[nodiscard]] TilePath path_between(const Exposure& view, const std::array<Vec3, 4>& corners, Axes axes) const {
    std::array<std::array<double, 2>, 4> start{}, slope{};  // of a and b
    for (std::size_t i = 0; i < 4; ++i) {
      const Vec3 from = view.start_of(corners[i]), direction = view.direction_to(corners[i]);
      for (std::size_t j = 0; j < 2; ++j) {
        const int axis = j == 0 ? axes.a : axes.b;
        slope[i][j] = direction[axis] / direction[axes.dominant];
        start[i][j] = from[axis] - from[axes.dominant] * slope[i][j];
      }
    }
    const std::int64_t planes = slab_.size(axes.dominant) + 2;
    TilePath path;
    path.water.assign(static_cast<std::size_t>(planes) + 1, 0);
    path.bone.assign(static_cast<std::size_t>(planes) + 1, 0);
    std::array<std::int64_t, 3> low{}, high{};
    const auto extent = [&](std::size_t j, std::int64_t plane) {
      std::array<double, 2> result = {1e300, -1e300};
      for (std::size_t i = 0; i < 4; ++i) {
        const double at = start[i][j] + static_cast<double>(plane) * slope[i][j];
        result = {std::min(result[0], at), std::max(result[1], at)};
      }
      return result;
    };
    std::array<std::array<double, 2>, 2> before = {extent(0, 0), extent(1, 0)};
    for (std::int64_t first = 0; first < planes; first += joseph::kSteps) {
      low[static_cast<std::size_t>(axes.dominant)] = first >> joseph::kBlockBits;
      high[static_cast<std::size_t>(axes.dominant)] = (first + joseph::kSteps - 1) >> joseph::kBlockBits;
      for (std::size_t j = 0; j < 2; ++j) {
        // From the group's first plane to the next one's.
        double least = before[j][0], most = before[j][1];
        before[j] = extent(j, first + joseph::kSteps);
        least = std::min(least, before[j][0]);
        most = std::max(most, before[j][1]);
        const auto axis = static_cast<std::size_t>(j == 0 ? axes.a : axes.b);
        const auto in_block = [](double at) {
          return static_cast<std::int64_t>(std::floor(std::clamp(at, -1e6, 1e6))) >> joseph::kBlockBits;
        };
        low[axis] = in_block(least - 1e-3);
        high[axis] = in_block(most + 1e-3);
      }
      const auto value = slab_.only_value(low, high);
      if (!value) path.steps.push_back(static_cast<std::int32_t>(first >> joseph::kStepBits));
      for (std::int64_t plane = first; plane < std::min(planes, first + joseph::kSteps); ++plane) {
        const auto i = static_cast<std::size_t>(plane);
        path.water[i + 1] = path.water[i] + (value ? value->water : 0);
        path.bone[i + 1] = path.bone[i] + (value ? value->bone : 0);
      }
    }
    return path;
  }

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
