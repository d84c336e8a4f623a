#include "embedding/trustworthiness.hpp"

#include "recognition/embeddings.hpp"
#include "recognition/nearest.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace osteon::embedding {

namespace {

double squared_distance(const float* a, const float* b, std::int64_t d) {
  double part[4] = {};
  for (std::int64_t i = 0; i < d; ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    part[i & 3] += difference * difference;
  }
  return (part[0] + part[2]) + (part[1] + part[3]);
}

}  // namespace

double trustworthiness(const at::Tensor& given, const at::Tensor& points, std::int64_t k) {
  recognition::check_embeddings(given, "mapped");
  recognition::check_embeddings(points, "map's");
  const at::Tensor rows = given.contiguous();
  const std::int64_t n = rows.size(0), d = rows.size(1);
  if (points.size(0) != n) throw failure(text("the map has ", points.size(0), " points of ", n, " rows"));
  if (k < 1 || 2 * k >= n) return std::numeric_limits<double>::quiet_NaN();
  const auto shown = recognition::NearestRows(points, recognition::Distance::euclidean, "map's").search(points, k + 1);
  const float* data = rows.data_ptr<float>();
  std::vector<std::int64_t> excess(static_cast<std::size_t>(n));
  parallel_for(0, n, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> far(static_cast<std::size_t>(n));
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < n; ++j)
        far[static_cast<std::size_t>(j)] = squared_distance(data + i * d, data + j * d, d);
      std::int64_t seen = 0;
      for (const auto& one : shown[static_cast<std::size_t>(i)]) {
        if (one.row == i || seen++ == k) continue;
        std::int64_t place = 1;
        const std::pair own{far[static_cast<std::size_t>(one.row)], one.row};
        for (std::int64_t j = 0; j < n; ++j)
          place += j != i && std::pair{far[static_cast<std::size_t>(j)], j} < own ? 1 : 0;
        excess[static_cast<std::size_t>(i)] += std::max<std::int64_t>(0, place - k);
      }
    }
  });
  double sum = 0;
  for (const std::int64_t one : excess) sum += static_cast<double>(one);
  const auto count = static_cast<double>(n), near = static_cast<double>(k);
  return 1 - sum * 2 / (count * near * (2 * count - 3 * near - 1));
}

}  // namespace osteon::embedding
