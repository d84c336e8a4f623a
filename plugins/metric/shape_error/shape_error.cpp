// metric/shape_error: how far the predicted surfaces lie from the true ones, beside what no X-ray is needed for.
//
// Every surface is laid onto the true one by a rotation and a translation ("rigid alignment"), never scaled or
// mirrored; then the symmetric RMS (root of the mean of both directed mean squares, point to triangle, area-uniform
// samples each way), the Hausdorff distance over samples and vertices, the RMS in per cent of the true bone's
// bounding-box diagonal, and how many gallery bones would have been better than the chosen one. Means over bones; 95 %
// intervals by resampling people where at least 12 of them were held out. Beside each estimator stand: the mean shape
// of the gallery; the gallery bone nearest in length (extent along z of the bone's own frame); nearest in length and
// enclosed volume, each in units of the gallery's standard deviation; a random gallery bone (its expectation); and the
// best bone in the gallery, which no method that picks one can beat. The procedure is the study's ("RMS and Hausdorff
// between aligned meshes"); the rows beside it are the project's rules of evidence.
//
// Parameters
//   samples   points each way of a surface distance (default 100000, at least 1000)
//   pictures  bones whose true and predicted surfaces go into the report, from the best to the worst (default 3)
//
//     [metric.shape_error]
//     plugin   = "shape_error"
//     samples  = 100000
//     pictures = 3

#include "open3d_support/surfaces.hpp"
#include "rows.hpp"

#include <osteon/error.hpp>
#include <osteon/metric.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <tuple>

namespace osteon {

namespace {

using open3d_support::ClosestPoints;
using open3d_support::SurfaceDistance;
using shape_error::Outcome;
using shape_error::Row;

/// A surface laid onto a true one.
struct Laid {
  Affine onto_truth;
  SurfaceDistance distance;
};

/// Every held-out bone against every bone that was known then, each pair aligned and measured once.
struct Comparison {
  std::vector<ClosestPoints> truths, gallery;
  std::vector<std::map<std::int64_t, Laid>> pairs;  ///< [case], by gallery bone
  std::vector<double> diagonal;                     ///< mm, of each true bone
};

ClosestPoints prepared(const Mesh& mesh, const std::string& whose) {
  try {
    return ClosestPoints(mesh);
  } catch (const Error& error) {
    throw error.within(whose);
  }
}

double length(const Mesh& mesh) {
  const Box box = bounding_box(mesh);
  return box.high.z - box.low.z;
}

double deviation(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (const double v : values) squares += (v - mean) * (v - mean) / static_cast<double>(values.size());
  return std::sqrt(squares);
}

/// The candidate that is nearest to a case's bone in the given properties, each divided by its spread among the
/// candidates.
std::int64_t nearest_by(const std::vector<double (*)(const Mesh&)>& properties, const ShapeCase& one,
                        const std::vector<Mesh>& gallery) {
  std::vector<double> squares(one.candidates.size(), 0);
  for (const auto property : properties) {
    std::vector<double> known;
    for (const std::int64_t g : one.candidates) known.push_back(property(gallery[static_cast<std::size_t>(g)]));
    const double spread = deviation(known) > 0 ? deviation(known) : 1;
    for (std::size_t g = 0; g < known.size(); ++g)
      squares[g] += std::pow((property(one.truth) - known[g]) / spread, 2);
  }
  return one.candidates[static_cast<std::size_t>(std::min_element(squares.begin(), squares.end()) - squares.begin())];
}

class ShapeError : public Metric {
 public:
  static Schema schema() {
    return {"Distance between predicted and true surfaces after rigid alignment, beside mean shape, length and oracle.",
            {Parameter::integer("samples", 100'000, "Points each way of a surface distance.")
                 .at_least(1000)
                 .at_most(10'000'000),
             Parameter::integer("pictures", 3, "Bones whose true and predicted surfaces go into the report.")
                 .at_least(0)
                 .at_most(100)}};
  }

  explicit ShapeError(const Parameters& parameters)
      : samples_(parameters.integer("samples")), pictures_(parameters.integer("pictures")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::meshes}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const ShapeEvidence& shapes = evidence.shapes();
    if (shapes.cases.empty()) return {shape_error::undefined("no bone was held out"), {}, {}, {}};
    if (std::ranges::any_of(shapes.cases, [](const ShapeCase& one) { return one.candidates.empty(); })) return {shape_error::undefined("the gallery has no bones"), {}, {}, {}};
    const Comparison comparison = compared(evidence);
    std::vector<std::vector<Laid>> answers;
    std::vector<Row> rows = estimator_rows(evidence, comparison, answers);
    const std::size_t estimators = rows.size();
    for (Row& row : baseline_rows(evidence, comparison)) rows.push_back(std::move(row));
    if (auto floor = floor_row(evidence, comparison)) rows.push_back(*std::move(floor));
    std::vector<std::string> people;
    for (const ShapeCase& c : shapes.cases) people.push_back(bone_of(evidence, c.bone).subject);
    MetricResult result;
    result.values =
        shape_error::figures(rows, people, std::ssize(shapes.cases.front().candidates), evidence.seed());
    if (estimators > 0) result.surfaces = surface_pairs(evidence, comparison, rows.front(), answers.front());
    return result;
  }

