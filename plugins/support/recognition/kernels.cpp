// Sixteen rows at a time, four dimensions at a time: 64 bytes of gallery codes times four bytes of the query, without a
// sum across lanes. With VNNI one instruction does the 64 products and their sums; AVX2 takes three for half of them,
// and needs codes of 7 bits, so that the sum of two products fits 16 bits.

#include "recognition/kernels.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define OSTEON_X86_KERNELS 1
#endif

namespace osteon::recognition {

namespace {

template <class Term>
[[gnu::always_inline]] inline double sum_over(std::int64_t n, Term term) {
  double part[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int lane = 0; lane < 8; ++lane) part[lane] += term(i + lane);
  for (; i < n; ++i) part[0] += term(i);
  return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
}

double dot_portable(const float* a, const float* b, std::int64_t n) {
  return sum_over(n, [=](std::int64_t i) { return static_cast<double>(a[i]) * b[i]; });
}

double squared_distance_portable(const float* a, const float* b, std::int64_t n) {
  return sum_over(n, [=](std::int64_t i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    return difference * difference;
  });
}

float rough_portable(const float* a, const float* b, std::int64_t n) {
  float part[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int lane = 0; lane < 8; ++lane) part[lane] += (a[i + lane] - b[i + lane]) * (a[i + lane] - b[i + lane]);
  for (; i < n; ++i) part[0] += (a[i] - b[i]) * (a[i] - b[i]);
  return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
}

template <int Queries>
void tile_portable(const CodeTile& tile, const std::int8_t* const* queries, const std::int32_t* limits,
                   std::uint64_t* masks) {
  for (int q = 0; q < Queries; ++q) {
    masks[q] = 0;
    for (int g = 0; g < kTileGroups; ++g) {
      std::int32_t sums[kGroup] = {};
      const std::uint8_t* codes = tile.codes + g * tile.chunks * kGroup * 4;
      for (std::int64_t i = 0; i < tile.chunks; ++i)
        for (int r = 0; r < kGroup; ++r)
          for (int b = 0; b < 4; ++b) sums[r] += codes[(i * kGroup + r) * 4 + b] * queries[q][i * 4 + b];
      for (int r = 0; r < kGroup; ++r)
        if (tile.norms[g * kGroup + r] - 2 * sums[r] <= limits[q]) masks[q] |= std::uint64_t{1} << (g * kGroup + r);
    }
  }
}

/// Adds the terms of one value with a row of the right panel.
template <SumOf kSum, class Lanes>
[[gnu::always_inline]] inline void add_term(double own, const Lanes& low, const Lanes& high, Lanes& sum_low,
                                            Lanes& sum_high) {
  if constexpr (kSum == SumOf::product) {
    sum_low += own * low;
    sum_high += own * high;
  } else {
    sum_low += (own - low) * (own - low);
    sum_high += (own - high) * (own - high);
  }
}

/// Half of the left panel's columns at a time: with the right panel's row, that is what sixteen registers hold. The
/// sums have names, because GCC keeps arrays of them in memory.
template <SumOf kSum>
[[gnu::always_inline]] inline void add_terms(const double* left, const double* right, std::int64_t rows, double* sums) {
  using Lanes = double __attribute__((vector_size(32), aligned(8), may_alias));
  for (std::int64_t from = 0; from < kPanel; from += 4) {
    auto* to = reinterpret_cast<Lanes*>(sums + from * kPanel);
    Lanes s0 = to[0], s1 = to[1], s2 = to[2], s3 = to[3], s4 = to[4], s5 = to[5], s6 = to[6], s7 = to[7];
    const double *own = left + from, *other = right;
    for (std::int64_t r = 0; r < rows; ++r, own += kPanel, other += kPanel) {
      const Lanes low = *reinterpret_cast<const Lanes*>(other), high = *reinterpret_cast<const Lanes*>(other + 4);
      add_term<kSum>(own[0], low, high, s0, s1);
      add_term<kSum>(own[1], low, high, s2, s3);
      add_term<kSum>(own[2], low, high, s4, s5);
      add_term<kSum>(own[3], low, high, s6, s7);
    }
    to[0] = s0, to[1] = s1, to[2] = s2, to[3] = s3, to[4] = s4, to[5] = s5, to[6] = s6, to[7] = s7;
  }
}

template <SumOf kSum>
void panel_portable(const double* left, const double* right, std::int64_t rows, double* sums) {
  add_terms<kSum>(left, right, rows, sums);
}

constexpr Kernels kPortable{127,
                            128,
                            tile_portable<1>,
                            tile_portable<kTileQueries>,
                            squared_distance_portable,
                            dot_portable,
                            rough_portable,
                            panel_portable<SumOf::product>,
                            panel_portable<SumOf::squared_difference>};

#ifdef OSTEON_X86_KERNELS

// Without FMA: the partial sums are then the same bits on every processor.
#define OSTEON_AVX2 __attribute__((target("avx2")))
#define OSTEON_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

/// The eight partial sums in the order of `sum_over`.
OSTEON_AVX2 double hsum(__m256d low, __m256d high) {
  double part[4];
  _mm256_storeu_pd(part, _mm256_add_pd(low, high));
  return (part[0] + part[1]) + (part[2] + part[3]);
}

OSTEON_AVX2 double dot_avx2(const float* a, const float* b, std::int64_t n) {
  if (n % 8 != 0) return dot_portable(a, b, n);
  __m256d low = _mm256_setzero_pd(), high = low;
  for (std::int64_t i = 0; i < n; i += 8) {
    const __m256d a0 = _mm256_cvtps_pd(_mm_loadu_ps(a + i)), a1 = _mm256_cvtps_pd(_mm_loadu_ps(a + i + 4));
    const __m256d b0 = _mm256_cvtps_pd(_mm_loadu_ps(b + i)), b1 = _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4));
    low = _mm256_add_pd(low, _mm256_mul_pd(a0, b0));
    high = _mm256_add_pd(high, _mm256_mul_pd(a1, b1));
  }
  return hsum(low, high);
}

