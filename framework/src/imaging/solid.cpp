#include "imaging/solid.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::imaging {

namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// Where the lines along i cross the surface, in voxels; one list a line. Lines run a hair beside the voxels' centres,
/// so that none meets a vertex or an edge.
std::vector<std::vector<double>> crossings(const Mesh& surface, const Grid& grid) {
  constexpr double kAsideJ = 1.414e-5, kAsideK = 2.236e-5;
  std::vector<std::vector<double>> lines(static_cast<std::size_t>(grid.size[1] * grid.size[2]));
  const auto* vertex = surface.vertices.data_ptr<float>();
  const auto* corner = surface.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < surface.triangles.size(0); ++t) {
    Vec3 p[3];
    for (int c = 0; c < 3; ++c) {
      const float* v = vertex + 3 * static_cast<std::int64_t>(corner[3 * t + c]);
      p[c] = grid.to_index({v[0], v[1], v[2]}) - Vec3{0, kAsideJ, kAsideK};
    }
    const double area = (p[1].y - p[0].y) * (p[2].z - p[0].z) - (p[2].y - p[0].y) * (p[1].z - p[0].z);
    if (area == 0) continue;
    const auto range = [&](int axis) {
      const auto [low, high] = std::minmax({p[0][axis], p[1][axis], p[2][axis]});
      return std::pair{
          std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(low))),
          std::min(grid.size[static_cast<std::size_t>(axis)] - 1, static_cast<std::int64_t>(std::floor(high)))};
    };
    const auto [first_j, last_j] = range(1);
    const auto [first_k, last_k] = range(2);
    for (std::int64_t k = first_k; k <= last_k; ++k)
      for (std::int64_t j = first_j; j <= last_j; ++j) {
        const auto y = static_cast<double>(j), z = static_cast<double>(k);
        double weight[3];
        for (int c = 0; c < 3; ++c) {
          const Vec3 &a = p[(c + 1) % 3], &b = p[(c + 2) % 3];
          weight[c] = ((a.y - y) * (b.z - z) - (b.y - y) * (a.z - z)) / area;
        }
        if (weight[0] < 0 || weight[1] < 0 || weight[2] < 0) continue;
        lines[static_cast<std::size_t>(k * grid.size[1] + j)].push_back(weight[0] * p[0].x + weight[1] * p[1].x +
                                                                        weight[2] * p[2].x);
      }
  }
  return lines;
}

/// A box of voxels, and squared distances in it, mm².
struct Box3 {
  std::array<std::int64_t, 3> low{}, size{};
  std::vector<float> squared;
};

/// The box around the mask with room for the margin: 0 on the mask, `kFar` elsewhere. Empty when the mask is.
Box3 box_around(const Mask& mask, const Grid& grid, double margin) {
  std::array<std::int64_t, 3> low = grid.size, high{-1, -1, -1};
  std::size_t n = 0;
  for (std::int64_t k = 0; k < grid.size[2]; ++k)
    for (std::int64_t j = 0; j < grid.size[1]; ++j)
      for (std::int64_t i = 0; i < grid.size[0]; ++i, ++n) {
        if (mask[n] == 0) continue;
        const std::array<std::int64_t, 3> at = {i, j, k};
        for (std::size_t a = 0; a < 3; ++a) {
          low[a] = std::min(low[a], at[a]);
          high[a] = std::max(high[a], at[a]);
        }
      }
  Box3 box;
  if (high[0] < 0) return box;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto reach = static_cast<std::int64_t>(std::floor(margin / grid.spacing[static_cast<int>(a)]));
    box.low[a] = std::max<std::int64_t>(0, low[a] - reach);
    box.size[a] = std::min(grid.size[a] - 1, high[a] + reach) - box.low[a] + 1;
  }
  box.squared.assign(static_cast<std::size_t>(box.size[0] * box.size[1] * box.size[2]), kFar);
  auto* to = box.squared.data();
  for (std::int64_t k = 0; k < box.size[2]; ++k)
    for (std::int64_t j = 0; j < box.size[1]; ++j)
      for (std::int64_t i = 0; i < box.size[0]; ++i, ++to) {
        const std::int64_t voxel = ((k + box.low[2]) * grid.size[1] + j + box.low[1]) * grid.size[0] + i + box.low[0];
        if (mask[static_cast<std::size_t>(voxel)] != 0) *to = 0;
      }
  return box;
}

/// Adds the distance along one axis: d²(x) = min over t of d²(x + t) + (t · spacing)², |t · spacing| ≤ margin.
void spread_along(Box3& box, int axis, double spacing, double margin) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t stride = axis == 0 ? 1 : axis == 1 ? box.size[0] : box.size[0] * box.size[1];
  const std::int64_t length = box.size[a], lines = static_cast<std::int64_t>(box.squared.size()) / length;
  const auto window = static_cast<std::int64_t>(std::floor(margin / spacing));
  if (window == 0) return;
  std::vector<float> step(static_cast<std::size_t>(window + 1));
  for (std::size_t t = 0; t < step.size(); ++t)
    step[t] = static_cast<float>(std::pow(static_cast<double>(t) * spacing, 2));
  parallel_for(0, lines, 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> before(static_cast<std::size_t>(length));
    for (std::int64_t line = begin; line < end; ++line) {
      float* value = &box.squared[static_cast<std::size_t>(line / stride * stride * length + line % stride)];
      for (std::int64_t x = 0; x < length; ++x) before[static_cast<std::size_t>(x)] = value[x * stride];
      for (std::int64_t x = 0; x < length; ++x) {
        float least = kFar;
        for (std::int64_t y = std::max<std::int64_t>(0, x - window); y <= std::min(length - 1, x + window); ++y)
          least =
              std::min(least, before[static_cast<std::size_t>(y)] + step[static_cast<std::size_t>(std::abs(x - y))]);
        value[x * stride] = least;
      }
    }
  });
}

}  // namespace

Mask voxels_inside(const Mesh& surface, const Grid& grid) {
  Mask mask(static_cast<std::size_t>(grid.size[0] * grid.size[1] * grid.size[2]), 0);
  auto lines = crossings(surface, grid);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    std::ranges::sort(lines[line]);
    auto* row = mask.data() + line * static_cast<std::size_t>(grid.size[0]);
    for (std::size_t n = 0; n + 1 < lines[line].size(); n += 2) {
      const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(lines[line][n])));
      const auto last =
          std::min<std::int64_t>(grid.size[0] - 1, static_cast<std::int64_t>(std::floor(lines[line][n + 1])));
      for (std::int64_t i = first; i <= last; ++i) row[i] = 1;
    }
  }
  return mask;
}

Mask within(const Mask& mask, const Grid& grid, double margin) {
  Box3 box = box_around(mask, grid, margin);
  Mask result(mask.size(), 0);
  if (box.squared.empty()) return result;
  for (int axis = 0; axis < 3; ++axis) spread_along(box, axis, grid.spacing[axis], margin);
  const auto limit = static_cast<float>(margin * margin);
  const auto* from = box.squared.data();
  for (std::int64_t k = 0; k < box.size[2]; ++k)
    for (std::int64_t j = 0; j < box.size[1]; ++j)
      for (std::int64_t i = 0; i < box.size[0]; ++i, ++from)
        if (*from <= limit)
          result[static_cast<std::size_t>(((k + box.low[2]) * grid.size[1] + j + box.low[1]) * grid.size[0] + i +
                                          box.low[0])] = 1;
  return result;
}

}  // namespace osteon::imaging
