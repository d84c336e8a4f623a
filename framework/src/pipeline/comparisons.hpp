#pragma once

// Query images compared with the gallery's, once for all metrics that need neighbours or distances to bones.

#include <osteon/metric.hpp>

namespace osteon::pipeline {

struct Comparison {
  NeighbourTable neighbours;
  Trials trials;
};

inline constexpr std::int64_t kComparisonBytes = 64 << 20;

/// Euclidean distances of the embeddings of `queries` from those of `gallery` (int64 rows of `set.vectors`), in float64
/// and chunk by chunk: `bytes` of distances in the making and as much of converted rows are in memory at once, but
/// never less than what one row takes. `bone` int64 `[N]` is the bone of each image, of which there are `bones`. As
/// many neighbours are kept as the best represented bone among the queries' has gallery images. Distances are rounded
/// to float32 before they are compared, so that exact copies tie; the distance from an exact copy is 0. Throws a
/// failure that names set and image where an embedding is not finite or has no dimension.
[[nodiscard]] Comparison compare(const EmbeddingSet& set, const at::Tensor& bone, std::int64_t bones,
                                 const at::Tensor& gallery, const at::Tensor& queries, bool held_out,
                                 std::int64_t bytes = kComparisonBytes);

}  // namespace osteon::pipeline
