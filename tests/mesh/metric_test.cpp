// metric/surface_distance, loaded through the host, on evidence whose figures are known.

#include "host/handles.hpp"
#include "plain_distance.hpp"
#include "shape/solids.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;
using Contents = Evidence::Contents;

const std::string kRigid = "surface distance, rigid alignment", kNone = "surface distance, no alignment";
const std::string kRelative = ", % of the true bone's diagonal";

MetricResult measured(const Contents& contents, Given given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("metric", "surface_distance");
  given.try_emplace("samples", std::int64_t{5000});
  return host::MetricHandle(plugin, Parameters(plugin.schema, given)).evaluate(contents);
}

ShapeCase::Answer answer(const std::string& estimator, const Mesh& mesh) {
  ShapeCase::Answer result;
  result.estimator = estimator;
  result.together.mesh = mesh;
  return result;
}

/// A bone for each pair of surfaces, "h0", "h1", …, answered by "guess".
Contents evidence_of(const std::vector<std::pair<Mesh, Mesh>>& pairs) {
  Contents contents;
  for (const auto& [truth, prediction] : pairs) {
    ShapeCase one;
    one.bone = std::ssize(contents.bones);
    one.truth = truth;
    one.answers = {answer("guess", prediction)};
    contents.bones.push_back({text("h", one.bone), "person", Side::right, true});
    contents.shapes.cases.push_back(one);
  }
  return contents;
}

const MetricValue& value(const MetricResult& result, const std::string& table, const std::string& row,
                         const std::string& column) {
  for (const MetricValue& one : result.values)
    if (one.table == table && one.row == row && one.column == column) return one;
  throw Error(text("no figure in table ", table, ", row ", row, ", column ", column));
}

double figure(const MetricResult& result, const std::string& table, const std::string& row, const std::string& column) {
  return value(result, table, row, column).value;
}

constexpr const char* kRows[] = {"h0 ↔ guess", "h0 → guess", "guess → h0"};
constexpr const char* kColumns[] = {"RMS", "mean", "HD95", "Hausdorff"};

TEST(SurfaceDistanceMetric, OfConcentricSpheresIsTheDifferenceOfTheirRadiiInEveryFigure) {
  const MetricResult result = measured(evidence_of({{solids::sphere(50), solids::sphere(53)}}));
  EXPECT_EQ(result.values.size(), 24U);
  for (const char* row : kRows)
    for (const char* column : kColumns) {
      const MetricValue& mm = value(result, kRigid, row, column);
      EXPECT_NEAR(mm.value, 3, 0.05) << row << column;
      EXPECT_EQ(mm.unit, "mm");
      EXPECT_FALSE(mm.larger_is_better);
      EXPECT_EQ(mm.count, 1);
      EXPECT_EQ(mm.counted, "bones");
      const MetricValue& share = value(result, kRigid + kRelative, row, column);
      EXPECT_NEAR(share.value, 100 * 3 / (100 * std::sqrt(3)), 0.03) << row << column;
      EXPECT_EQ(share.unit, "%");
    }
}

