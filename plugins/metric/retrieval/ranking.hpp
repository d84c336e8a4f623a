#pragma once

// What one query's ranked list is worth, and what a random order of the same gallery is worth on average.
//
// R is the number of relevant images, P(i) the precision of the first i. R-precision is P(R); MAP@R is
// 1/R Σ P(i) over the relevant places i of the first R (Musgrave, Belongie and Lim, "A Metric Learning Reality Check",
// ECCV 2020, section 3.2); the reciprocal rank is 1 / place of the first relevant image.

#include <cstdint>
#include <span>

namespace osteon::retrieval {

/// Of one query.
struct Ranking {
  std::int64_t first_relevant = 0;  ///< place, from 1; 0: none in the list
  double r_precision = 0;
  double map_at_r = 0;
};

/// `is_relevant[i]`: whether the image at place i + 1 shows the query's bone; at least `relevant` of them.
/// `relevant`: R, at least 1.
[[nodiscard]] Ranking ranking_of(std::span<const char> is_relevant, std::int64_t relevant);

/// A gallery of `gallery` images, `relevant` of them relevant, in random order; 1 ≤ relevant ≤ gallery. All are exact.
struct Chance {
  std::int64_t gallery, relevant;

  /// That one of the first k is relevant: 1 - C(gallery - relevant, k) / C(gallery, k). 1 ≤ k ≤ gallery.
  [[nodiscard]] double recall(std::int64_t k) const;
  /// Also of the first place alone.
  [[nodiscard]] double r_precision() const { return static_cast<double>(relevant) / static_cast<double>(gallery); }
  /// A relevant image at place i has i - 1 before it, of which (relevant - 1) / (gallery - 1) are relevant.
  [[nodiscard]] double map_at_r() const;
  /// Mean of the reciprocal rank, 0 where the first relevant image comes after place k.
  [[nodiscard]] double reciprocal_rank(std::int64_t k) const;
};

}  // namespace osteon::retrieval