OSTEON_AVX2 double squared_distance_avx2(const float* a, const float* b, std::int64_t n) {
  if (n % 8 != 0) return squared_distance_portable(a, b, n);
  __m256d low = _mm256_setzero_pd(), high = low;
  for (std::int64_t i = 0; i < n; i += 8) {
    const __m256d x = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i)), _mm256_cvtps_pd(_mm_loadu_ps(b + i)));
    const __m256d y = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i + 4)), _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4)));
    low = _mm256_add_pd(low, _mm256_mul_pd(x, x));
    high = _mm256_add_pd(high, _mm256_mul_pd(y, y));
  }
  return hsum(low, high);
}

OSTEON_AVX2 float rough_avx2(const float* a, const float* b, std::int64_t n) {
  __m256 part[4] = {};
  std::int64_t i = 0;
  for (; i + 32 <= n; i += 32)
    for (int p = 0; p < 4; ++p) {
      const __m256 x = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8 * p), _mm256_loadu_ps(b + i + 8 * p));
      part[p] = _mm256_add_ps(part[p], _mm256_mul_ps(x, x));
    }
  const __m256 eight = _mm256_add_ps(_mm256_add_ps(part[0], part[1]), _mm256_add_ps(part[2], part[3]));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  float sum = _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  for (; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

template <SumOf kSum>
OSTEON_AVX2 void panel_avx2(const double* left, const double* right, std::int64_t rows, double* sums) {
  add_terms<kSum>(left, right, rows, sums);
}

std::int32_t word(const std::int8_t* bytes) {
  std::int32_t result;
  std::memcpy(&result, bytes, sizeof(result));
  return result;
}

template <int Queries>
OSTEON_VNNI void tile_vnni(const CodeTile& tile, const std::int8_t* const* queries, const std::int32_t* limits,
                           std::uint64_t* masks) {
  __m512i sums[Queries][kTileGroups];
  for (int q = 0; q < Queries; ++q)
    for (int g = 0; g < kTileGroups; ++g) sums[q][g] = _mm512_setzero_si512();
  const std::int64_t stride = tile.chunks * 64;
  for (std::int64_t i = 0; i < tile.chunks; ++i) {
    __m512i codes[kTileGroups];
    for (int g = 0; g < kTileGroups; ++g) codes[g] = _mm512_loadu_si512(tile.codes + g * stride + i * 64);
    for (int q = 0; q < Queries; ++q) {
      const __m512i query = _mm512_set1_epi32(word(queries[q] + i * 4));
      for (int g = 0; g < kTileGroups; ++g) sums[q][g] = _mm512_dpbusd_epi32(sums[q][g], codes[g], query);
    }
  }
  for (int q = 0; q < Queries; ++q) {
    masks[q] = 0;
    for (int g = 0; g < kTileGroups; ++g) {
      const __m512i key =
          _mm512_sub_epi32(_mm512_loadu_si512(tile.norms + g * kGroup), _mm512_add_epi32(sums[q][g], sums[q][g]));
      const __mmask16 below = _mm512_cmple_epi32_mask(key, _mm512_set1_epi32(limits[q]));
      masks[q] |= static_cast<std::uint64_t>(below) << (g * kGroup);
    }
  }
}

/// One group of sixteen rows: the sixteen registers of AVX2 hold no more than this for four queries.
template <int Queries>
OSTEON_AVX2 void tile_avx2(const CodeTile& tile, const std::int8_t* const* queries, const std::int32_t* limits,
                           std::uint64_t* masks) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int q = 0; q < Queries; ++q) masks[q] = 0;
  for (int g = 0; g < kTileGroups; ++g) {
    __m256i sums[Queries][2];
    for (int q = 0; q < Queries; ++q) sums[q][0] = sums[q][1] = _mm256_setzero_si256();
    const std::uint8_t* codes = tile.codes + g * tile.chunks * 64;
    for (std::int64_t i = 0; i < tile.chunks; ++i, codes += 64) {
      const __m256i half[2] = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)),
                               _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + 32))};
      for (int q = 0; q < Queries; ++q) {
        const __m256i query = _mm256_set1_epi32(word(queries[q] + i * 4));
        for (int h = 0; h < 2; ++h)
          sums[q][h] = _mm256_add_epi32(sums[q][h], _mm256_madd_epi16(_mm256_maddubs_epi16(half[h], query), ones));
      }
    }
    for (int q = 0; q < Queries; ++q)
      for (int h = 0; h < 2; ++h) {
        const auto* norms = reinterpret_cast<const __m256i*>(tile.norms + g * kGroup + h * 8);
        const __m256i key = _mm256_sub_epi32(_mm256_loadu_si256(norms), _mm256_slli_epi32(sums[q][h], 1));
        const __m256i above = _mm256_cmpgt_epi32(key, _mm256_set1_epi32(limits[q]));
        const int below = ~_mm256_movemask_ps(_mm256_castsi256_ps(above)) & 0xff;
        masks[q] |= static_cast<std::uint64_t>(below) << (g * kGroup + h * 8);
      }
  }
}

constexpr Kernels kAvx2{63,
                        64,
                        tile_avx2<1>,
                        tile_avx2<kTileQueries>,
                        squared_distance_avx2,
                        dot_avx2,
                        rough_avx2,
                        panel_avx2<SumOf::product>,
                        panel_avx2<SumOf::squared_difference>};
constexpr Kernels kVnni{127,
                        128,
                        tile_vnni<1>,
                        tile_vnni<kTileQueries>,
                        squared_distance_avx2,
                        dot_avx2,
                        rough_avx2,
                        panel_avx2<SumOf::product>,
                        panel_avx2<SumOf::squared_difference>};

#endif

const Kernels& chosen() {
#ifdef OSTEON_X86_KERNELS
  const char* wish = std::getenv("OSTEON_KERNELS");
  const std::string_view most = wish ? wish : "";
  const bool avx2 = __builtin_cpu_supports("avx2") && most != "portable";
  if (avx2 && most != "avx2" && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
    return kVnni;
  if (avx2) return kAvx2;
#endif
  return kPortable;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& best = chosen();
  return best;
}

}  // namespace osteon::recognition
