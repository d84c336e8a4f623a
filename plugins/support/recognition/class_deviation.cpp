#include "recognition/class_deviation.hpp"

#include <cmath>
#include <map>

namespace osteon::recognition {

std::vector<std::int64_t> dense_dimensions(const at::Tensor& rows, double zero_below, double sparse_share) {
  const std::int64_t count = rows.size(0), d = rows.size(1);
  const float* values = rows.data_ptr<float>();
  std::vector<std::int64_t> zeros(static_cast<std::size_t>(d), 0), dense;
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < d; ++j)
      zeros[static_cast<std::size_t>(j)] += std::abs(values[i * d + j]) <= zero_below;
  for (std::int64_t j = 0; j < d; ++j)
    if (static_cast<double>(zeros[static_cast<std::size_t>(j)]) <= sparse_share * static_cast<double>(count))
      dense.push_back(j);
  return dense;
}

std::vector<ClassDeviation> class_deviations(const at::Tensor& rows, const at::Tensor& labels,
                                             std::span<const std::int64_t> dimensions) {
  const std::int64_t d = rows.size(1);
  const float* values = rows.data_ptr<float>();
  std::map<std::int64_t, std::vector<std::int64_t>> members;
  for (std::int64_t i = 0; i < rows.size(0); ++i) members[labels.data_ptr<std::int64_t>()[i]].push_back(i);
  std::vector<ClassDeviation> classes;
  for (const auto& [label, list] : members) {
    ClassDeviation one{label, {}, {}};
    const auto n = static_cast<double>(list.size());
    for (const std::int64_t j : dimensions) {
      const float first = values[list.front() * d + j];
      double mean = 0, squares = 0;
      for (const std::int64_t i : list) mean += (values[i * d + j] - static_cast<double>(first)) / n;
      mean += first;  // measured from one of the values, so that equal ones leave no deviation by rounding
      for (const std::int64_t i : list) {
        const double difference = values[i * d + j] - mean;
        squares += difference * difference;
      }
      one.mean.push_back(mean);
      one.deviation.push_back(std::sqrt(squares / n));
    }
    classes.push_back(std::move(one));
  }
  return classes;
}

ClassAnswer class_within(const float* query, std::span<const ClassDeviation> classes,
                         std::span<const std::int64_t> dimensions, double factor) {
  ClassAnswer answer;
  for (const ClassDeviation& one : classes) {
    std::size_t inside = 0;
    for (std::size_t j = 0; j < dimensions.size(); ++j)
      inside += std::abs(one.mean[j] - query[dimensions[j]]) < factor * one.deviation[j];
    if (inside < answer.inside) continue;
    answer.label = inside == answer.inside || 2 * inside <= dimensions.size() ? -1 : one.label;
    answer.inside = inside;
  }
  return answer;
}

}  // namespace osteon::recognition
