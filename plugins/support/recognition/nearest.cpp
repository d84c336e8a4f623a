// Every row is compared with every query, cheaply: by codes of 7 or 8 bits, a quarter of the memory to read, or in
// float32 where the gallery is so large that codes beside it would take too much memory. What such a comparison, with
// the bound on its error, cannot rule out is measured in float64. Blocks of rows stay in the cache while the queries of
// a group pass over them; a query alone is shared by the threads, each with its part of the rows.

#include "recognition/nearest.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

namespace osteon::recognition {

namespace {

constexpr std::int64_t kTileRows = kGroup * kTileGroups;
constexpr std::int64_t kBlockBytes = 256 << 10;  ///< of rows or codes that a group of queries passes over
constexpr std::int64_t kGroupQueries = 64;       ///< queries in a group
constexpr std::int64_t kSharedBelow = 4;         ///< fewer queries a thread share the rows among the threads
constexpr std::int64_t kWorthAThread = 8 << 20;  ///< values of the gallery
// The processor's own prefetching ends with each page of memory, every few rows: asking ahead of it saves a sixth of
// the time of a gallery of half a gigabyte.
constexpr std::int64_t kRowsAhead = 16;
constexpr std::int64_t kLineValues = 16;       ///< of a cache line
constexpr std::int64_t kBestBytes = 64 << 20;  ///< of neighbours that are kept at once

}  // namespace

/// The k nearest so far of one query, and what a row's rough distance must not exceed to be measured.
class NearestRows::Best {
 public:
  Best(ScaledRow query, std::int64_t k) : query_(query), k_(static_cast<std::size_t>(k)) {}

  /// True when the last of the k nearest has changed.
  bool take(Neighbour one) {
    if (heap_.size() < k_) {
      heap_.push_back(one);
      std::push_heap(heap_.begin(), heap_.end());
      return heap_.size() == k_;
    }
    if (!(one < heap_.front())) return false;
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.back() = one;
    std::push_heap(heap_.begin(), heap_.end());
    return true;
  }
  [[nodiscard]] const ScaledRow& query() const { return query_; }
  [[nodiscard]] double farthest() const { return heap_.front().distance; }
  [[nodiscard]] std::vector<Neighbour>& found() { return heap_; }

  CodedQuery coded;
  std::int32_t code_limit = std::numeric_limits<std::int32_t>::max();
  float float_limit = INFINITY;

 private:
  ScaledRow query_;
  std::size_t k_;
  std::vector<Neighbour> heap_;
};

NearestRows::NearestRows(const at::Tensor& rows, Distance distance, const char* whose, bool only_measure)
    : rows_(rows.contiguous()),
      distance_(distance),
      factors_(factors_of(rows_, whose)),
      has_codes_(!only_measure && CodeTable::fits(rows_.size(0), rows_.size(1))) {
  if (has_codes_) codes_ = CodeTable(rows_, factors_);
}

std::vector<double> NearestRows::factors_of(const at::Tensor& rows, const char* whose) const {
  if (distance_ == Distance::euclidean) return {};
  const std::int64_t d = rows.size(1);
  const float* data = rows.data_ptr<float>();
  std::vector<double> factors(static_cast<std::size_t>(rows.size(0)));
  parallel_for(0, rows.size(0), 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      factors[static_cast<std::size_t>(i)] = 1 / std::sqrt(kernels().dot(data + i * d, data + i * d, d));
  });
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (!std::isfinite(factors[i]))
      throw Error(text("the ", whose, " embedding ", i,
                       " has length 0, so it has no direction and no cosine distance; use distance = \"euclidean\""));
  return factors;
}

double NearestRows::measure(ScaledRow query, std::int64_t row) const {
  const std::int64_t d = rows_.size(1);
  const float* values = rows_.data_ptr<float>() + row * d;
  if (distance_ == Distance::euclidean) return std::sqrt(kernels().squared_distance(query.values, values, d));
  const double cosine = kernels().dot(query.values, values, d) * query.factor * factors_[static_cast<std::size_t>(row)];
  return std::max(0.0, 1 - cosine);
}

