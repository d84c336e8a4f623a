// metric/femur_morphometry: how far what a surgeon measures on a predicted femur is from the same on the true one.
//
// Femoral head (centre and radius), femoral length, neck–shaft angle and anteversion are found by the same code in both
// surfaces, which lie in the bone's own frame (x medial, y anterior, z proximal). A prediction is laid onto the truth
// by a rotation and a translation before the head's centres are compared; the other measures need no alignment and
// change with none.
//
//   head              the sphere that most of the medial proximal fifth fits, by random samples and least squares; its
//                     centre is the hip's (Wu et al., "ISB recommendation on definitions of joint coordinate systems",
//                     J. Biomech. 35, 2002)
//   length            the greatest distance of two points, one at each end (Martin & Saller, "Lehrbuch der
//                     Anthropologie", 1957, femur no. 1)
//   neck–shaft angle  in space, between the shaft's axis (least squares through the centroids of cross-sections at
//                     30 to 70 % of the length) and the neck's (from the centroid of its narrowest cross-section to
//                     the head's centre)
//   anteversion       between the neck's axis and the line that touches both condyles from behind, in the plane across
//                     the shaft's axis, positive forwards (Murphy et al., "Femoral anteversion", J. Bone Joint Surg.
//                     Am. 69, 1987; their line runs from the head's centre to the neck's base, which on real femurs
//                     gives up to some 14° more, for the neck stands in front of the shaft)
//
// Columns are mean absolute differences over held-out bones (of the head's centres the mean distance), with 95 %
// intervals by resampling people where at least 12 were held out; a bone where a measure cannot be found is left out
// and counted. Beside the methods stand the mean shape of the gallery, and the mean of the gallery bones' measures,
// which needs neither an X-ray nor a surface. A second table says what the true bones measure, and how much they vary;
// two more, of methods that say which other surfaces they think possible, how often the true measure lies in their 90 %
// interval (the prediction's measure ± Student's quantile times the deviation over those surfaces), and how wide it is.
//
// It has no parameters.
//
//     [metric.femur_morphometry]
//     plugin = "femur_morphometry"

#include "differences.hpp"
#include "intervals.hpp"
#include "open3d_support/surfaces.hpp"
#include "statistics/statistics.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <deque>

namespace osteon {

namespace {

using morphometry::kMeasureNames;
using morphometry::kMeasures;
using morphometry::Prediction;
using morphometry::Values;

constexpr const char* kTable = "femur morphometry, mean absolute difference";
constexpr const char* kTrueTable = "femur morphometry, the true bones";

/// The predictions behind one row: of each case none, one or several, whose differences are averaged.
struct Row {
  std::string name;
  bool is_baseline = false;
  std::vector<std::vector<Prediction>> cases;
};

std::vector<femur::Morphometry> measured(const std::vector<const Mesh*>& meshes) {
  std::vector<femur::Morphometry> result(meshes.size());
  parallel_for(0, std::ssize(meshes), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
      result[i] = femur::measured(*meshes[i]);
  });
  return result;
}

class FemurMorphometry final : public Metric {
 public:
  static Schema schema() {
    return {"Femoral head, length, neck–shaft angle and anteversion of predicted surfaces beside the true ones'.", {}};
  }