 private:
  static const EvidenceBone& bone_of(const Evidence& evidence, std::int64_t bone) {
    if (bone < 0 || bone >= static_cast<std::int64_t>(evidence.bones().size()))
      throw failure(text("a held-out shape names bone ", bone, " of ", evidence.bones().size()));
    return evidence.bones()[static_cast<std::size_t>(bone)];
  }

  [[nodiscard]] Laid laid(const ClosestPoints& surface, const ClosestPoints& truth, std::uint64_t seed) const {
    throw_if_stopped();
    const Affine map = open3d_support::align_rigid(surface, truth);
    return {map, open3d_support::surface_distance(truth, surface, map, samples_, seed)};
  }

  [[nodiscard]] Comparison compared(const Evidence& evidence) const {
    const ShapeEvidence& shapes = evidence.shapes();
    Comparison result;
    for (const ShapeCase& c : shapes.cases) {
      result.truths.push_back(prepared(c.truth, text("bone ", bone_of(evidence, c.bone).id)));
      result.diagonal.push_back(bounding_box(c.truth).diagonal());
    }
    for (std::size_t g = 0; g < shapes.gallery.size(); ++g)
      result.gallery.push_back(prepared(shapes.gallery[g], text("gallery bone ", g)));
    result.pairs.resize(shapes.cases.size());
    std::vector<std::tuple<std::size_t, std::size_t, Laid*>> work;  // case, gallery bone, where it goes
    for (std::size_t c = 0; c < shapes.cases.size(); ++c)
      for (const std::int64_t g : shapes.cases[c].candidates)
        work.emplace_back(c, static_cast<std::size_t>(g), &result.pairs[c][g]);
    parallel_for(0, std::ssize(work), 1, [&](std::int64_t first, std::int64_t last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        const auto& [c, g, place] = work[i];
        *place = laid(result.gallery[g], result.truths[c], evidence.seed());
      }
    });
    return result;
  }

  static Outcome outcome(const Laid& laid, double diagonal) {
    return {laid.distance.rms, laid.distance.hausdorff, 100 * laid.distance.rms / diagonal};
  }

  /// The outcome of gallery bone `chosen`, with the number of candidates that would have been better.
  static Outcome choice(const Comparison& comparison, std::size_t which, std::int64_t chosen) {
    const auto& pairs = comparison.pairs[which];
    Outcome result = outcome(pairs.at(chosen), comparison.diagonal[which]);
    result.better = static_cast<double>(std::count_if(
        pairs.begin(), pairs.end(), [&](const auto& other) { return other.second.distance.rms < result.rms; }));
    return result;
  }