/// The Euclidean distance of the scaled rows that no row measured at `measured` exceeds.
double NearestRows::reach(double measured) const {
  if (distance_ == Distance::euclidean) return measured;
  return std::sqrt(2 * (measured + 1e-15 * static_cast<double>(rows_.size(1) + 8)));
}

void NearestRows::take(Best& best, std::int64_t tile, std::uint64_t mask) const {
  bool is_closer = false;
  for (; mask != 0; mask &= mask - 1) {
    const std::int64_t row = tile * kTileRows + __builtin_ctzll(mask);
    if (row >= size()) break;
    is_closer = best.take({measure(best.query(), row), row}) || is_closer;
  }
  if (is_closer) best.code_limit = best.coded.limit(reach(best.farthest()));
}

void NearestRows::search_codes(std::vector<Best>& best, std::int64_t first, std::int64_t last) const {
  const std::int64_t block = std::max<std::int64_t>(1, kBlockBytes / (codes_.tile(0).chunks * 4 * kTileRows));
  for (Best& one : best) one.coded = codes_.code(one.query());
  for (std::int64_t from = first; from < last; from += block) {
    const std::int64_t to = std::min(last, from + block);
    throw_if_stopped();
    for (std::size_t q = 0; q < best.size();) {
      const std::size_t together = best.size() - q >= kTileQueries ? kTileQueries : 1;
      const std::int8_t* queries[kTileQueries];
      for (std::size_t i = 0; i < together; ++i) queries[i] = best[q + i].coded.codes();
      for (std::int64_t tile = from; tile < to; ++tile) {
        std::int32_t limits[kTileQueries];
        std::uint64_t masks[kTileQueries];
        for (std::size_t i = 0; i < together; ++i) limits[i] = best[q + i].code_limit;
        (together == 1 ? kernels().one : kernels().several)(codes_.tile(tile), queries, limits, masks);
        for (std::size_t i = 0; i < together; ++i)
          if (masks[i] != 0) take(best[q + i], tile, masks[i]);
      }
      q += together;
    }
  }
}

void NearestRows::search_floats(std::vector<Best>& best, std::int64_t first, std::int64_t last) const {
  const std::int64_t d = rows_.size(1);
  const float* data = rows_.data_ptr<float>();
  const std::int64_t tiles = std::max<std::int64_t>(1, kBlockBytes / (4 * kTileRows * std::max<std::int64_t>(1, d)));
  // Rounding of differences, squares and their sum, with room to spare, and underflow.
  const double relative = 4 * static_cast<double>(d + 8) * FLT_EPSILON, absolute = static_cast<double>(d) * FLT_MIN;
  for (std::int64_t from = first; from < last; from += tiles) {
    throw_if_stopped();
    const std::int64_t begin = from * kTileRows, end = std::min(size(), std::min(last, from + tiles) * kTileRows);
    for (Best& one : best)
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t j = 0; j < d; j += kLineValues)
          __builtin_prefetch(data + std::min(row + kRowsAhead, end - 1) * d + j);
        // A cosine's factors would have to be in the rough distance; its galleries are measured outright.
        if (distance_ == Distance::euclidean &&
            kernels().rough_squared_distance(one.query().values, data + row * d, d) > one.float_limit)
          continue;
        if (!one.take({measure(one.query(), row), row})) continue;
        const double farthest = one.farthest();
        one.float_limit = static_cast<float>(farthest * farthest * (1 + relative) + absolute);
      }
  }
}

void NearestRows::search_tiles(std::vector<Best>& best, std::int64_t first, std::int64_t last) const {
  if (has_codes_)
    search_codes(best, first, last);
  else
    search_floats(best, first, last);
}

