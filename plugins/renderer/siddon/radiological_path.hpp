#pragma once

// The exact radiological path: how long a ray is inside each voxel that it meets.
//
// R. L. Siddon, "Fast calculation of the exact radiological path for a three-dimensional CT array", Medical Physics
// 12(2), 252-255, 1985, in the incremental form of J. Amanatides and A. Woo, "A fast voxel traversal algorithm for ray
// tracing", Eurographics 1987 (F. Jacobs et al., J. Computing and Information Technology 6(1), 89-94, 1998, give the
// same walk for CT): the planes between voxels are crossed one after the other, always the nearest of the three
// families. Where a plane is met is computed anew from its number, not added up, so that no rounding gathers.

#include <osteon/geometry.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace osteon::siddon {

/// A line in voxel indices: `start` + t·`direction`, where t is in mm. Only t ≥ `begin` is seen.
struct Ray {
  Vec3 start, direction;
  double begin = 0;
};

/// Calls `visit(offset, length)` for each voxel that the ray passes, in order. Voxel (i, j, k) is the box i ± ½, j ± ½,
/// k ± ½; `offset` is i·stride[0] + j·stride[1] + k·stride[2]; `length` is above 0, in mm. A ray that runs along the
/// face between two voxels counts as inside the upper one.
template <class Visit>
void walk(const std::array<std::int64_t, 3>& size, const std::array<std::int64_t, 3>& stride, const Ray& ray,
          const Visit& visit) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const Vec3 p = ray.start + Vec3{0.5, 0.5, 0.5};  // voxel i fills i … i + 1
  const Vec3 d = ray.direction;
  double now = ray.begin, last = kNever;
  for (int axis = 0; axis < 3; ++axis) {
    const auto length = static_cast<double>(size[static_cast<std::size_t>(axis)]);
    if (d[axis] == 0) {
      if (!(p[axis] >= 0 && p[axis] < length)) return;
      continue;
    }
    const double zero = -p[axis] / d[axis], end = (length - p[axis]) / d[axis];
    now = std::max(now, std::min(zero, end));
    last = std::min(last, std::max(zero, end));
  }
  if (!(now < last)) return;

  std::array<double, 3> plane{}, next{}, one{}, per_plane{};
  std::array<std::int64_t, 3> cells_left{}, step{};
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int a = static_cast<int>(axis);
    const auto cell =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(p[a] + now * d[a])), 0, size[axis] - 1);
    const bool up = d[a] > 0;
    offset += cell * stride[axis];
    plane[axis] = static_cast<double>(cell + (up ? 1 : 0)) - p[a];
    per_plane[axis] = d[a] == 0 ? 0 : 1 / d[a];
    next[axis] = d[a] == 0 ? kNever : plane[axis] * per_plane[axis];
    one[axis] = up ? 1 : -1;
    step[axis] = up ? stride[axis] : -stride[axis];
    cells_left[axis] = up ? size[axis] - 1 - cell : cell;
  }
  while (true) {
    const std::size_t axis = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : (next[1] < next[2] ? 1 : 2);
    const double until = std::min(next[axis], last);
    if (until > now) {
      visit(offset, until - now);
      now = until;
    }
    if (next[axis] >= last || cells_left[axis]-- == 0) return;
    offset += step[axis];
    plane[axis] += one[axis];
    next[axis] = plane[axis] * per_plane[axis];
  }
}

}  // namespace osteon::siddon
