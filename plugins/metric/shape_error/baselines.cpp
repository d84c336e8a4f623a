// The rows that no X-ray is needed for, and the bounds.

#include "rows.hpp"

#include <osteon/error.hpp>
#include <osteon/memo.hpp>
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

/// The mean shape, kept: it takes seconds, and every point of a sweep over methods has the same gallery.
Mesh known_mean(const std::vector<Mesh>& meshes) {
  std::string name = "mean shape of";
  for (const Mesh& mesh : meshes) name += " " + open3d_support::digest_of(mesh);
  std::optional<Mesh> made;
  const auto mean = [&]() -> const Mesh& {
    if (!made) made = open3d_support::mean_shape(meshes);
    return *made;
  };
  const at::Tensor vertices = memoised(name + ", vertices", [&] { return mean().vertices; });
  return {vertices, memoised(name + ", triangles", [&] { return mean().triangles; })};
}

/// The mean shapes of the candidates; the cases of a fold have the same.
class MeanShapes {
 public:
  const ClosestPoints& of(const std::vector<std::int64_t>& bones, const std::vector<Mesh>& gallery) {
    if (const auto known = means_.find(bones); known != means_.end()) return known->second;
    std::vector<Mesh> meshes;
    for (const std::int64_t g : bones) meshes.push_back(gallery[static_cast<std::size_t>(g)]);
    return means_.emplace(bones, ClosestPoints(known_mean(meshes))).first->second;
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

/// Surfaces that are laid onto the truth for a row of their own.
struct Surfaces {
  const ClosestPoints* mean = nullptr;  ///< of the candidates
  ClosestPoints scaled_mean;            ///< to the true length
  const ClosestPoints* opposite = nullptr;
  /// What the CT was made from: what scanning and iso-surfacing the bone cost. No estimator that learns from such
  /// surfaces can be told from the truth below it.
  std::optional<ClosestPoints> floor;
};

Surfaces surfaces_of(std::size_t c, MeanShapes& means, const Comparison& comparison) {
  const ShapeCase& one = comparison.cases()[c];
  const ClosestPoints& mean = means.of(one.candidates, comparison.shapes().gallery);
  Surfaces surfaces{
      &mean, scaled(mean.mesh(), length(one.truth) / length(mean.mesh())), opposite_of(c, comparison), {}};
  if (one.made_from) surfaces.floor = prepared(*one.made_from, "the surface that a CT was made from");
  return surfaces;
}

enum Place { mean_row, scaled_row, length_row, two_row, random_row, opposite_row, oracle_row, floor_row };
constexpr std::array kNames = {kMeanRow,   kScaledMeanRow, kLengthRow, kTwoScalarsRow,
                               kRandomRow, kOppositeRow,   kOracleRow, kFloorRow};
constexpr std::array kLaidRows = {mean_row, scaled_row, opposite_row, floor_row};  // the others are gallery bones

/// What is laid for the rows with surfaces of their own.
void fill_laid(std::vector<Row>& rows, const std::vector<Surfaces>& surfaces, const Comparison& comparison) {
  std::vector<Comparison::Known> known;
  for (std::size_t c = 0; c < surfaces.size(); ++c) {
    const Surfaces& own = surfaces[c];
    for (const ClosestPoints* one : {own.mean, &own.scaled_mean, own.opposite, own.floor ? &*own.floor : nullptr})
      known.push_back({c, one});
  }
  const std::vector<Laid> laid = comparison.lay_known(known, true);
  for (std::size_t i = 0; i < known.size(); ++i) {
    const std::size_t c = known[i].which;
    const Place row = kLaidRows[i % kLaidRows.size()];
    if (known[i].surface != nullptr) rows[row].cases[c] = outcome(laid[i], comparison, c);
  }
  for (auto& floor : rows[floor_row].cases)
    if (floor) floor->better = std::numeric_limits<double>::quiet_NaN();
}

/// The rows that are gallery bones.
void fill_chosen(std::vector<Row>& rows, std::size_t c, Comparison& comparison) {
  const ShapeCase& one = comparison.cases()[c];
  const auto& gallery = comparison.shapes().gallery;
  rows[length_row].cases[c] = choice(comparison, c, nearest_by({&length}, one, gallery));
  rows[two_row].cases[c] = choice(comparison, c, nearest_by({&length, &enclosed_volume}, one, gallery));
  std::tie(rows[random_row].cases[c].emplace(), rows[oracle_row].cases[c].emplace()) = random_and_best(comparison, c);
}

}  // namespace

std::vector<Row> baseline_rows(Comparison& comparison) {
  const std::size_t count = comparison.cases().size();
  MeanShapes means;
  std::vector<Surfaces> surfaces;
  for (std::size_t c = 0; c < count; ++c) surfaces.push_back(surfaces_of(c, means, comparison));
  std::vector<Row> rows;
  for (const char* name : kNames) rows.push_back({name, true, std::vector<std::optional<Outcome>>(count), {}, {}});
  rows[random_row].note = "expectation over the gallery";
  rows[opposite_row].note = "no candidate";
  fill_laid(rows, surfaces, comparison);
  parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto c = static_cast<std::size_t>(first); c < static_cast<std::size_t>(last); ++c)
      fill_chosen(rows, c, comparison);
  });
  std::erase_if(rows, [](const Row& row) {
    return std::ranges::none_of(row.cases, [](const auto& one) { return one.has_value(); });
  });
  return rows;
}

}  // namespace osteon::shape_error
