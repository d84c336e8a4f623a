// The rows that no X-ray is needed for, and the bounds.

#include "rows.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace osteon::shape_error {

namespace {

double length(const Mesh& mesh) {
  const Box box = bounding_box(mesh);
  return box.high.z - box.low.z;
}

double deviation_of_all(const std::vector<double>& values) {
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
    const double spread = deviation_of_all(known) > 0 ? deviation_of_all(known) : 1;
    for (std::size_t g = 0; g < known.size(); ++g) squares[g] += std::pow((property(one.truth) - known[g]) / spread, 2);
  }
  return one.candidates[static_cast<std::size_t>(std::ranges::min_element(squares) - squares.begin())];
}

Outcome choice(Comparison& comparison, std::size_t c, std::int64_t chosen) {
  return outcome(comparison.candidate(c, chosen), comparison, c);
}

Outcome placed(const ClosestPoints& surface, Comparison& comparison, std::size_t c) {
  Laid laid = comparison.lay(surface, c);
  laid.regions = comparison.regions(surface, laid.onto_truth, c);
  return outcome(laid, comparison, c);
}

/// The mean shapes of the candidates; the cases of a fold have the same.
class MeanShapes {
 public:
  const ClosestPoints& of(const std::vector<std::int64_t>& bones, const std::vector<Mesh>& gallery) {
    if (const auto known = means_.find(bones); known != means_.end()) return known->second;
    std::vector<Mesh> meshes;
    for (const std::int64_t g : bones) meshes.push_back(gallery[static_cast<std::size_t>(g)]);
    return means_.emplace(bones, ClosestPoints(open3d_support::mean_shape(meshes))).first->second;
  }

 private:
  std::map<std::vector<std::int64_t>, ClosestPoints> means_;
};

ClosestPoints scaled(const Mesh& mesh, double factor) {
  Affine map;
  for (Vec3& column : map.linear.column) column = column * factor;
  return ClosestPoints(transformed(mesh, map));
}

std::pair<Outcome, Outcome> random_and_best(Comparison& comparison, std::size_t c) {
  std::vector<Outcome> drawn;
  for (const auto& [g, laid] : comparison.candidates(c)) drawn.push_back(outcome(laid, comparison, c));
  const auto& pairs = comparison.candidates(c);
  const auto best = std::ranges::min_element(pairs, {}, [](const auto& pair) { return pair.second.distance.rms; });
  return {mean_outcome(drawn), choice(comparison, c, best->first)};
}

/// The other side of the person, whether it was known in some fold or held out with this one.
const ClosestPoints* opposite_of(std::size_t c, const Comparison& comparison) {
  const EvidenceBone& own = comparison.bone_of_case(c);
  const auto is_opposite = [&](const EvidenceBone& other) {
    return other.subject == own.subject && own.side != Side::unknown && other.side != Side::unknown &&
           other.side != own.side;
  };
  const auto& known = comparison.shapes().gallery_bones;
  for (std::size_t g = 0; g < known.size(); ++g)
    if (is_opposite(comparison.bone(known[g]))) return &comparison.gallery(static_cast<std::int64_t>(g));
  for (std::size_t other = 0; other < comparison.cases().size(); ++other)
    if (is_opposite(comparison.bone_of_case(other))) return &comparison.truth(other);
  return nullptr;
}

/// What scanning and iso-surfacing the true bone cost: no estimator that learns from such surfaces can be told from the
/// truth below it.
std::optional<Outcome> floor_of(std::size_t c, const Comparison& comparison) {
  const auto& bone = comparison.cases()[c].made_from;
  if (!bone) return std::nullopt;
  const ClosestPoints made_from = prepared(*bone, "the surface that a CT was made from");
  Outcome result = outcome(comparison.lay(made_from, c), comparison, c);
  result.better = std::numeric_limits<double>::quiet_NaN();
  return result;
}

enum Place { mean_row, scaled_row, length_row, two_row, random_row, opposite_row, oracle_row, floor_row };
constexpr std::array kNames = {kMeanRow,   kScaledMeanRow, kLengthRow, kTwoScalarsRow,
                               kRandomRow, kOppositeRow,   kOracleRow, kFloorRow};

/// What every row, in the order of their places, is worth on one case.
void fill(std::vector<Row>& rows, std::size_t c, const ClosestPoints& mean, Comparison& comparison) {
  const ShapeCase& one = comparison.cases()[c];
  const auto& gallery = comparison.shapes().gallery;
  rows[mean_row].cases[c] = placed(mean, comparison, c);
  rows[scaled_row].cases[c] = placed(scaled(mean.mesh(), length(one.truth) / length(mean.mesh())), comparison, c);
  rows[length_row].cases[c] = choice(comparison, c, nearest_by({&length}, one, gallery));
  rows[two_row].cases[c] = choice(comparison, c, nearest_by({&length, &enclosed_volume}, one, gallery));
  std::tie(rows[random_row].cases[c].emplace(), rows[oracle_row].cases[c].emplace()) = random_and_best(comparison, c);
  if (const ClosestPoints* other = opposite_of(c, comparison))
    rows[opposite_row].cases[c] = placed(*other, comparison, c);
  rows[floor_row].cases[c] = floor_of(c, comparison);
}

}  // namespace

std::vector<Row> baseline_rows(Comparison& comparison) {
  const std::size_t count = comparison.cases().size();
  MeanShapes means;
  std::vector<const ClosestPoints*> mean;
  for (const ShapeCase& one : comparison.cases())
    mean.push_back(&means.of(one.candidates, comparison.shapes().gallery));
  std::vector<Row> rows;
  for (const char* name : kNames) rows.push_back({name, true, std::vector<std::optional<Outcome>>(count), {}, {}});
  rows[random_row].note = "expectation over the gallery";
  rows[opposite_row].note = "no candidate";
  parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto c = static_cast<std::size_t>(first); c < static_cast<std::size_t>(last); ++c)
      fill(rows, c, *mean[c], comparison);
  });
  std::erase_if(rows, [](const Row& row) {
    return std::ranges::none_of(row.cases, [](const auto& one) { return one.has_value(); });
  });
  return rows;
}

}  // namespace osteon::shape_error
