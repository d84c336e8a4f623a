#include "people.hpp"

#include "statistics/statistics.hpp"

#include <cmath>
#include <limits>
#include <map>

namespace osteon::shape_error {

Samples samples_of(const std::vector<std::optional<double>>& values, const std::vector<std::string>& people) {
  Samples samples;
  std::map<std::string, std::size_t> number;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] && !std::isnan(*values[i])) {
      samples.value.push_back(*values[i]);
      const auto [place, is_new] = number.try_emplace(people[i], number.size());
      if (is_new) samples.people.push_back(people[i]);
      samples.person.push_back(place->second);
    }
  return samples;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double middle = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double middle_a = mean(a), middle_b = mean(b), spread = deviation(a) * deviation(b);
  const auto varies = [](const std::vector<double>& values) {  // more than by rounding
    return deviation(values) > 1e-9 * std::abs(mean(values));
  };
  if (a.size() < 3 || !varies(a) || !varies(b)) return std::numeric_limits<double>::quiet_NaN();
  double products = 0;
  for (std::size_t i = 0; i < a.size(); ++i) products += (a[i] - middle_a) * (b[i] - middle_b);
  return products / static_cast<double>(a.size() - 1) / spread;
}

namespace {

std::vector<statistics::Contribution> contributions(const Samples& samples) {
  std::vector<statistics::Contribution> people(samples.people.size());
  for (std::size_t i = 0; i < samples.value.size(); ++i) {
    people[samples.person[i]].hits += samples.value[i];
    people[samples.person[i]].total += 1;
  }
  return people;
}

}  // namespace

std::vector<PersonPart> parts(const Samples& samples) {
  return statistics::parts(samples.people, contributions(samples));
}

std::optional<std::pair<double, double>> interval(const Samples& samples, std::uint64_t seed) {
  return statistics::share_interval(contributions(samples), seed);
}

}  // namespace osteon::shape_error
