// The products are summed over panels of columns: the same bits for every number of threads and on every processor,
// which a BLAS does not promise. What is left, the eigenvectors of a small matrix, LAPACK does in a few milliseconds.

#include "embedding/pca.hpp"

#include "recognition/embeddings.hpp"
#include "recognition/panels.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::embedding {

namespace {

using recognition::kPanel;
using recognition::kTileSums;
using recognition::Panels;
using recognition::SumOf;

constexpr std::int64_t kRowsAtOnce = 64;
// What a thread does in less than some milliseconds is not worth waking another, which may have to wait for a
// processor.
constexpr std::int64_t kRowsAThread = 8192;
constexpr std::int64_t kProductsAThread = 32 << 20;

std::vector<double> means(const float* values, std::int64_t n, std::int64_t d) {
  std::vector<double> mean(static_cast<std::size_t>(d), 0.0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < d; ++j) mean[static_cast<std::size_t>(j)] += static_cast<double>(values[i * d + j]);
  for (double& one : mean) one /= static_cast<double>(n);
  return mean;
}

/// Rows `first` to before `last` without the mean, as columns: `[d, last - first]`.
Panels centred_rows(const float* values, const std::vector<double>& mean, std::int64_t first, std::int64_t last) {
  const auto d = static_cast<std::int64_t>(mean.size());
  Panels result(d, last - first);
  for (std::int64_t i = first; i < last; ++i)
    for (std::int64_t j = 0; j < d; ++j)
      result.at(j, i - first) = static_cast<double>(values[i * d + j]) - mean[static_cast<std::size_t>(j)];
  return result;
}

/// `[n, d]`, without the mean.
Panels centred_columns(const float* values, const std::vector<double>& mean, std::int64_t n) {
  const auto d = static_cast<std::int64_t>(mean.size());
  Panels result(n, d);
  parallel_for(0, n, kRowsAThread, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      for (std::int64_t j = 0; j < d; ++j)
        result.at(i, j) = static_cast<double>(values[i * d + j]) - mean[static_cast<std::size_t>(j)];
  });
  return result;
}

/// The products of all pairs of columns, `[columns, columns]`.
at::Tensor products(const Panels& x) {
  const std::int64_t panels = x.count(), m = x.columns();
  at::Tensor result = at::empty({m, m}, at::kDouble);
  double* to = result.data_ptr<double>();
  const std::int64_t products_a_panel = std::max<std::int64_t>(1, x.rows() * m * kPanel / 2);
  parallel_for(
      0, panels, std::max<std::int64_t>(1, kProductsAThread / products_a_panel),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) {
          throw_if_stopped();
          // Panels from both ends in turn: the first has most others to meet, and threads share equally.
          const std::int64_t i = item % 2 == 0 ? item / 2 : panels - 1 - item / 2;
          std::vector<double> sums(static_cast<std::size_t>((panels - i) * kTileSums));
          recognition::sum_over_rows(SumOf::product, x, i, x, i, panels, sums);
          for (std::int64_t j = i; j < panels; ++j)
            for (std::int64_t a = i * kPanel; a < std::min(m, (i + 1) * kPanel); ++a)
              for (std::int64_t b = j * kPanel; b < std::min(m, (j + 1) * kPanel); ++b)
                to[a * m + b] = to[b * m + a] =
                    sums[static_cast<std::size_t>((j - i) * kTileSums + (a - i * kPanel) * kPanel + b - j * kPanel)];
        }
      });
  return result;
}

/// Writes each centred row's products with the directions (columns of `[d, k]`) to the first k columns of `points`.
void project(const float* values, const std::vector<double>& mean, const Panels& directions, at::Tensor& points) {
  const std::int64_t k = directions.columns(), columns = points.size(1);
  double* to = points.data_ptr<double>();
  parallel_for(0, points.size(0), kRowsAThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kRowsAtOnce) {
      const std::int64_t last = std::min(end, first + kRowsAtOnce);
      const Panels rows = centred_rows(values, mean, first, last);
      std::vector<double> sums(static_cast<std::size_t>(rows.count() * kTileSums));
      for (std::int64_t p = 0; p < directions.count(); ++p) {
        recognition::sum_over_rows(SumOf::product, directions, p, rows, 0, rows.count(), sums);
        for (std::int64_t c = p * kPanel; c < std::min(k, (p + 1) * kPanel); ++c)
          for (std::int64_t i = 0; i < last - first; ++i)
            to[(first + i) * columns + c] =
                sums[static_cast<std::size_t>(i / kPanel * kTileSums + c % kPanel * kPanel + i % kPanel)];
      }
    }
  });
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
  const at::Tensor whole = rows.contiguous();
  const float* given = whole.data_ptr<float>();
  const std::vector<double> mean = means(given, n, d);
  const bool is_tall = d <= n;
  const auto [values, vectors] =
      at::linalg_eigh(products(is_tall ? centred_columns(given, mean, n) : centred_rows(given, mean, 0, n)), "L");
  const std::int64_t known = values.size(0);
  const double* value = values.data_ptr<double>();  // ascending
  double total = 0;
  for (std::int64_t i = 0; i < known; ++i) total += std::max(0.0, value[i]);

  Pca result{at::zeros({n, components}, at::kDouble), {}};
  // All that rounding of the mean leaves of equal rows is no variance.
  double scale = 0;
  for (std::int64_t i = 0; i < n * d; ++i) scale = std::max(scale, std::abs(static_cast<double>(given[i])));
  const bool has_variance = total > 1e-24 * scale * scale * static_cast<double>(n * d);
  const std::int64_t kept = has_variance ? std::min(components, known) : 0;
  for (std::int64_t c = 0; c < components; ++c)
    result.explained.push_back(has_variance ? (c < kept ? std::max(0.0, value[known - 1 - c]) / total : 0)
                                            : std::numeric_limits<double>::quiet_NaN());
  Panels directions(d, is_tall ? kept : 0);
  for (std::int64_t c = 0; c < kept; ++c) {
    const at::Tensor vector = vectors.select(1, known - 1 - c).contiguous();
    for (std::int64_t j = 0; is_tall && j < d; ++j) directions.at(j, c) = vector.data_ptr<double>()[j];
    if (!is_tall) result.points.select(1, c).copy_(vector.mul(std::sqrt(std::max(0.0, value[known - 1 - c]))));
  }
  if (is_tall) project(given, mean, directions, result.points);
  for (std::int64_t c = 0; c < kept; ++c) fix_sign(result.points, c);
  return result;
}

}  // namespace osteon::embedding