  explicit FemurMorphometry(const Parameters& /*parameters*/) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::meshes}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const ShapeEvidence& shapes = evidence.shapes();
    if (shapes.cases.empty()) return {{undefined("no bone was held out")}, {}, {}, {}};
    std::vector<const Mesh*> meshes;
    for (const ShapeCase& one : shapes.cases) {
      named(text("bone ", bone_of(evidence, one).id), [&] { one.truth.check(); });
      meshes.push_back(&one.truth);
    }
    for (std::size_t g = 0; g < shapes.gallery.size(); ++g)
      named(text("gallery bone ", g), [&] { shapes.gallery[g].check(); });
    const std::vector<femur::Morphometry> truths = measured(meshes);
    std::deque<Mesh> means;
    std::vector<Row> rows = method_rows(shapes);
    if (auto row = mean_shape_row(shapes, means)) rows.push_back(*std::move(row));
    const auto differences = morphometry::differences(shapes.cases, truths, names_of(rows));
    MetricResult result;
    for (const Row& row : rows)
      add_row(evidence, row.name, row.is_baseline, 0, averaged(row, differences), result.values);
    // A mean of measures has no centre.
    add_row(evidence, "mean of the gallery's measures", true, 1, of_gallery_means(shapes, truths), result.values);
    add_truths(truths, result.values);
    for (MetricValue& value : morphometry::interval_figures(shapes.cases, truths))
      result.values.push_back(std::move(value));
    return result;
  }

 private:
  template <class Body>
  static void named(const std::string& whose, const Body& body) {
    try {
      body();
    } catch (const Error& error) {
      throw error.within(whose);
    }
  }

  static const EvidenceBone& bone_of(const Evidence& evidence, const ShapeCase& one) {
    if (one.bone < 0 || one.bone >= std::ssize(evidence.bones()))
      throw failure(text("a held-out shape names bone ", one.bone, " of ", evidence.bones().size()));
    return evidence.bones()[static_cast<std::size_t>(one.bone)];
  }

  /// All X-ray pairs together, one pair, and the model fitted to the truth, of each method that has them.
  static std::vector<Row> method_rows(const ShapeEvidence& shapes) {
    std::vector<Row> rows;
    const auto predictions = [&](const std::string& name, bool is_baseline, std::size_t c) -> std::vector<Prediction>& {
      auto row = std::ranges::find(rows, name, &Row::name);
      if (row == rows.end()) {
        rows.push_back({name, is_baseline, std::vector<std::vector<Prediction>>(shapes.cases.size())});
        row = rows.end() - 1;
      }
      return row->cases[c];
    };
    for (std::size_t c = 0; c < shapes.cases.size(); ++c)
      for (const ShapeCase::Answer& answer : shapes.cases[c].answers) {
        predictions(answer.estimator, false, c).emplace_back(c, &answer.together.mesh);
        for (const ShapePrediction& alone : answer.alone)
          predictions(answer.estimator + ", one pair", false, c).emplace_back(c, &alone.mesh);
        if (answer.ceiling)
          predictions(answer.estimator + ", its 3D ceiling", true, c).emplace_back(c, &*answer.ceiling);
      }
    return rows;
  }

  /// `means` holds the surfaces; the cases of a fold have the same.
  static std::optional<Row> mean_shape_row(const ShapeEvidence& shapes, std::deque<Mesh>& means) {
    Row row{"mean shape", true, std::vector<std::vector<Prediction>>(shapes.cases.size())};
    std::map<std::vector<std::int64_t>, const Mesh*> known;
    for (std::size_t c = 0; c < shapes.cases.size(); ++c) {
      const auto& candidates = shapes.cases[c].candidates;
      if (candidates.empty()) return std::nullopt;
      const Mesh*& mean = known[candidates];
      if (mean == nullptr) {
        std::vector<Mesh> meshes;
        for (const std::int64_t g : candidates) meshes.push_back(shapes.gallery.at(static_cast<std::size_t>(g)));
        mean = &means.emplace_back(open3d_support::mean_shape(meshes));
      }
      row.cases[c].emplace_back(c, mean);
    }
    return row;
  }

  static std::map<Prediction, std::string> names_of(const std::vector<Row>& rows) {
    std::map<Prediction, std::string> names;
    for (const Row& row : rows)
      for (const auto& predictions : row.cases)
        for (const Prediction& prediction : predictions) names.try_emplace(prediction, row.name);
    return names;
  }

  static std::vector<std::optional<Values>> averaged(const Row& row, const std::map<Prediction, Values>& differences) {
    std::vector<std::optional<Values>> result(row.cases.size());
    for (std::size_t c = 0; c < result.size(); ++c) {
      if (row.cases[c].empty()) continue;
      std::vector<Values> values;
      for (const Prediction& prediction : row.cases[c]) values.push_back(differences.at(prediction));
      result[c] = morphometry::mean(values);
    }
    return result;
  }

  static std::vector<std::optional<Values>> of_gallery_means(const ShapeEvidence& shapes,
                                                             const std::vector<femur::Morphometry>& truths) {
    std::vector<const Mesh*> meshes;
    for (const Mesh& mesh : shapes.gallery) meshes.push_back(&mesh);
    const std::vector<femur::Morphometry> gallery = measured(meshes);
    std::vector<std::optional<Values>> result;
    for (std::size_t c = 0; c < truths.size(); ++c) {
      std::vector<Values> values;
      for (const std::int64_t g : shapes.cases[c].candidates)
        values.push_back(morphometry::values_of(gallery.at(static_cast<std::size_t>(g))));
      result.emplace_back(morphometry::difference(morphometry::values_of(truths[c]), morphometry::mean(values)));
    }
    return result;
  }

  static MetricValue cell(const char* table, const std::string& row, std::size_t measure, bool is_baseline) {
    MetricValue value;
    value.table = table;
    value.row = row;
    value.column = kMeasureNames[measure].name;
    value.unit = kMeasureNames[measure].unit;
    value.larger_is_better = false;
    value.is_baseline = is_baseline;
    value.counted = "bones";
    return value;
  }

  static MetricValue undefined(const std::string& note) {
    MetricValue value = cell(kTable, "mean shape", 0, true);
    value.note = note;
    return value;
  }

  static void add_row(const Evidence& evidence, const std::string& name, bool is_baseline, std::size_t first_measure,
                      const std::vector<std::optional<Values>>& cases, std::vector<MetricValue>& values) {
    for (std::size_t m = first_measure; m < kMeasures; ++m) {
      MetricValue value = cell(kTable, name, m, is_baseline);
      std::map<std::string, statistics::Contribution> people;
      std::int64_t asked = 0;
      statistics::Contribution all;
      for (std::size_t c = 0; c < cases.size(); ++c) {
        if (!cases[c]) continue;
        ++asked;
        const double difference = (*cases[c])[m];
        if (std::isnan(difference)) continue;
        auto& person = people[bone_of(evidence, evidence.shapes().cases[c]).subject];
        for (auto* sum : {&person, &all}) sum->hits += difference, ++sum->total;
      }
      value.count = static_cast<std::int64_t>(all.total);
      if (value.count > 0) value.value = all.hits / all.total;
      if (value.count < asked)
        value.note = text("not found in ", asked - value.count, " of ", asked, " predicted or true bones");
      statistics::set_people(value, people, evidence.seed());
      values.push_back(std::move(value));
    }
  }

  /// How much the true bones vary says what a difference is worth.
  static void add_truths(const std::vector<femur::Morphometry>& truths, std::vector<MetricValue>& values) {
    for (std::size_t m = 1; m < kMeasures; ++m) {
      std::vector<double> known;
      for (const femur::Morphometry& truth : truths)
        if (const double value = morphometry::values_of(truth)[m]; !std::isnan(value)) known.push_back(value);
      MetricValue mean = cell(kTrueTable, "mean", m, true), spread = cell(kTrueTable, "standard deviation", m, true);
      mean.count = spread.count = std::ssize(known);
      const double count = static_cast<double>(known.size());
      double sum = 0, squares = 0;
      for (const double value : known) sum += value;
      for (const double value : known) squares += (value - sum / count) * (value - sum / count);
      if (known.empty()) mean.note = "not found in any true bone";
      if (known.size() < 2) spread.note = "fewer than two true bones";
      if (!known.empty()) mean.value = sum / count;
      if (known.size() > 1) spread.value = std::sqrt(squares / (count - 1));
      values.push_back(std::move(mean));
      values.push_back(std::move(spread));
    }
  }
};

}  // namespace

OSTEON_PLUGIN(metric, femur_morphometry, "0.1.0", FemurMorphometry)

}  // namespace osteon
