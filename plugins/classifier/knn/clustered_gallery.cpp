// FAISS's inverted file (Johnson, Douze and Jégou, "Billion-scale similarity search with GPUs", IEEE Trans. Big Data
// 7, 2021). FAISS's matrix products are switched off: their blocks, and so their last bits, depend on the threads.

#include "clustered_gallery.hpp"

#include <osteon/error.hpp>

#ifdef OSTEON_HAS_FAISS

#include <ATen/Functions.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/utils/distances.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon {

struct ClusteredGallery::Index {
  Index(std::int64_t d, std::int64_t clusters, bool scaled)
      : unit_rows(scaled),
        centres(d),
        lists(&centres, static_cast<std::size_t>(d), static_cast<std::size_t>(clusters)) {}
  bool unit_rows;
  faiss::IndexFlatL2 centres;
  faiss::IndexIVFFlat lists;
};

namespace {

at::Tensor prepared(const at::Tensor& rows, bool unit_rows) {
  if (!unit_rows) return rows.contiguous();
  return rows.div(rows.norm(2, {1}, true).clamp_min(std::numeric_limits<float>::min())).contiguous();
}

}  // namespace

ClusteredGallery::ClusteredGallery(const at::Tensor& given, bool unit_rows, std::int64_t probes) {
  faiss::distance_compute_blas_threshold = std::numeric_limits<int>::max();
  const at::Tensor rows = prepared(given, unit_rows);
  const std::int64_t count = rows.size(0);
  const auto clusters = std::max<std::int64_t>(1, std::llround(std::sqrt(static_cast<double>(count))));
  index_ = std::make_unique<Index>(rows.size(1), clusters, unit_rows);
  // Enough images a cluster to place it; FAISS would warn on the terminal below 39, where small galleries are.
  index_->lists.cp.min_points_per_centroid = 1;
  index_->lists.cp.max_points_per_centroid = 64;
  index_->lists.nprobe = static_cast<std::size_t>(std::min(probes, clusters));
  try {
    index_->lists.train(count, rows.data_ptr<float>());
    index_->lists.add(count, rows.data_ptr<float>());
  } catch (const std::exception& e) {
    throw failure(text("FAISS could not build its clusters of the gallery: ", e.what(), "; use search = \"exact\""));
  }
}

ClusteredGallery::~ClusteredGallery() = default;

std::vector<std::vector<std::int64_t>> ClusteredGallery::candidates(const at::Tensor& given, std::int64_t count) const {
  const at::Tensor queries = prepared(given, index_->unit_rows);
  const std::int64_t rows = queries.size(0);
  std::vector<float> distances(static_cast<std::size_t>(rows * count));
  std::vector<faiss::Index::idx_t> found(distances.size());
  if (rows > 0) index_->lists.search(rows, queries.data_ptr<float>(), count, distances.data(), found.data());
  std::vector<std::vector<std::int64_t>> result(static_cast<std::size_t>(rows));
  for (std::int64_t q = 0; q < rows; ++q)
    result[static_cast<std::size_t>(q)].assign(found.begin() + q * count, found.begin() + (q + 1) * count);
  return result;
}

}  // namespace osteon

#else

namespace osteon {

struct ClusteredGallery::Index {};

ClusteredGallery::ClusteredGallery(const at::Tensor& /*rows*/, bool /*unit_rows*/, std::int64_t /*probes*/) {
  throw Error(
      "search = \"faiss\": this Osteon was built without FAISS; install it (Debian: libfaiss-dev) and build again, "
      "or use search = \"exact\"");
}

ClusteredGallery::~ClusteredGallery() = default;

std::vector<std::vector<std::int64_t>> ClusteredGallery::candidates(const at::Tensor& /*queries*/,
                                                                    std::int64_t /*count*/) const {
  return {};
}

}  // namespace osteon

#endif
