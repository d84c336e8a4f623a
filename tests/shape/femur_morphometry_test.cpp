// metric/femur_morphometry, loaded through the host, on artificial femurs whose measures are known.

#include "evidence.hpp"
#include "femurs.hpp"
#include "people.hpp"

#include <gtest/gtest.h>

namespace osteon {
namespace {

constexpr const char* kTable = "femur morphometry, mean absolute difference";
constexpr const char* kTrueTable = "femur morphometry, the true bones";

MetricResult femur_measures(const Contents& contents) {
  return made<host::MetricHandle>("metric", "femur_morphometry", {}).evaluate(contents);
}

TEST(FemurMorphometry, IsTheDifferenceOfWhatBothBonesMeasure) {
  const solids::FemurForm known{.neck_shaft = 125, .anteversion = 10};
  Contents contents = evidence_of({solids::femur(known)}, {solids::femur({.neck_shaft = 128, .anteversion = 15}),
                                                           solids::femur({.neck_shaft = 124, .anteversion = 12})});
  for (ShapeCase& one : contents.shapes.cases) one.answers = {chosen("nearest", contents, 0)};
  const MetricResult result = femur_measures(contents);
  EXPECT_NEAR(figure(result, "nearest", "neck–shaft angle", kTable), (3 + 1) / 2.0, 0.4);
  EXPECT_NEAR(figure(result, "nearest", "anteversion", kTable), (5 + 2) / 2.0, 0.4);
  EXPECT_NEAR(figure(result, "nearest", "head radius", kTable), 0, 0.1);
  EXPECT_EQ(find(result, "nearest", "neck–shaft angle", kTable)->unit, "°");
  EXPECT_EQ(find(result, "nearest", "head radius", kTable)->unit, "mm");
  EXPECT_EQ(find(result, "nearest", "anteversion", kTable)->count, 2);
  EXPECT_FALSE(find(result, "nearest", "anteversion", kTable)->is_baseline);
  EXPECT_FALSE(find(result, "nearest", "anteversion", kTable)->interval.has_value());
  EXPECT_NEAR(test::mean_over_people(*find(result, "nearest", "anteversion", kTable)),
              figure(result, "nearest", "anteversion", kTable), 1e-9);
  // One known bone: its measures are the gallery's mean, and its surface is the mean shape.
  EXPECT_NEAR(figure(result, "mean of the gallery's measures", "anteversion", kTable),
              figure(result, "nearest", "anteversion", kTable), 1e-6);
  EXPECT_EQ(find(result, "mean of the gallery's measures", "head centre", kTable), nullptr);
  EXPECT_NEAR(figure(result, "mean shape", "anteversion", kTable), (5 + 2) / 2.0, 1);
  EXPECT_TRUE(find(result, "mean shape", "anteversion", kTable)->is_baseline);
}

TEST(FemurMorphometry, CentresAreComparedWhereTheBoneIsLaidOntoTheTruth) {
  const Mesh truth = solids::femur();
  Contents contents = evidence_of({solids::femur({.length = 400})}, {truth});
  const Mesh moved = transformed(truth, {rotation({0, 0, 1}, radians(8)), {20, -5, 3}});
  contents.shapes.cases[0].answers = {free_answer("moved", moved),
                                      free_answer("larger head", solids::femur({.head_radius = 26}))};
  const MetricResult result = femur_measures(contents);
  EXPECT_LT(figure(result, "moved", "head centre", kTable), 0.1);
  EXPECT_LT(figure(result, "moved", "anteversion", kTable), 0.1);
  EXPECT_NEAR(figure(result, "larger head", "head radius", kTable), 2, 0.2);
  EXPECT_LT(figure(result, "larger head", "head centre", kTable), 0.5);
  EXPECT_NEAR(figure(result, "larger head", "length", kTable), 2, 0.2);
  EXPECT_GT(figure(result, "mean shape", "head centre", kTable), 4);  // 20 mm shorter, laid onto the middle
}

TEST(FemurMorphometry, OnePairAndTheCeilingHaveRowsOfTheirOwn) {
  const auto with_head = [](double radius) { return solids::femur({.head_radius = radius}); };
  Contents contents = evidence_of({with_head(24)}, {with_head(22)});
  ShapeCase::Answer answer = free_answer("a", with_head(23));
  answer.alone = {free_answer("a", with_head(24)).together, free_answer("a", with_head(26)).together};
  answer.ceiling = with_head(22.5);
  contents.shapes.cases[0].answers = {answer};
  const MetricResult result = femur_measures(contents);
  EXPECT_NEAR(figure(result, "a", "head radius", kTable), 1, 0.15);
  EXPECT_NEAR(figure(result, "a, one pair", "head radius", kTable), (2 + 4) / 2.0, 0.15);
  EXPECT_NEAR(figure(result, "a, its 3D ceiling", "head radius", kTable), 0.5, 0.15);
  EXPECT_TRUE(find(result, "a, its 3D ceiling", "head radius", kTable)->is_baseline);
  EXPECT_FALSE(find(result, "a, one pair", "head radius", kTable)->is_baseline);
  EXPECT_EQ(find(result, "a, one pair", "head radius", kTable)->count, 1);
}

TEST(FemurMorphometry, SaysHowOftenTheTrueMeasureLiesInItsInterval) {
  constexpr const char* kInside = "femur morphometry, true measure inside the 90 % interval";
  constexpr const char* kWidth = "femur morphometry, half the width of the 90 % interval";
  Contents contents = evidence_of({solids::femur()}, {solids::femur({.neck_shaft = 127}), solids::femur()});
  const auto answer = [](double neck_shaft) {
    ShapeCase::Answer result = free_answer("a", solids::femur({.neck_shaft = neck_shaft}));
    for (const double off : {-3.0, -2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 3.0})
      result.together.draws.push_back(solids::femur({.neck_shaft = neck_shaft + off}));
    return result;
  };
  // Standard deviation 2, Student's quantile for 8 draws 1.895: 127 lies within 3.8 of 125, 125 not of 132.
  contents.shapes.cases[0].answers = {answer(125)};
  contents.shapes.cases[1].answers = {answer(132)};
  const MetricResult result = femur_measures(contents);
  EXPECT_NEAR(figure(result, "a", "neck–shaft angle", kWidth), 1.895 * 2, 0.4);
  EXPECT_NEAR(figure(result, "a", "neck–shaft angle", kInside), 50, 1e-9);
  EXPECT_EQ(find(result, "a", "neck–shaft angle", kInside)->count, 2);
  EXPECT_EQ(find(result, "a", "neck–shaft angle", kInside)->counted, "bones");
  EXPECT_EQ(find(result, "a", "head centre", kInside), nullptr);
  contents.shapes.cases[0].answers[0].together.draws.resize(3);
  contents.shapes.cases[1].answers[0].together.draws.clear();
  EXPECT_EQ(find(femur_measures(contents), "a", "neck–shaft angle", kInside), nullptr)
      << "three surfaces are no spread";
}

TEST(FemurMorphometry, CountsWhatCannotBeFoundInsteadOfCallingItZero) {
  const Mesh rod = solids::rod({0, 0, 200}, {0, 0, -200}, 14);
  Contents contents = evidence_of({solids::femur()}, {solids::femur(), solids::femur({.length = 430})});
  contents.shapes.cases[0].answers = {free_answer("a", rod), free_answer("b", rod)};
  contents.shapes.cases[1].answers = {free_answer("a", solids::femur()), free_answer("b", rod)};
  const MetricResult result = femur_measures(contents);
  const MetricValue* some = find(result, "a", "anteversion", kTable);
  EXPECT_EQ(some->count, 1);
  EXPECT_NEAR(some->value, 0, 0.1);
  EXPECT_EQ(some->note, "not found in 1 of 2 predicted or true bones");
  const MetricValue* none = find(result, "b", "head centre", kTable);
  EXPECT_EQ(none->count, 0);
  EXPECT_TRUE(std::isnan(none->value));
  EXPECT_EQ(none->note, "not found in 2 of 2 predicted or true bones");
  EXPECT_EQ(find(result, "b", "length", kTable)->note, "");
}

TEST(FemurMorphometry, SaysWhatTheTrueBonesMeasure) {
  const Contents contents =
      evidence_of({solids::femur()}, {solids::femur({.neck_shaft = 120}), solids::femur({.neck_shaft = 130})});
  const MetricResult result = femur_measures(contents);
  EXPECT_NEAR(figure(result, "mean", "neck–shaft angle", kTrueTable), 125, 0.5);
  EXPECT_NEAR(figure(result, "standard deviation", "neck–shaft angle", kTrueTable), std::sqrt(50), 0.5);
  EXPECT_NEAR(figure(result, "mean", "head radius", kTrueTable), 24, 0.2);
  const MetricResult one = femur_measures(evidence_of({solids::femur()}, {solids::rod({0, 0, 200}, {0, 0, -200}, 14)}));
  EXPECT_EQ(find(one, "mean", "neck–shaft angle", kTrueTable)->note, "not found in any true bone");
  EXPECT_EQ(find(one, "standard deviation", "length", kTrueTable)->note, "fewer than two true bones");
}

TEST(FemurMorphometry, HasIntervalsFromTwelvePeopleOn) {
  Contents contents = evidence_of({}, std::vector<Mesh>(12, solids::femur()));
  for (std::size_t c = 0; c < 12; ++c)
    contents.shapes.cases[c].answers = {free_answer("a", solids::femur({.head_radius = c % 2 == 0 ? 25.0 : 26.0}))};
  const MetricResult result = femur_measures(contents);
  const auto& bounds = find(result, "a", "head radius", kTable)->interval;
  ASSERT_TRUE(bounds.has_value());
  // Standard error 0.5 / √12 = 0.144, times 1.96.
  EXPECT_NEAR(bounds->first, 1.5 - 0.28, 0.1);
  EXPECT_NEAR(bounds->second, 1.5 + 0.28, 0.1);
}

TEST(FemurMorphometry, IsUndefinedWithoutHeldOutBones) {
  const MetricResult none = femur_measures(evidence_of({solids::femur()}, {}));
  ASSERT_EQ(none.values.size(), 1U);
  EXPECT_TRUE(std::isnan(none.values[0].value));
  EXPECT_EQ(none.values[0].note, "no bone was held out");
}

TEST(FemurMorphometry, NamesTheBoneWhoseSurfaceIsUnsound) {
  const Mesh empty{solids::femur().vertices, at::empty({0, 3}, at::kInt)};
  EXPECT_EQ(complaint([&] { static_cast<void>(femur_measures(evidence_of({solids::femur()}, {empty}))); }),
            "metric/femur_morphometry: bone h0: the mesh has no triangles");
  EXPECT_EQ(complaint([&] { static_cast<void>(femur_measures(evidence_of({empty}, {solids::femur()}))); }),
            "metric/femur_morphometry: gallery bone 0: the mesh has no triangles");
  Contents contents = evidence_of({solids::femur()}, {solids::femur()});
  contents.shapes.cases[0].answers = {free_answer("a", empty)};
  EXPECT_EQ(complaint([&] { static_cast<void>(femur_measures(contents)); }),
            "metric/femur_morphometry: a: the mesh has no triangles");
}

}  // namespace
}  // namespace osteon
