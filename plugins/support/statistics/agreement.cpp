#include "statistics/agreement.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace osteon::statistics {

namespace {

using Sizes = std::map<std::int64_t, std::int64_t>;  ///< group → members

Sizes sizes_of(Groups groups) {
  Sizes sizes;
  for (const std::int64_t group : groups) ++sizes[group];
  return sizes;
}

/// Size → groups of that size: what the expectation depends on.
Sizes groups_by_size(Groups groups) {
  Sizes counts;
  for (const auto& [group, size] : sizes_of(groups)) ++counts[size];
  return counts;
}

void check_lengths(Groups first, Groups second) {
  if (first.size() != second.size())
    throw failure(text("two groupings are of ", first.size(), " and ", second.size(),
                       " things; both must give a group for the same things"));
}

/// log n! for n = 0 … `last`.
std::vector<double> log_factorials(std::int64_t last) {
  std::vector<double> result;
  for (std::int64_t n = 0; n <= last; ++n) result.push_back(std::lgamma(static_cast<double>(n) + 1));
  return result;
}

/// What two groups of `a` and `b` of `n` things add to the mutual information on average: over the sizes k of their
/// overlap, k/n log(n k / (a b)) with the hypergeometric probability of k.
double expected_term(std::int64_t a, std::int64_t b, std::int64_t n, const std::vector<double>& log_factorial) {
  const auto log_of = [&](std::int64_t i) { return log_factorial[static_cast<std::size_t>(i)]; };
  const double sizes_only = log_of(a) + log_of(b) + log_of(n - a) + log_of(n - b) - log_of(n);
  const double whole = static_cast<double>(n), product = static_cast<double>(a) * static_cast<double>(b);
  double sum = 0;
  for (std::int64_t k = std::max<std::int64_t>(1, a + b - n); k <= std::min(a, b); ++k) {
    const double overlap = static_cast<double>(k);
    const double log_probability = sizes_only - log_of(k) - log_of(a - k) - log_of(b - k) - log_of(n - a - b + k);
    sum += overlap / whole * std::log(whole * overlap / product) * std::exp(log_probability);
  }
  return sum;
}

double mean_entropy(Groups first, Groups second) { return (entropy(first) + entropy(second)) / 2; }

}  // namespace

double entropy(Groups groups) {
  if (groups.empty()) return std::nan("");
  const auto n = static_cast<double>(groups.size());
  double sum = 0;
  for (const auto& [group, size] : sizes_of(groups)) {
    const double share = static_cast<double>(size) / n;
    sum -= share * std::log(share);
  }
  return std::max(sum, 0.0);
}

double mutual_information(Groups first, Groups second) {
  check_lengths(first, second);
  if (first.empty()) return std::nan("");
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> together;
  for (std::size_t i = 0; i < first.size(); ++i) ++together[{first[i], second[i]}];
  const Sizes rows = sizes_of(first), columns = sizes_of(second);
  const auto n = static_cast<double>(first.size());
  double sum = 0;
  for (const auto& [pair, count] : together) {
    const auto both = static_cast<double>(count);
    const double product = static_cast<double>(rows.at(pair.first)) * static_cast<double>(columns.at(pair.second));
    sum += both / n * std::log(n * both / product);
  }
  return std::max(sum, 0.0);
}

double expected_mutual_information(Groups first, Groups second) {
  check_lengths(first, second);
  if (first.empty()) return std::nan("");
  const auto n = static_cast<std::int64_t>(first.size());
  const std::vector<double> log_factorial = log_factorials(n);
  double sum = 0;
  for (const auto& [a, rows] : groups_by_size(first))
    for (const auto& [b, columns] : groups_by_size(second))
      sum += static_cast<double>(rows * columns) * expected_term(a, b, n, log_factorial);
  return sum;
}

double normalized_mutual_information(Groups first, Groups second) {
  const double shared = mutual_information(first, second), mean = mean_entropy(first, second);
  if (mean == 0) return 1;  // one group on both sides
  return shared / mean;
}

double adjusted_mutual_information(Groups first, Groups second) {
  check_lengths(first, second);
  if (first.empty()) return std::nan("");
  const std::size_t groups = sizes_of(first).size();
  if (groups == sizes_of(second).size() && (groups == 1 || groups == first.size())) return 1;
  const double expected = expected_mutual_information(first, second);
  return (mutual_information(first, second) - expected) / (mean_entropy(first, second) - expected);
}

}  // namespace osteon::statistics
