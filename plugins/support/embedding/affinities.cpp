#include "embedding/affinities.hpp"

#include "recognition/nearest.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::embedding {

namespace {

using recognition::Neighbour;

/// A row's neighbours without itself. Among many equal rows it may not be listed; then the last one goes.
std::vector<Neighbour> others(std::vector<Neighbour> found, std::int64_t row) {
  const auto self = std::find_if(found.begin(), found.end(), [&](const Neighbour& one) { return one.row == row; });
  found.erase(self == found.end() ? found.end() - 1 : self);
  return found;
}

/// p(j|i) ∝ exp(-β d²), with β found by bisection so that the entropy is log(perplexity).
std::vector<double> conditional(const std::vector<Neighbour>& near, double perplexity) {
  constexpr int kSteps = 100;
  constexpr double kTolerance = 1e-5;
  std::vector<double> squared, p(near.size());
  for (const Neighbour& one : near)
    squared.push_back(one.distance * one.distance - near[0].distance * near[0].distance);
  const double spread = squared.back();
  if (spread == 0) return std::vector<double>(near.size(), 1.0 / static_cast<double>(near.size()));
  double beta = 1 / spread, low = 0, high = INFINITY;
  for (int step = 0; step < kSteps; ++step) {
    double sum = 0, weighted = 0;
    for (std::size_t j = 0; j < p.size(); ++j) {
      p[j] = std::exp(-beta * squared[j]);
      sum += p[j];
      weighted += p[j] * squared[j];
    }
    const double entropy = std::log(sum) + beta * weighted / sum;
    for (double& one : p) one /= sum;
    const double excess = entropy - std::log(perplexity);
    if (std::abs(excess) <= kTolerance || !std::isfinite(2 * beta * spread)) break;
    (excess > 0 ? low : high) = beta;
    beta = std::isfinite(high) ? (low + high) / 2 : 2 * beta;
  }
  return p;
}

struct Entry {
  std::int32_t other;
  double weight;
};

/// p(j|i) + p(i|j) of each pair, in each row ascending.
std::vector<std::vector<Entry>> with_transposed(const std::vector<std::vector<Entry>>& given) {
  std::vector<std::vector<Entry>> all = given;
  for (std::size_t i = 0; i < given.size(); ++i)
    for (const Entry& one : given[i])
      all[static_cast<std::size_t>(one.other)].push_back({static_cast<std::int32_t>(i), one.weight});
  parallel_for(0, std::ssize(all), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      auto& row = all[static_cast<std::size_t>(i)];
      std::sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) {
        return a.other != b.other ? a.other < b.other : a.weight < b.weight;
      });
      std::size_t kept = 0;
      for (std::size_t j = 1; j < row.size(); ++j)
        if (row[j].other == row[kept].other)
          row[kept].weight += row[j].weight;
        else
          row[++kept] = row[j];
      if (!row.empty()) row.resize(kept + 1);
    }
  });
  return all;
}

}  // namespace

Affinities affinities(const at::Tensor& rows, double perplexity) {
  const std::int64_t n = rows.size(0);
  const std::int64_t nearest = std::min(n - 1, static_cast<std::int64_t>(3 * perplexity + 1));
  const auto found =
      recognition::NearestRows(rows, recognition::Distance::euclidean, "mapped").search(rows, nearest + 1);
  std::vector<std::vector<Entry>> conditionals(static_cast<std::size_t>(n));
  parallel_for(0, n, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::vector<Neighbour> near = others(found[static_cast<std::size_t>(i)], i);
      const std::vector<double> p = conditional(near, perplexity);
      for (std::size_t j = 0; j < p.size(); ++j)
        if (p[j] > 0)
          conditionals[static_cast<std::size_t>(i)].push_back({static_cast<std::int32_t>(near[j].row), p[j]});
    }
  });
  Affinities result{{0}, {}, {}};
  for (const auto& row : with_transposed(conditionals)) {
    for (const Entry& one : row) {
      result.other.push_back(one.other);
      result.weight.push_back(static_cast<float>(one.weight / (2 * static_cast<double>(n))));
    }
    result.first.push_back(std::ssize(result.other));
  }
  return result;
}

}  // namespace osteon::embedding
