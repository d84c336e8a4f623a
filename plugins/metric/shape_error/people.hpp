#pragma once

// One number a held-out bone, and what people they are of.

#include <osteon/metric.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::shape_error {

struct Samples {
  std::vector<double> value;
  std::vector<std::size_t> person;  ///< index into `people`
  std::vector<std::string> people;
};

/// The values that are known, of those listed with the person that each is of.
Samples samples_of(const std::vector<std::optional<double>>& values, const std::vector<std::string>& people);

/// NaN of nothing.
double mean(const std::vector<double>& values);

/// Of the population that the values are drawn from (n - 1); NaN of fewer than two.
double deviation(const std::vector<double>& values);

/// Pearson's; NaN of fewer than three pairs or where one of both does not vary.
double correlation(const std::vector<double>& a, const std::vector<double>& b);

/// What each person adds to the mean, for `MetricValue::people`.
std::vector<PersonPart> parts(const Samples& samples);

/// 95 % of the mean over bones when people are drawn with replacement; nothing for fewer than 12 people.
std::optional<std::pair<double, double>> interval(const Samples& samples, std::uint64_t seed);

}  // namespace osteon::shape_error
