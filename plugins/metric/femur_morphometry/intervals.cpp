#include "intervals.hpp"

#include <osteon/parallel.hpp>

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace osteon::morphometry {

namespace {

constexpr std::size_t kFewestDraws = 8;
constexpr std::size_t kFirst = 1;  // a centre is no number

/// One prediction: its measures and, of each, half the width of the interval about it.
struct Stated {
  Values value{}, half{};
};

/// All of a method's predictions of one sort.
struct Row {
  std::string name, counted;
  std::vector<std::pair<std::size_t, const ShapePrediction*>> asked;  ///< case and prediction
  std::vector<Stated> stated;
};

Stated stated_by(const ShapePrediction& prediction) {
  std::vector<Values> draws;
  for (const Mesh& draw : prediction.draws) {
    throw_if_stopped();
    draws.push_back(values_of(femur::measured(draw)));
  }
  Stated stated{values_of(femur::measured(prediction.mesh)), {}};
  const Values middle = mean(draws);
  for (std::size_t m = 0; m < kMeasures; ++m) {
    double squares = 0;
    std::size_t count = 0;
    for (const Values& draw : draws)
      if (!std::isnan(draw[m])) squares += (draw[m] - middle[m]) * (draw[m] - middle[m]), ++count;
    stated.half[m] = std::numeric_limits<double>::quiet_NaN();
    if (count < kFewestDraws) continue;
    // Few draws know the spread badly, which Student's distribution allows for.
    const double freedom = static_cast<double>(count - 1);
    stated.half[m] = boost::math::quantile(boost::math::students_t(freedom), 0.95) * std::sqrt(squares / freedom);
  }
  return stated;
}

std::vector<Row> rows_of(const std::vector<ShapeCase>& cases) {
  std::vector<Row> rows;
  const auto add = [&](const std::string& name, const char* counted, std::size_t c, const ShapePrediction& prediction) {
    if (prediction.draws.size() < kFewestDraws) return;
    auto row = std::ranges::find(rows, name, &Row::name);
    if (row == rows.end()) row = rows.insert(rows.end(), {name, counted, {}, {}});
    row->asked.emplace_back(c, &prediction);
  };
  for (std::size_t c = 0; c < cases.size(); ++c)
    for (const ShapeCase::Answer& answer : cases[c].answers) {
      add(answer.estimator, "bones", c, answer.together);
      for (const ShapePrediction& alone : answer.alone) add(answer.estimator + ", one pair", "X-ray pairs", c, alone);
    }
  for (Row& row : rows) {
    row.stated.resize(row.asked.size());
    parallel_for(0, std::ssize(row.asked), 1, [&](std::int64_t first, std::int64_t last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
        row.stated[i] = stated_by(*row.asked[i].second);
    });
  }
  return rows;
}

}  // namespace

std::vector<MetricValue> interval_figures(const std::vector<ShapeCase>& cases,
                                          const std::vector<femur::Morphometry>& truths) {
  std::vector<MetricValue> values;
  for (const Row& row : rows_of(cases))
    for (std::size_t m = kFirst; m < kMeasures; ++m) {
      double inside = 0, width = 0, count = 0;
      for (std::size_t i = 0; i < row.asked.size(); ++i) {
        const double truth = values_of(truths[row.asked[i].first])[m], half = row.stated[i].half[m];
        const double off = std::abs(row.stated[i].value[m] - truth);
        if (std::isnan(off) || std::isnan(half)) continue;
        inside += off <= half, width += half, ++count;
      }
      MetricValue covered;
      covered.table = "femur morphometry, true measure inside the 90 % interval";
      covered.row = row.name;
      covered.column = kMeasureNames[m].name;
      covered.unit = "%";
      covered.count = static_cast<std::int64_t>(count);
      covered.counted = row.counted;
      MetricValue wide = covered;
      wide.table = "femur morphometry, half the width of the 90 % interval";
      wide.unit = kMeasureNames[m].unit;
      wide.larger_is_better = false;
      if (count > 0) {
        covered.value = 100 * inside / count;
        wide.value = width / count;
      } else {
        covered.note = wide.note = "not found in enough of the surfaces drawn";
      }
      values.push_back(std::move(covered));
      values.push_back(std::move(wide));
    }
  return values;
}

}  // namespace osteon::morphometry
