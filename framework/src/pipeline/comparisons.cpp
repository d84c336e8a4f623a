#include "pipeline/comparisons.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kBytesOfPair = 20;  ///< a distance in float32, and what it is made of in float64

/// Below this share of |q|² + |g|² the difference |q|² + |g|² - 2 q·g has fewer digits than a float32 distance.
constexpr double kCancelled = 1e-6;

/// Measures near copies again, difference by difference. `squared` float64 `[q, g]` of `ours` `[q, d]` and `block`
/// `[g, d]`, all contiguous; `lengths` is |q|² + |g|².
void measure_near_copies(at::Tensor& squared, const at::Tensor& lengths, const at::Tensor& ours,
                         const at::Tensor& block) {
  const std::int64_t rows = block.size(0), d = block.size(1);
  const auto *length = lengths.data_ptr<double>(), *q = ours.data_ptr<double>(), *g = block.data_ptr<double>();
  auto* value = squared.data_ptr<double>();
  parallel_for(0, squared.size(0), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin * rows; pair < end * rows; ++pair) {
      if (value[pair] >= kCancelled * length[pair]) continue;
      const double *a = q + pair / rows * d, *b = g + pair % rows * d;
      double sum = 0;
      for (std::int64_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
      value[pair] = sum;
    }
  });
}

/// float32 `[q, G]`.
at::Tensor distances(const at::Tensor& queries, const at::Tensor& gallery, std::int64_t bytes) {
  const at::Tensor ours = queries.to(at::kDouble), own = ours.square().sum(1, true);
  at::Tensor result = at::empty({queries.size(0), gallery.size(0)}, at::kFloat);
  const std::int64_t rows = std::max<std::int64_t>(1, bytes / (8 * gallery.size(1)));
  for (std::int64_t first = 0; first < gallery.size(0); first += rows) {
    const at::Tensor block = gallery.slice(0, first, first + rows).to(at::kDouble);
    const at::Tensor lengths = own + block.square().sum(1).unsqueeze(0);
    at::Tensor squared = at::addmm(lengths, ours, block.t(), 1, -2);
    measure_near_copies(squared, lengths, ours, block);
    result.slice(1, first, first + rows).copy_(squared.sqrt_());
  }
  return result;
}

/// Throws a failure at the first of these images whose embedding has no distances.
void require_comparable(const EmbeddingSet& set, const std::vector<std::int64_t>& images) {
  const std::int64_t d = set.vectors.size(1);
  if (d == 0) throw failure(set.name + ": the embeddings have no dimension, so they have no distances");
  const at::Tensor all = set.vectors.contiguous();
  for (const std::int64_t image : images) {
    const float* values = all.data_ptr<float>() + image * d;
    const auto bad = std::find_if_not(values, values + d, [](float value) { return std::isfinite(value); }) - values;
    if (bad < d)
      throw failure(text(set.name, ": the embedding of image ", image, " is not finite in dimension ", bad,
                         ", so it has no distance from any other; training has probably diverged: look at its loss and "
                         "lower the learning rate"));
  }
}

/// Gallery images of each bone.
std::vector<std::int64_t> counts(const std::vector<std::int64_t>& bone_of_gallery, std::int64_t bones) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(bones), 0);
  for (const std::int64_t bone : bone_of_gallery) ++result[static_cast<std::size_t>(bone)];
  return result;
}

/// The nearest of a query's distances, and the nearest of each bone.
void take_nearest(const float* distance, const std::vector<std::int64_t>& bone_of_gallery,
                  const std::vector<std::int64_t>& gallery, std::int64_t kept, std::int32_t* rows, float* row_distances,
                  float* bone_distances) {
  std::vector<std::pair<float, std::int32_t>> all(gallery.size());
  for (std::size_t g = 0; g < gallery.size(); ++g) {
    all[g] = {distance[g], static_cast<std::int32_t>(gallery[g])};
    float& nearest = bone_distances[bone_of_gallery[g]];
    nearest = std::min(nearest, distance[g]);
  }
  std::partial_sort(all.begin(), all.begin() + kept, all.end());
  for (std::int64_t n = 0; n < kept; ++n) {
    rows[n] = all[static_cast<std::size_t>(n)].second;
    row_distances[n] = all[static_cast<std::size_t>(n)].first;
  }
}

std::vector<std::int64_t> list_of(const at::Tensor& values) {
  const at::Tensor whole = values.contiguous();
  return {whole.data_ptr<std::int64_t>(), whole.data_ptr<std::int64_t>() + whole.numel()};
}

}  // namespace

Comparison compare(const EmbeddingSet& set, const at::Tensor& bone, std::int64_t bones, const at::Tensor& gallery,
                   const at::Tensor& queries, bool held_out, std::int64_t bytes) {
  const std::vector<std::int64_t> rows = list_of(gallery), bone_of_gallery = list_of(bone.index_select(0, gallery));
  require_comparable(set, rows);
  require_comparable(set, list_of(queries));
  const std::vector<std::int64_t> in_gallery = counts(bone_of_gallery, bones);
  const at::Tensor truth = bone.index_select(0, queries);
  const at::Tensor relevant = at::tensor(in_gallery, at::kLong).index_select(0, truth);
  const std::int64_t kept = queries.size(0) > 0 ? std::max<std::int64_t>(relevant.max().item<std::int64_t>(), 1) : 0;
  const std::int64_t most = std::min<std::int64_t>(kept, std::ssize(rows));

  Comparison result{{set.name, set.is_trivial, held_out, queries, at::empty({queries.size(0), most}, at::kInt),
                     at::empty({queries.size(0), most}, at::kFloat), relevant, std::ssize(rows)},
                    {set.name, set.is_trivial, held_out, queries, truth,
                     at::full({queries.size(0), bones}, std::numeric_limits<float>::infinity(), at::kFloat)}};
  if (rows.empty()) return result;
  const at::Tensor known = set.vectors.index_select(0, gallery);
  const std::int64_t chunk = std::max<std::int64_t>(1, bytes / (kBytesOfPair * std::ssize(rows)));
  for (std::int64_t first = 0; first < queries.size(0); first += chunk) {
    throw_if_stopped();
    const at::Tensor some =
        distances(set.vectors.index_select(0, queries.slice(0, first, first + chunk)), known, bytes);
    parallel_for(0, some.size(0), 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t q = begin; q < end; ++q)
        take_nearest(some.data_ptr<float>() + q * some.size(1), bone_of_gallery, rows, most,
                     result.neighbours.neighbours.data_ptr<std::int32_t>() + (first + q) * most,
                     result.neighbours.distances.data_ptr<float>() + (first + q) * most,
                     result.trials.distances.data_ptr<float>() + (first + q) * bones);
    });
  }
  return result;
}

}  // namespace osteon::pipeline
