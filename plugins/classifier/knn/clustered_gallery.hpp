#pragma once

// Approximate search in very large galleries, by FAISS.

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace osteon {

/// The gallery in √N clusters (k-means); a query looks into the nearest few of them only.
class ClusteredGallery {
 public:
  /// `rows` float32 `[N, d]`. With `unit_rows`, rows and queries are scaled to length 1 first.
  ClusteredGallery(const at::Tensor& rows, bool unit_rows, std::int64_t probes);
  ~ClusteredGallery();

  /// For each query up to `count` rows that are probably the nearest; -1 where fewer were found.
  [[nodiscard]] std::vector<std::vector<std::int64_t>> candidates(const at::Tensor& queries, std::int64_t count) const;

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

}  // namespace osteon