TEST(SurfaceDistanceMetric, TellsTheDirectionsApart) {
  // Every point of the small square lies 1 mm below the large one, whose corners are far from it.
  const MetricResult result = measured(evidence_of({{solids::square(100, 1), solids::square(40, 0)}}),
                                       {{"alignment", std::string("none")}, {"samples", std::int64_t{50'000}}});
  const double corner = std::sqrt(30 * 30 + 30 * 30 + 1);
  EXPECT_NEAR(figure(result, kNone, "guess → h0", "RMS"), 1, 1e-6);
  EXPECT_NEAR(figure(result, kNone, "guess → h0", "Hausdorff"), 1, 1e-6);
  EXPECT_NEAR(figure(result, kNone, "h0 → guess", "Hausdorff"), corner, 1e-4);
  EXPECT_NEAR(figure(result, kNone, "h0 ↔ guess", "Hausdorff"), corner, 1e-4);
  const double there = figure(result, kNone, "h0 → guess", "RMS");
  EXPECT_NEAR(figure(result, kNone, "h0 ↔ guess", "RMS"), std::sqrt((there * there + 1) / 2), 1e-6);
  EXPECT_NEAR(figure(result, kNone, "h0 ↔ guess", "mean"), (figure(result, kNone, "h0 → guess", "mean") + 1) / 2, 1e-6);
  EXPECT_DOUBLE_EQ(figure(result, kNone, "h0 ↔ guess", "HD95"), figure(result, kNone, "h0 → guess", "HD95"));
}

TEST(SurfaceDistanceMetric, AlignmentRemovesMotionAndSimilarityRemovesSizeToo) {
  const Mesh bone = solids::bone();
  const Affine motion{rotation(normalised({1, 2, 3}), 0.5), {20, -30, 15}};
  Mat3 grown = motion.linear;
  for (Vec3& column : grown.column) column = column * 1.25;
  const auto rms = [&](const Affine& map, const char* alignment, const std::string& table) {
    return figure(measured(evidence_of({{bone, transformed(bone, map)}}), {{"alignment", std::string(alignment)}}),
                  "surface distance, " + table, "h0 ↔ guess", "RMS");
  };
  EXPECT_GT(rms(motion, "none", "no alignment"), 10);
  EXPECT_LT(rms(motion, "rigid", "rigid alignment"), 0.01);
  EXPECT_GT(rms({grown, motion.offset}, "rigid", "rigid alignment"), 5);
  EXPECT_LT(rms({grown, motion.offset}, "similarity", "similarity alignment (size removed)"), 0.01);
  const MetricResult sized = measured(evidence_of({{bone, transformed(bone, {grown, motion.offset})}}),
                                      {{"alignment", std::string("similarity")}});
  EXPECT_EQ(sized.values.front().note, "scaled by 0.8000");
}

TEST(SurfaceDistanceMetric, OfVerticesAgreesWithAPlainLoopInFloat64) {
  const Mesh truth = solids::ellipsoid({20, 30, 60}, 12, 16, {400, -300, 900});
  const Mesh guess = solids::ellipsoid({22, 27, 64}, 10, 20, {401, -302, 897});
  const MetricResult result = measured(evidence_of({{truth, guess}}),
                                       {{"alignment", std::string("none")}, {"sampling", std::string("vertices")}});
  const auto mean = [](const std::vector<double>& distances) {
    double sum = 0;
    for (const double d : distances) sum += d / static_cast<double>(distances.size());
    return sum;
  };
  const auto there = test::plain_distances(truth, guess), back = test::plain_distances(guess, truth);
  EXPECT_NEAR(figure(result, kNone, "h0 → guess", "mean"), mean(there), 1e-4);
  EXPECT_NEAR(figure(result, kNone, "guess → h0", "mean"), mean(back), 1e-4);
  EXPECT_NEAR(figure(result, kNone, "h0 → guess", "Hausdorff"), std::ranges::max(there), 1e-4);
  EXPECT_NEAR(figure(result, kNone, "guess → h0", "Hausdorff"), std::ranges::max(back), 1e-4);
}

TEST(SurfaceDistanceMetric, SamplesAndSeedChangeWhatIsDrawnAndNothingIsDrawnOfVertices) {
  const Contents contents = evidence_of({{solids::bone(400), solids::bone(380)}});
  const auto rms = [&](std::int64_t samples, std::int64_t seed, const char* sampling) {
    return figure(measured(contents, {{"samples", samples}, {"seed", seed}, {"sampling", std::string(sampling)}}),
                  kRigid, "h0 ↔ guess", "RMS");
  };
  EXPECT_EQ(rms(1000, 0, "area"), rms(1000, 0, "area"));
  EXPECT_NE(rms(1000, 0, "area"), rms(1001, 0, "area"));
  EXPECT_NE(rms(1000, 0, "area"), rms(1000, 1, "area"));
  EXPECT_NEAR(rms(1000, 0, "area"), rms(100'000, 0, "area"), 0.1);
  EXPECT_EQ(rms(1000, 0, "vertices"), rms(2000, 1, "vertices"));
}

TEST(SurfaceDistanceMetric, MeansOverBonesStandBeforeTheRowsOfEach) {
  const auto ball = [](double radius) { return solids::sphere(radius, 60, 90); };
  Contents contents = evidence_of({{ball(50), ball(53)}, {ball(60), ball(61)}});
  contents.shapes.cases[1].answers.push_back(answer("other", ball(64)));
  const MetricResult result = measured(contents);
  EXPECT_EQ(result.values.front().row, "truth ↔ guess");
  EXPECT_NEAR(figure(result, kRigid, "truth ↔ guess", "RMS"), 2, 0.05);
  EXPECT_EQ(value(result, kRigid, "truth ↔ guess", "RMS").count, 2);
  EXPECT_NEAR(figure(result, kRigid, "other → truth", "Hausdorff"), 4, 0.1);
  EXPECT_EQ(value(result, kRigid, "other → truth", "Hausdorff").count, 1);
  EXPECT_NEAR(figure(result, kRigid + ", each bone", "h0 ↔ guess", "RMS"), 3, 0.05);
  EXPECT_NEAR(figure(result, kRigid + ", each bone", "h1 ↔ guess", "RMS"), 1, 0.05);
  EXPECT_NEAR(figure(result, kRigid + kRelative, "truth ↔ guess", "mean"),
              50 * (3 / (100 * std::sqrt(3)) + 1 / (120 * std::sqrt(3))), 0.03);
  const MetricResult means = measured(contents, {{"each_bone", false}});
  for (const MetricValue& one : means.values) EXPECT_EQ(one.table.find("each bone"), std::string::npos) << one.table;
  EXPECT_EQ(means.values.size(), 48U);  // two estimators, three rows, four columns, mm and %
}

TEST(SurfaceDistanceMetric, PicturesShowTheFarthestApartFirst) {
  const auto ball = [](double radius) { return solids::sphere(radius, 40, 60); };
  const Mesh aside = transformed(ball(65), {Mat3{}, {40, 0, 0}});
  const Contents contents = evidence_of({{ball(50), ball(53)}, {ball(60), aside}, {ball(50), ball(51)}});
  const MetricResult result = measured(contents, {{"pictures", std::int64_t{2}}});
  ASSERT_EQ(result.surfaces.size(), 2U);
  EXPECT_EQ(result.surfaces[0].caption.substr(0, 10), "h1, guess:");
  EXPECT_EQ(result.surfaces[1].caption.substr(0, 10), "h0, guess:");
  EXPECT_NEAR(result.surfaces[0].distance.mean().item<double>(), 5, 0.1);  // laid onto the truth, aside before
  EXPECT_EQ(result.surfaces[0].distance.size(0), aside.vertices.size(0));
  EXPECT_TRUE(measured(contents, {{"pictures", std::int64_t{0}}}).surfaces.empty());
}

TEST(SurfaceDistanceMetric, SaysWhatIsUndefinedAndWhoseSurfaceIsUnsound) {
  const MetricResult none = measured(evidence_of({}));
  ASSERT_EQ(none.values.size(), 1U);
  EXPECT_TRUE(std::isnan(none.values[0].value));
  EXPECT_EQ(none.values[0].note, "no bone was held out and predicted");
  Contents contents = evidence_of({{solids::sphere(50), solids::sphere(50)}});
  contents.shapes.cases[0].answers[0].together.mesh.triangles = at::empty({0, 3}, at::kInt);
  try {
    static_cast<void>(measured(contents));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "metric/surface_distance: guess for bone h0: the mesh has no triangles");
  }
}

}  // namespace
}  // namespace osteon