std::vector<std::vector<Neighbour>> NearestRows::search(const at::Tensor& given, std::int64_t k) const {
  const at::Tensor queries = given.contiguous();
  const std::vector<double> factors = factors_of(queries, "query");
  const std::int64_t count = queries.size(0), d = queries.size(1), kept = std::min(k, size());
  std::vector<std::vector<Neighbour>> result(static_cast<std::size_t>(count));
  if (count == 0 || kept <= 0) return result;
  const std::int64_t tiles = (size() + kTileRows - 1) / kTileRows, threads = thread_count();
  const std::int64_t most = kBestBytes / (static_cast<std::int64_t>(sizeof(Neighbour)) * kept * threads);
  const std::int64_t group =
      std::clamp<std::int64_t>((count + threads - 1) / threads, 1, std::clamp<std::int64_t>(most, 1, kGroupQueries));
  // What one thread compares in half a millisecond is not worth waking another: where other programs run too, it may
  // have to wait for a processor longer than that.
  const std::int64_t worth = std::max<std::int64_t>(1, size() * d / kWorthAThread);
  const std::int64_t parts = count < kSharedBelow * threads ? std::min(threads, worth) : 1;
  const std::int64_t groups = parts > 1 ? 1 : (count + group - 1) / group;
  std::vector<std::vector<Neighbour>> shared(static_cast<std::size_t>(parts > 1 ? parts * count : 0));
  parallel_for(0, groups * parts, 1, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t item = from; item < to; ++item) {
      const std::int64_t part = item % parts, first = item / parts * group;
      const std::int64_t last = parts > 1 ? count : std::min(count, first + group);
      std::vector<Best> best;
      for (std::int64_t q = first; q < last; ++q)
        best.emplace_back(
            ScaledRow{queries.data_ptr<float>() + q * d, factors.empty() ? 1.0 : factors[static_cast<std::size_t>(q)]},
            kept);
      search_tiles(best, tiles * part / parts, tiles * (part + 1) / parts);
      for (std::int64_t q = first; q < last; ++q) {
        auto& found = best[static_cast<std::size_t>(q - first)].found();
        std::sort(found.begin(), found.end());
        (parts > 1 ? shared[static_cast<std::size_t>(part * count + q)] : result[static_cast<std::size_t>(q)]) =
            std::move(found);
      }
    }
  });
  for (std::int64_t part = 0; parts > 1 && part < parts; ++part)
    for (std::int64_t q = 0; q < count; ++q) {
      auto& all = result[static_cast<std::size_t>(q)];
      const auto& more = shared[static_cast<std::size_t>(part * count + q)];
      const auto middle = static_cast<std::ptrdiff_t>(all.size());
      all.insert(all.end(), more.begin(), more.end());
      std::inplace_merge(all.begin(), all.begin() + middle, all.end());
      if (static_cast<std::int64_t>(all.size()) > kept) all.resize(static_cast<std::size_t>(kept));
    }
  return result;
}

std::vector<std::vector<Neighbour>> NearestRows::nearest_of(const at::Tensor& given,
                                                            const std::vector<std::vector<std::int64_t>>& candidates,
                                                            std::int64_t k) const {
  const at::Tensor queries = given.contiguous();
  const std::vector<double> factors = factors_of(queries, "query");
  std::vector<std::vector<Neighbour>> result(candidates.size());
  parallel_for(0, queries.size(0), 8, [&](std::int64_t from, std::int64_t to) {
    for (auto q = static_cast<std::size_t>(from); q < static_cast<std::size_t>(to); ++q) {
      const ScaledRow query{queries.data_ptr<float>() + static_cast<std::int64_t>(q) * queries.size(1),
                            factors.empty() ? 1.0 : factors[q]};
      for (const std::int64_t row : candidates[q])
        if (row >= 0) result[q].push_back({measure(query, row), row});
      std::sort(result[q].begin(), result[q].end());
      if (static_cast<std::int64_t>(result[q].size()) > k) result[q].resize(static_cast<std::size_t>(k));
    }
  });
  return result;
}

}  // namespace osteon::recognition
