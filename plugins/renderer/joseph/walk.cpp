#include "walk.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Both clones compute the same integers; only their speed differs.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define OSTEON_JOSEPH_CLONES __attribute__((target_clones("default", "avx2")))
#else
#define OSTEON_JOSEPH_CLONES
#endif
#define OSTEON_JOSEPH_INLINE inline __attribute__((always_inline))

namespace osteon::joseph {

namespace {

constexpr int kRayBits = 40, kBlockFraction = 18, kWeightBits = 14;
constexpr std::int32_t kWeightOne = 1 << kWeightBits;

/// One number for each plane of a block.
using Lanes = std::int32_t __attribute__((vector_size(4 * kSteps)));

/// Narrows low … high to where intercept + slope·s lies between 0 and `end`, less a margin for the rounding of
/// positions (at the border, where the volume is air but for that margin).
void clip(double intercept, double slope, double end, double& low, double& high) {
  constexpr double kMargin = 1e-3;
  if (std::abs(slope) < 1e-12) {
    if (!(intercept >= kMargin && intercept <= end - kMargin)) high = -std::numeric_limits<double>::infinity();
    return;
  }
  const double inverse = 1 / slope;
  const double enters = (kMargin - intercept) * inverse, leaves = (end - kMargin - intercept) * inverse;
  low = std::max(low, std::min(enters, leaves));
  high = std::min(high, std::max(enters, leaves));
}

std::int64_t fixed(double value) {
  return static_cast<std::int64_t>(value * static_cast<double>(std::int64_t{1} << kRayBits));
}

/// Where the voxels of one block's planes lie and how much each counts: pairs of 16-bit weights of the voxels at a and
/// a + 1, twice (for water and bone) at b and twice at b + 1.
struct BlockSteps {
  alignas(32) std::uint32_t offset[kSteps];
  alignas(32) std::int32_t weight[kSteps][4];
};

struct Strides {
  std::int64_t plane;
  std::int32_t a, b;
};

OSTEON_JOSEPH_INLINE void prepare(const Ray& ray, Strides strides, std::int32_t block, BlockSteps& steps) {
  constexpr Lanes kLane = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::int64_t plane = std::int64_t{block} * kSteps;
  constexpr int kShift = kRayBits - kBlockFraction;
  const auto narrowed = [](std::int64_t value) __attribute__((always_inline)) {
    return static_cast<std::int32_t>((value + (std::int64_t{1} << (kShift - 1))) >> kShift);
  };
  const Lanes a = narrowed(ray.a + plane * ray.a_slope) + kLane * narrowed(ray.a_slope);
  const Lanes b = narrowed(ray.b + plane * ray.b_slope) + kLane * narrowed(ray.b_slope);
  const Lanes planes = static_cast<std::int32_t>(plane) + kLane;
  const Lanes inside = (planes >= ray.first) & (planes <= ray.last);  // -1 or 0

  const Lanes offset = kLane * static_cast<std::int32_t>(strides.plane) + (a >> kBlockFraction) * strides.a +
                       (b >> kBlockFraction) * strides.b;
  constexpr int kDrop = kBlockFraction - kWeightBits;
  const Lanes a_part = (a >> kDrop) & (kWeightOne - 1), b_part = (b >> kDrop) & (kWeightOne - 1);
  const Lanes both = (a_part * b_part) >> kWeightBits;
  // Whatever was rounded down from one of the four goes to another: they add up to one.
  const Lanes at_b = ((kWeightOne - a_part - b_part + both) | ((a_part - both) << 16)) & inside;
  const Lanes at_next = ((b_part - both) | (both << 16)) & inside;
  const Lanes kept = offset & inside;
  std::memcpy(steps.offset, &kept, sizeof kept);
  const auto store = [&](std::size_t plane_pair, const Lanes& weights) __attribute__((always_inline)) {
    std::memcpy(steps.weight[2 * plane_pair], &weights, sizeof weights);
  };
  store(0, __builtin_shuffle(at_b, at_next, Lanes{0, 0, 8, 8, 1, 1, 9, 9}));
  store(1, __builtin_shuffle(at_b, at_next, Lanes{2, 2, 10, 10, 3, 3, 11, 11}));
  store(2, __builtin_shuffle(at_b, at_next, Lanes{4, 4, 12, 12, 5, 5, 13, 13}));
  store(3, __builtin_shuffle(at_b, at_next, Lanes{6, 6, 14, 14, 7, 7, 15, 15}));
  // Loading from memory again is cheaper than taking vectors apart.
  asm volatile("" ::"r"(&steps) : "memory");
}

#ifdef __SSE2__

using Sums = __m128i;  ///< water and bone from b, then from b + 1
using Totals = __m128;

template <bool kNeighbours>
OSTEON_JOSEPH_INLINE __m128i load_pair(const Voxel* at, std::int32_t b_stride) {
  if constexpr (kNeighbours) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  std::int32_t first, second;
  std::memcpy(&first, at, sizeof first);
  std::memcpy(&second, at + b_stride, sizeof second);
  return _mm_unpacklo_epi32(_mm_cvtsi32_si128(first), _mm_cvtsi32_si128(second));
}

template <bool kNeighbours>
OSTEON_JOSEPH_INLINE Sums step(const Voxel* at, Strides strides, const std::int32_t* weight) {
  const __m128i below = load_pair<kNeighbours>(at, strides.b),
                above = load_pair<kNeighbours>(at + strides.a, strides.b);
  return _mm_madd_epi16(_mm_unpacklo_epi16(below, above), _mm_load_si128(reinterpret_cast<const __m128i*>(weight)));
}

OSTEON_JOSEPH_INLINE Sums plus(Sums x, Sums y) { return _mm_add_epi32(x, y); }
OSTEON_JOSEPH_INLINE void add(Totals& totals, Sums sums) { totals = _mm_add_ps(totals, _mm_cvtepi32_ps(sums)); }

#else

using Sums = std::int32_t __attribute__((vector_size(16)));
using Totals = float __attribute__((vector_size(16)));

template <bool kNeighbours>
OSTEON_JOSEPH_INLINE Sums step(const Voxel* at, Strides strides, const std::int32_t* weight) {
  const std::int64_t b_stride = kNeighbours ? 1 : strides.b;
  const Voxel *p = at, *q = at + strides.a;
  const std::int32_t p0 = weight[0] & 0xffff, q0 = weight[0] >> 16, p1 = weight[2] & 0xffff, q1 = weight[2] >> 16;
  return Sums{p[0].water * p0 + q[0].water * q0, p[0].bone * p0 + q[0].bone * q0,
              p[b_stride].water * p1 + q[b_stride].water * q1, p[b_stride].bone * p1 + q[b_stride].bone * q1};
}

OSTEON_JOSEPH_INLINE Sums plus(Sums x, Sums y) { return x + y; }
OSTEON_JOSEPH_INLINE void add(Totals& totals, Sums sums) { totals += __builtin_convertvector(sums, Totals); }

#endif

template <bool kNeighbours>
OSTEON_JOSEPH_INLINE MaterialFractions sum_ray(const Ray& ray, const Voxel* voxels, Strides strides,
                                               const TilePath& path) {
  if (ray.last < ray.first) return {0, 0};
  Totals totals = {0, 0, 0, 0};
  // Each group's weights are made while the one before is summed up: neither waits for the other.
  const auto *group = path.steps.data(), *end_group = group + path.steps.size();
  while (group != end_group && *group < ray.first >> kStepBits) ++group;
  while (group != end_group && end_group[-1] > ray.last >> kStepBits) --end_group;
  BlockSteps steps[2];
  if (group != end_group) prepare(ray, strides, *group, steps[0]);
  for (int now = 0; group != end_group; ++group, now ^= 1) {
    if (group + 1 != end_group) prepare(ray, strides, group[1], steps[now ^ 1]);
    const Voxel* plane = voxels + std::int64_t{*group} * kSteps * strides.plane;
    // Four planes fit 32 bits: 4 · 32767 · 16384 < 2^31.
    for (int half = 0; half < kSteps; half += 4) {
      const auto at = [&](int i) __attribute__((always_inline)) {
        return step<kNeighbours>(plane + steps[now].offset[half + i], strides, steps[now].weight[half + i]);
      };
      add(totals, plus(plus(at(0), at(1)), plus(at(2), at(3))));
    }
  }
  const auto first = static_cast<std::size_t>(ray.first), end = static_cast<std::size_t>(ray.last) + 1;
  const auto one = static_cast<float>(kWeightOne);
  const float water = totals[0] + totals[2] + one * static_cast<float>(path.water[end] - path.water[first]);
  const float bone = totals[1] + totals[3] + one * static_cast<float>(path.bone[end] - path.bone[first]);
  return {water * (ray.step / (one * static_cast<float>(kWaterUnits))),
          bone * (ray.step / (one * static_cast<float>(kBoneUnits)))};
}

}  // namespace

Axes axes_of(int dominant, const Slab& slab) {
  const int b = dominant == slab.fastest() ? (dominant + 1) % 3 : slab.fastest();
  return {dominant, 3 - dominant - b, b};
}

Ray make_ray(const Slab& slab, Axes axes, Vec3 start, Vec3 direction, bool both_ways) {
  const int dominant = axes.dominant, a = axes.a, b = axes.b;
  Ray ray;
  double low = 1, high = static_cast<double>(slab.size(dominant));
  if (!both_ways) {
    if (direction[dominant] > 0)
      low = std::max(low, start[dominant]);
    else
      high = std::min(high, start[dominant]);
  }
  const double inverse = 1 / direction[dominant];
  const double a_slope = direction[a] * inverse, b_slope = direction[b] * inverse;
  const double a_start = start[a] - start[dominant] * a_slope, b_start = start[b] - start[dominant] * b_slope;
  clip(a_start, a_slope, static_cast<double>(slab.size(a) + 1), low, high);
  clip(b_start, b_slope, static_cast<double>(slab.size(b) + 1), low, high);
  if (!(low <= high)) return ray;
  ray.first = static_cast<std::int32_t>(std::ceil(low));
  ray.last = static_cast<std::int32_t>(std::floor(high));
  ray.a = fixed(a_start);
  ray.b = fixed(b_start);
  ray.a_slope = fixed(a_slope);
  ray.b_slope = fixed(b_slope);
  const Vec3 spacing = slab.spacing();
  const double da = a_slope * spacing[a], db = b_slope * spacing[b], d = spacing[dominant];
  ray.step = static_cast<float>(std::sqrt(d * d + da * da + db * db));
  return ray;
}

OSTEON_JOSEPH_CLONES void sum_rays(const Slab& slab, Axes axes, const TilePath& path, const Ray* rays,
                                   std::int64_t count, MaterialFractions* integrals) {
  const Strides strides = {slab.stride(axes.dominant), static_cast<std::int32_t>(slab.stride(axes.a)),
                           static_cast<std::int32_t>(slab.stride(axes.b))};
  if (strides.b == 1)
    for (std::int64_t i = 0; i < count; ++i) integrals[i] = sum_ray<true>(rays[i], slab.voxels(), strides, path);
  else
    for (std::int64_t i = 0; i < count; ++i) integrals[i] = sum_ray<false>(rays[i], slab.voxels(), strides, path);
}

}  // namespace osteon::joseph
