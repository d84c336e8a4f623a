#pragma once

// The inner loops of the exact search and of sums over panels, for the processor that the program runs on: AVX-512 with
// VNNI, AVX2, or what every x86-64 and other processor has. Whichever runs, the answers are the same bits.

#include "recognition/panels.hpp"

#include <cstdint>

namespace osteon::recognition {

constexpr std::int64_t kGroup = 16;  ///< rows whose codes lie interleaved
constexpr int kTileGroups = 4;       ///< groups that a tile compares at once
constexpr int kTileQueries = 4;      ///< queries that a tile compares at once

/// Codes of a tile: for each of 4 groups, for each four dimensions, 16 rows × 4 bytes.
struct CodeTile {
  const std::uint8_t* codes;
  const std::int32_t* norms;  ///< of the 64 rows
  std::int64_t chunks;        ///< dimensions / 4
};

/// For query q: bit r of `masks[q]` says norm[r] - 2 Σ code · query ≤ limits[q]. `queries[q]` holds `chunks` words of
/// four signed bytes.
using CodeKernel = void (*)(const CodeTile& tile, const std::int8_t* const* queries, const std::int32_t* limits,
                            std::uint64_t* masks);

/// Adds the terms of `rows` rows of two panels to the sums of their columns, row by row.
using PanelKernel = void (*)(const double* left, const double* right, std::int64_t rows, double* sums);

struct Kernels {
  int levels;          ///< codes are -levels … levels
  int offset;          ///< what is added to a gallery code, so that it is not negative
  CodeKernel one;      ///< one query
  CodeKernel several;  ///< kTileQueries queries
  /// Σ (a - b)² and Σ a b in float64, eight partial sums.
  double (*squared_distance)(const float* a, const float* b, std::int64_t n);
  double (*dot)(const float* a, const float* b, std::int64_t n);
  /// Σ (a - b)² in float32, relative error below (n + 3) · 2⁻²⁴ but for underflow and overflow.
  float (*rough_squared_distance)(const float* a, const float* b, std::int64_t n);
  PanelKernel add_products;
  PanelKernel add_squared_differences;
};

/// The best that this processor can; `OSTEON_KERNELS=portable|avx2` asks for less.
const Kernels& kernels();

}  // namespace osteon::recognition