  /// One row an estimator, in the order of first answers; `answers` gets the alignment behind each outcome.
  [[nodiscard]] std::vector<Row> estimator_rows(const Evidence& evidence, const Comparison& comparison,
                                                std::vector<std::vector<Laid>>& answers) const {
    const auto& cases = evidence.shapes().cases;
    std::vector<Row> rows;
    for (std::size_t c = 0; c < cases.size(); ++c)
      for (const ShapeCase::Answer& answer : cases[c].answers) {
        auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == answer.estimator; });
        if (row == rows.end()) {
          rows.push_back({answer.estimator, false, std::vector<std::optional<Outcome>>(cases.size()), {}});
          answers.emplace_back(cases.size());
          row = rows.end() - 1;
        }
        Laid& place = answers[static_cast<std::size_t>(row - rows.begin())][c];
        if (answer.together.chosen) {
          const std::int64_t chosen = *answer.together.chosen;
          if (!comparison.pairs[c].contains(chosen))
            throw failure(text(answer.estimator, " chose gallery bone ", chosen, ", which is no candidate"));
          place = comparison.pairs[c].at(chosen);
          row->cases[c] = choice(comparison, c, chosen);
        } else {
          place = laid(prepared(answer.together.mesh, answer.estimator), comparison.truths[c], evidence.seed());
          row->cases[c] = outcome(place, comparison.diagonal[c]);
        }
      }
    return rows;
  }

  [[nodiscard]] std::vector<Row> baseline_rows(const Evidence& evidence, const Comparison& comparison) const {
    const ShapeEvidence& shapes = evidence.shapes();
    std::map<std::vector<std::int64_t>, ClosestPoints> means;  // by candidates: the cases of a fold have the same
    std::vector<Row> rows{{"mean shape", true, {}, {}},
                          {"nearest by length", true, {}, {}},
                          {"nearest by length and volume", true, {}, {}},
                          {"random bone", true, {}, "expectation over the gallery"},
                          {"best bone in the gallery (oracle)", true, {}, {}}};
    for (std::size_t c = 0; c < shapes.cases.size(); ++c) {
      const ShapeCase& one = shapes.cases[c];
      auto mean = means.find(one.candidates);
      if (mean == means.end()) mean = means.emplace(one.candidates, mean_of(one.candidates, shapes.gallery)).first;
      rows[0].cases.emplace_back(
          outcome(laid(mean->second, comparison.truths[c], evidence.seed()), comparison.diagonal[c]));
      rows[1].cases.emplace_back(choice(comparison, c, nearest_by({&length}, one, shapes.gallery)));
      rows[2].cases.emplace_back(choice(comparison, c, nearest_by({&length, &enclosed_volume}, one, shapes.gallery)));
      Outcome expected{0, 0, 0, 0};
      Outcome best{std::numeric_limits<double>::infinity()};
      for (const std::int64_t g : one.candidates) {
        const Outcome drawn = choice(comparison, c, g);
        const double share = 1 / static_cast<double>(one.candidates.size());
        expected.rms += share * drawn.rms;
        expected.hausdorff += share * drawn.hausdorff;
        expected.relative += share * drawn.relative;
        expected.better += share * drawn.better;
        if (drawn.rms < best.rms) best = drawn;
      }
      rows[3].cases.emplace_back(expected);
      rows[4].cases.emplace_back(best);
    }
    return rows;
  }

  static ClosestPoints mean_of(const std::vector<std::int64_t>& bones, const std::vector<Mesh>& gallery) {
    std::vector<Mesh> meshes;
    for (const std::int64_t g : bones) meshes.push_back(gallery[static_cast<std::size_t>(g)]);
    return ClosestPoints(open3d_support::mean_shape(meshes));
  }

  /// What scanning and iso-surfacing the true bone cost, where the source knows the surface that a CT was made from: no
  /// estimator that learns from such surfaces can be told from the truth below it.
  [[nodiscard]] std::optional<Row> floor_row(const Evidence& evidence, const Comparison& comparison) const {
    const auto& cases = evidence.shapes().cases;
    Row row{"iso-surface of its own CT (floor)", true, std::vector<std::optional<Outcome>>(cases.size()), {}};
    for (std::size_t c = 0; c < cases.size(); ++c)
      if (cases[c].made_from)
        row.cases[c] =
            outcome(laid(comparison.truths[c], prepared(*cases[c].made_from, "the surface that a CT was made from"),
                         evidence.seed()),
                    comparison.diagonal[c]);
    const bool known = std::ranges::any_of(row.cases, [](const auto& one) { return one.has_value(); });
    return known ? std::optional(std::move(row)) : std::nullopt;
  }

  /// Up to `pictures` cases of one estimator, evenly from its best to its worst.
  [[nodiscard]] std::vector<SurfacePair> surface_pairs(const Evidence& evidence, const Comparison& comparison,
                                                       const Row& row, const std::vector<Laid>& places) const {
    const auto& cases = evidence.shapes().cases;
    std::vector<std::size_t> order;
    for (std::size_t c = 0; c < cases.size(); ++c)
      if (row.cases[c]) order.push_back(c);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return row.cases[a]->rms < row.cases[b]->rms; });
    const std::size_t count = std::min(static_cast<std::size_t>(pictures_), order.size());
    std::vector<SurfacePair> pairs;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t rank = count == 1 ? order.size() / 2 : i * (order.size() - 1) / (count - 1);
      const std::size_t c = order[rank];
      const auto answer = std::find_if(cases[c].answers.begin(), cases[c].answers.end(),
                                       [&](const ShapeCase::Answer& a) { return a.estimator == row.name; });
      SurfacePair pair;
      pair.truth = cases[c].truth;
      pair.predicted = transformed(answer->together.mesh, places[c].onto_truth);
      pair.distance = open3d_support::vertex_distances(pair.predicted, comparison.truths[c]);
      char rms[32];
      std::snprintf(rms, sizeof rms, "%.2f", row.cases[c]->rms);
      pair.caption = text(bone_of(evidence, cases[c].bone).id, ", ", row.name, ": ", rms, " mm RMS, rank ", rank + 1,
                          " of ", order.size(), " held-out bones");
      pairs.push_back(std::move(pair));
    }
    return pairs;
  }

  std::int64_t samples_, pictures_;
};

}  // namespace

OSTEON_PLUGIN(metric, shape_error, "0.1.0", ShapeError)

}  // namespace osteon
