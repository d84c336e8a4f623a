// Whether methods know how far they are off: the error that they expect beside the real one.

#include "people.hpp"
#include "tables.hpp"

#include <osteon/error.hpp>

#include <cmath>

namespace osteon::shape_error {

namespace {

/// Of one method, from all pairs or from one.
struct Expectations {
  std::string row, counted;
  std::vector<double> expected, real, residual;
};

void add(const ShapePrediction& prediction, const Laid& laid, Expectations& expectations) {
  if (std::isfinite(prediction.residual)) expectations.residual.push_back(prediction.residual);
  if (!std::isfinite(prediction.expected_error)) return;
  expectations.expected.push_back(prediction.expected_error);
  expectations.real.push_back(laid.distance.rms);
}

std::vector<Expectations> expectations_of(const Method& method) {
  Expectations together{method.name, "bones", {}, {}, {}}, alone{method.name + ", one pair", "X-ray pairs", {}, {}, {}};
  for (std::size_t c = 0; c < method.answers.size(); ++c) {
    if (method.answers[c] == nullptr) continue;
    add(method.answers[c]->together, *method.together[c], together);
    for (std::size_t q = 0; q < method.alone[c].size(); ++q)
      add(method.answers[c]->alone[q], method.alone[c][q], alone);
  }
  return {std::move(together), std::move(alone)};
}

MetricValue figure(const Expectations& of, const char* column, const char* unit, double value, std::size_t count) {
  MetricValue result;
  result.table = "surface error, as the method expects it";
  result.row = of.row;
  result.column = column;
  result.unit = unit;
  result.value = value;
  result.larger_is_better = false;
  result.count = static_cast<std::int64_t>(count);
  result.counted = of.counted;
  return result;
}

}  // namespace

std::vector<MetricValue> estimates(const std::vector<Method>& methods) {
  std::vector<MetricValue> values;
  for (const Method& method : methods)
    for (const Expectations& of : expectations_of(method)) {
      if (!of.expected.empty()) {
        values.push_back(figure(of, "expected RMS", "mm", mean(of.expected), of.expected.size()));
        values.push_back(figure(of, "real RMS", "mm", mean(of.real), of.real.size()));
        values.push_back(figure(of, "correlation", "", correlation(of.expected, of.real), of.real.size()));
        values.back().larger_is_better = true;
        if (std::isnan(values.back().value))
          values.back().note = of.real.size() < 3 ? "fewer than three predictions" : "one of both does not vary";
      }
      if (!of.residual.empty())
        values.push_back(figure(of, "residual in the images", "mm", mean(of.residual), of.residual.size()));
    }
  return values;
}

}  // namespace osteon::shape_error
