#pragma once

// What each person adds to a figure, added up again.

#include <osteon/metric.hpp>

namespace osteon::test {

/// Σ sum / Σ count over the people: the figure itself, or the share in percent of one that is how many of so many.
inline double mean_over_people(const MetricValue& value) {
  double sum = 0, count = 0;
  for (const PersonPart& part : value.people) {
    sum += part.sum;
    count += part.count;
  }
  return sum / count;
}

}  // namespace osteon::test
