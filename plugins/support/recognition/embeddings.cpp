// The checks allocate nothing: a gallery of a million embeddings takes half a gigabyte already.

#include "recognition/embeddings.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace osteon::recognition {

namespace {

/// The first value that is not finite, or -1.
std::int64_t first_bad(const float* values, std::int64_t count) {
  constexpr std::int64_t kPiece = 1 << 16, kPiecesAThread = 16;  // fewer are not worth waking another thread
  std::atomic<std::int64_t> first{count};
  parallel_for(0, (count + kPiece - 1) / kPiece, kPiecesAThread, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from * kPiece; i < std::min(count, to * kPiece); ++i) {
      if (std::isfinite(values[i])) continue;
      std::int64_t known = first;
      while (i < known && !first.compare_exchange_weak(known, i)) {
      }
      return;
    }
  });
  return first == count ? -1 : first.load();
}

}  // namespace

void check_embeddings(const at::Tensor& embeddings, const char* whose) {
  if (!embeddings.defined() || embeddings.dim() != 2 || embeddings.scalar_type() != at::kFloat ||
      !embeddings.device().is_cpu())
    throw failure(text("the ", whose, " embeddings must be a float32 tensor [N, d] on the CPU"));
  if (embeddings.size(0) > 0 && embeddings.size(1) == 0)
    throw failure(text("the ", whose, " embeddings have no dimension; a network's head must have at least one"));
  const std::int64_t bad = first_bad(embeddings.contiguous().data_ptr<float>(), embeddings.numel());
  if (bad < 0) return;
  throw failure(text("the ", whose, " embedding ", bad / embeddings.size(1), " is not a finite number in dimension ",
                     bad % embeddings.size(1),
                     "; training has probably diverged: look at its loss and lower the learning rate"));
}

void check_gallery(const at::Tensor& embeddings, const at::Tensor& labels, const char* who) {
  check_embeddings(embeddings, "gallery");
  const std::int64_t count = embeddings.size(0);
  if (count == 0) throw Error(text("the gallery is empty: ", who, " at least one embedding with its label"));
  if (!labels.defined() || labels.dim() != 1 || labels.scalar_type() != at::kLong || labels.size(0) != count)
    throw failure(text("the gallery's labels must be an int64 tensor [", count, "], one for each embedding"));
  if (labels.min().item<std::int64_t>() < 0) throw failure("the gallery has a negative label; -1 means unknown");
}

void check_queries(const at::Tensor& queries, std::int64_t gallery_dimensions) {
  check_embeddings(queries, "query");
  if (queries.size(1) != gallery_dimensions)
    throw failure(text("the query embeddings have ", queries.size(1), " dimensions, the gallery's have ",
                       gallery_dimensions, "; both must come from the same network"));
}

}  // namespace osteon::recognition
