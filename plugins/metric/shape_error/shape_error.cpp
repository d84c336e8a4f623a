// metric/shape_error: how far the predicted surfaces lie from the true ones, beside what no X-ray is needed for.
//
// Every surface is laid onto the true one by a rotation and a translation ("rigid alignment"), never scaled or
// mirrored; then the symmetric RMS (root of the mean of both directed mean squares, point to triangle, area-uniform
// samples each way), the mean distance (of both directed means), HD95 (the larger of both directed 95th percentiles),
// the Hausdorff distance over samples and vertices, the RMS in per cent of the true bone's bounding-box diagonal, and
// how many gallery bones would have been better than the answer. Means and standard deviations over bones; 95 %
// intervals by resampling people where at least 12 of them were held out. The worst case is named.
//
// A method has up to three rows: its answer from all X-ray pairs of a bone; "one pair", the mean over its answers from
// each pair; and "its 3D ceiling", the nearest that its model comes to the true surface. Beside the methods stand: the
// mean shape of the gallery, and the same scaled by the ratio of lengths; the gallery bone nearest in length (extent
// along z of the bone's own frame); nearest in length and enclosed volume, each in units of the gallery's standard
// deviation; a random gallery bone (its expectation); the same person's other femur, though it is no candidate; the
// best bone in the gallery, which no method that picks one can beat; and the floor. The procedure is the study's ("RMS
// and Hausdorff between aligned meshes"); the rows beside it are the project's rules of evidence.
//
// More tables: differences of RMS, bone by bone, to the bone nearest by length and volume and to the best one (a method
// that picks bones and is not better than the former is "no better than two scalars": the interval's upper end, or
// below 12 people the mean, is not below 0); RMS of each bone; RMS of the true surface's samples by region; and the RMS
// that a method expects beside the real one. Regions, in the bone's own frame: of the extent along z the distal 15 %
// are the condyles, the proximal 20 % the head (within 1.1 radii of its sphere's centre) and the neck with the
// trochanters, the rest is the shaft.
//
// Parameters
//   samples   points each way of a surface distance (default 100000, at least 1000)
//   pictures  bones whose true and predicted surfaces go into the report, from the best to the worst, of the first
//             method and of each that deforms (default 3)
//
//     [metric.shape_error]
//     plugin   = "shape_error"
//     samples  = 100000
//     pictures = 3

#include "pictures.hpp"
#include "tables.hpp"

#include <algorithm>

namespace osteon {

namespace {

using namespace shape_error;

class ShapeError : public Metric {
 public:
  static Schema schema() {
    return {
        "Distance between predicted and true surfaces after rigid alignment, beside mean shape, length and oracle.",
        {Parameter::integer("samples", 100'000, "Points each way of a surface distance.")
             .at_least(1000)
             .at_most(10'000'000),
         Parameter::integer("pictures", 3,
                            "Bones whose true and predicted surfaces go into the report, of the first method and of "
                            "each that deforms.")
             .at_least(0)
             .at_most(100)}};
  }

  explicit ShapeError(const Parameters& parameters)
      : samples_(parameters.integer("samples")), pictures_(parameters.integer("pictures")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::meshes}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const auto& cases = evidence.shapes().cases;
    if (cases.empty()) return {undefined("no bone was held out"), {}, {}, {}};
    if (std::ranges::any_of(cases, [](const ShapeCase& one) { return one.candidates.empty(); }))
      return {undefined("the gallery has no bones"), {}, {}, {}};
    Comparison comparison(evidence, samples_);
    const std::vector<Method> methods = measured_methods(comparison);
    std::vector<Row> rows;
    for (const Method& method : methods) std::ranges::move(method_rows(method, comparison), std::back_inserter(rows));
    std::ranges::move(baseline_rows(comparison), std::back_inserter(rows));
    MetricResult result;
    result.values = all_tables(rows, methods, setting_of(comparison));
    for (const Method& method : methods)
      if (method.deforms || &method == &methods.front())
        std::ranges::move(shape_error::pictures(method, comparison, pictures_), std::back_inserter(result.surfaces));
    return result;
  }

 private:
  static std::vector<MetricValue> all_tables(std::vector<Row>& rows, const std::vector<Method>& methods,
                                             const Setting& setting) {
    give_verdicts(rows, methods, setting);
    std::vector<MetricValue> values = figures(rows, setting);
    for (auto& table :
         {differences(rows, setting), regions(rows, setting), estimates(methods), bones(rows, methods, setting)})
      values.insert(values.end(), table.begin(), table.end());
    return values;
  }

  std::int64_t samples_, pictures_;
};

}  // namespace

OSTEON_PLUGIN(metric, shape_error, "0.1.0", ShapeError)

}  // namespace osteon
