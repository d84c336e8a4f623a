#pragma once

// A ray as the inner loop walks it: from voxel plane to voxel plane along its dominant axis, `kSteps` planes at a time.
//
// Positions are fixed-point and the weights of interpolation whole numbers of 1/16384, so that a sum of voxels is a sum
// of integers: the same bits on every processor, whichever instructions it has. The position's error is that of a
// float32 some hundred voxels from the origin.

#include "slab.hpp"

#include <osteon/materials.hpp>

namespace osteon::joseph {

/// What the rays of a tile meet, plane by plane: blocks that each ray must walk through, and what lies in all the
/// others, where every ray of the tile meets the same value.
struct TilePath {
  std::vector<std::int32_t> steps;        ///< numbers of the groups of `kSteps` planes to walk through, ascending
  std::vector<std::int32_t> water, bone;  ///< sums of the other groups' values over the planes before each plane
};

inline constexpr int kStepBits = 3, kSteps = 1 << kStepBits;  ///< planes that a ray is walked through at a time

struct Ray {
  std::int32_t first = 1, last = 0;       ///< planes, border included; none when last < first
  std::int64_t a = 0, b = 0;              ///< in plane 0, in 2^-40 voxels
  std::int64_t a_slope = 0, b_slope = 0;  ///< per plane
  float step = 0;                         ///< mm between planes along the ray
};

/// What the rays of a tile have in common: the axis along which they step and the two in the plane.
struct Axes {
  int dominant = 0, a = 1, b = 2;
};

/// `b` is the axis whose neighbours lie side by side in memory, unless the rays run along that one.
[[nodiscard]] Axes axes_of(int dominant, const Slab& slab);

/// The ray from `start` along `direction`, in the slab's indices; `both_ways`: it has no beginning. `dominant` is the
/// axis along which |direction| is largest.
[[nodiscard]] Ray make_ray(const Slab& slab, Axes axes, Vec3 start, Vec3 direction, bool both_ways);

/// Line integrals in mm of `count` rays.
void sum_rays(const Slab& slab, Axes axes, const TilePath& path, const Ray* rays, std::int64_t count,
              MaterialFractions* integrals);

}  // namespace osteon::joseph
