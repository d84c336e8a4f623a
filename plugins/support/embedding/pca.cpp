#include "embedding/pca.hpp"

#include "recognition/embeddings.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace osteon::embedding {

namespace {

constexpr int kLanes = 4;
constexpr std::int64_t kTile = 8;    ///< columns of a tile: its sums stay in registers, or near
constexpr std::int64_t kBlock = 64;  ///< rows that are read while they are in the cache
using Lanes = double __attribute__((vector_size(8 * kLanes)));

/// Adds Σᵣ x[r, i + a] x[r, j + b] over a block of rows to a tile of sums. Columns are padded to whole tiles.
void add_tile(const double* left, const double* right, std::int64_t rows, std::int64_t stride, double* sums) {
  Lanes tile[kTile / 2][kTile / kLanes];
  for (std::int64_t half = 0; half < 2; ++half) {
    const std::int64_t from = half * kTile / 2;
    std::memcpy(tile, sums + from * kTile, sizeof tile);
    for (std::int64_t r = 0; r < rows; ++r) {
      Lanes values[kTile / kLanes];
      std::memcpy(values, right + r * stride, sizeof values);
      for (std::int64_t a = 0; a < kTile / 2; ++a)
        for (std::int64_t b = 0; b < kTile / kLanes; ++b) tile[a][b] += left[r * stride + from + a] * values[b];
    }
    std::memcpy(sums + from * kTile, tile, sizeof tile);
  }
}

/// `xᵀ x` of float64 `[n, d]`. Each entry is summed over the rows in their order, whatever the threads.
at::Tensor products(const at::Tensor& x) {
  const std::int64_t n = x.size(0), d = x.size(1), tiles = (d + kTile - 1) / kTile, stride = tiles * kTile;
  at::Tensor padded = at::zeros({n, stride}, at::kDouble), result = at::empty({d, d}, at::kDouble);
  padded.narrow(1, 0, d).copy_(x);
  const double* from = padded.data_ptr<double>();
  double* to = result.data_ptr<double>();
  parallel_for(0, tiles, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      throw_if_stopped();
      std::vector<double> sums(static_cast<std::size_t>((tiles - i) * kTile * kTile));
      for (std::int64_t r = 0; r < n; r += kBlock)
        for (std::int64_t j = i; j < tiles; ++j)
          add_tile(from + r * stride + i * kTile, from + r * stride + j * kTile, std::min(kBlock, n - r), stride,
                   sums.data() + (j - i) * kTile * kTile);
      for (std::int64_t j = i; j < tiles; ++j)
        for (std::int64_t a = i * kTile; a < std::min(d, (i + 1) * kTile); ++a)
          for (std::int64_t b = j * kTile; b < std::min(d, (j + 1) * kTile); ++b)
            to[a * d + b] = to[b * d + a] =
                sums[static_cast<std::size_t>(((j - i) * kTile + a - i * kTile) * kTile + b - j * kTile)];
    }
  });
  return result;
}

/// Float64 `[n]`: each row's inner product with `vector`, summed in the columns' order.
at::Tensor along(const at::Tensor& rows, const at::Tensor& vector) {
  const std::int64_t d = rows.size(1);
  at::Tensor result = at::empty({rows.size(0)}, at::kDouble);
  const double *from = rows.data_ptr<double>(), *direction = vector.data_ptr<double>();
  double* to = result.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < d; ++j) sum += from[i * d + j] * direction[j];
    to[i] = sum;
  }
  return result;
}

/// Makes the largest entry of the column positive.
void fix_sign(at::Tensor& points, std::int64_t column) {
  double* p = points.data_ptr<double>();
  const std::int64_t n = points.size(0), k = points.size(1);
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i)
    if (std::abs(p[i * k + column]) > std::abs(largest) * (1 + 1e-9)) largest = p[i * k + column];
  if (largest < 0)
    for (std::int64_t i = 0; i < n; ++i) p[i * k + column] = -p[i * k + column];
}

}  // namespace

Pca pca(const at::Tensor& rows, std::int64_t components) {
  recognition::check_embeddings(rows, "mapped");
  const std::int64_t n = rows.size(0), d = rows.size(1);
  if (n == 0 || d == 0 || components < 1) throw failure("principal components need a row, a dimension and a component");
  at::Tensor centred = rows.to(at::kDouble);
  centred = centred.sub(centred.mean(0, true)).contiguous();
  const bool is_tall = d <= n;
  const auto [values, vectors] = at::linalg_eigh(products(is_tall ? centred : centred.t().contiguous()), "L");
  const std::int64_t known = values.size(0);
  const double* value = values.data_ptr<double>();  // ascending
  double total = 0;
  for (std::int64_t i = 0; i < known; ++i) total += std::max(0.0, value[i]);

  Pca result{at::zeros({n, components}, at::kDouble), {}};
  // All that rounding of the mean leaves of equal rows is no variance.
  const double scale = rows.abs().max().item<double>();
  const bool has_variance = total > 1e-24 * scale * scale * static_cast<double>(n * d);
  for (std::int64_t c = 0; c < components; ++c) {
    const bool exists = c < known && has_variance;
    const double own = exists ? std::max(0.0, value[known - 1 - c]) : 0;
    result.explained.push_back(has_variance ? own / total : std::numeric_limits<double>::quiet_NaN());
    if (!exists) continue;
    const at::Tensor vector = vectors.select(1, known - 1 - c);
    result.points.select(1, c).copy_(is_tall ? along(centred, vector.contiguous()) : vector.mul(std::sqrt(own)));
    fix_sign(result.points, c);
  }
  return result;
}

}  // namespace osteon::embedding
