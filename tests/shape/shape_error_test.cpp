// metric/shape_error, loaded through the host, on evidence whose figures are known.

#include "evidence.hpp"
#include "femurs.hpp"
#include "people.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace osteon {
namespace {

MetricResult measured(const Contents& contents, const Given& given = {{"samples", std::int64_t{2000}}}) {
  return made<host::MetricHandle>("metric", "shape_error", given).evaluate(contents);
}

Mesh ball(double radius) { return solids::sphere(radius, 40, 60); }

TEST(ShapeError, OfSpheresIsTheDifferenceOfTheirRadii) {
  Contents contents = evidence_of({ball(40), ball(44), ball(48), ball(56)}, {ball(45), ball(47)});
  auto& cases = contents.shapes.cases;
  cases[0].answers = {chosen("nearest (fingerprint)", contents, 0), free_answer("free", ball(47))};
  cases[1].answers = {chosen("nearest (fingerprint)", contents, 2), free_answer("free", ball(47))};
  const MetricResult result = measured(contents);

  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "RMS"), 3, 0.05);  // 5 and 1 mm
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "worst RMS"), 5, 0.05);
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "Hausdorff"), 3, 0.15);  // facets and turns of a sphere count
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "RMS / diagonal"),
              50 * (5 / (90 * std::sqrt(3)) + 1 / (94 * std::sqrt(3))), 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "nearest (fingerprint)", "better candidates"), 1);  // 2 and 0
  EXPECT_EQ(find(result, "nearest (fingerprint)", "better candidates")->unit, "of 4");
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "sd of RMS"), std::sqrt(8), 0.05);
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "mean"), 3, 0.05);
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "sd of mean"), std::sqrt(8), 0.05);
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "HD95"), 3, 0.1);
  EXPECT_NEAR(figure(result, "free", "RMS"), 1, 0.05);                 // 2 and 0 mm
  EXPECT_DOUBLE_EQ(figure(result, "free", "better candidates"), 0.5);  // the one of radius 44 for 45
  EXPECT_NEAR(figure(result, "mean shape", "RMS"), 1, 0.1);            // of radius 47
  EXPECT_NEAR(figure(result, "mean shape scaled to the length", "RMS"), 0, 0.1);
  EXPECT_NEAR(figure(result, "random bone", "RMS"), ((5 + 1 + 3 + 11) + (7 + 3 + 1 + 9)) / 8.0, 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "random bone", "better candidates"), 1.5);
  EXPECT_NEAR(figure(result, "best bone in the gallery (oracle)", "RMS"), 1, 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "best bone in the gallery (oracle)", "better candidates"), 0);
  EXPECT_EQ(find(result, "opposite femur of the same person", "RMS"), nullptr);
  for (const MetricValue& value : result.values) {
    if (value.table != "shape, held-out bones, rigid alignment") continue;
    EXPECT_EQ(value.count, 2) << value.row << ", " << value.column;
    EXPECT_EQ(value.counted, "bones");
    EXPECT_FALSE(value.larger_is_better);
    EXPECT_FALSE(value.interval.has_value());
    EXPECT_EQ(value.is_baseline, value.row != "nearest (fingerprint)" && value.row != "free");
  }
}

TEST(ShapeError, LengthAloneMayChooseTheWrongGirth) {
  const auto bone = [](double girth, double half) { return solids::ellipsoid({girth, girth * 0.8, half}, 40, 50); };
  const Contents contents = evidence_of({bone(30, 100), bone(45, 101), bone(38, 108)}, {bone(30, 101.2)});
  const MetricResult result = measured(contents);
  EXPECT_DOUBLE_EQ(figure(result, "nearest by length", "better candidates"), 2);
  EXPECT_DOUBLE_EQ(figure(result, "nearest by length and volume", "better candidates"), 0);
  EXPECT_LT(figure(result, "nearest by length and volume", "RMS"), 1);
  EXPECT_DOUBLE_EQ(figure(result, "nearest by length and volume", "RMS"),
                   figure(result, "best bone in the gallery (oracle)", "RMS"));
}

TEST(ShapeError, IntervalsNeedTwelvePeople) {
  std::vector<Mesh> truths;
  for (int i = 0; i < 12; ++i) truths.push_back(solids::sphere(41 + i % 3, 20, 30));
  Contents contents = evidence_of({solids::sphere(40, 20, 30)}, truths);
  for (ShapeCase& one : contents.shapes.cases) one.answers = {chosen("a", contents, 0)};
  const Given quick{{"samples", std::int64_t{1000}}, {"pictures", std::int64_t{0}}};
  const MetricResult result = measured(contents, quick);
  const MetricValue* rms = find(result, "a", "RMS");
  ASSERT_TRUE(rms->interval.has_value());
  EXPECT_NEAR(rms->value, 2, 0.05);
  // Standard error 0.816 / √12 = 0.236, times 1.96.
  EXPECT_NEAR(rms->interval->first, 2 - 0.46, 0.1);
  EXPECT_NEAR(rms->interval->second, 2 + 0.46, 0.1);
  EXPECT_TRUE(result.surfaces.empty());
  contents.bones.back().subject = contents.bones[1].subject;  // eleven people
  EXPECT_FALSE(find(measured(contents, quick), "a", "RMS")->interval.has_value());
}

TEST(ShapeError, PicturesShowTheBestTheMiddleAndTheWorst) {
  Contents contents = evidence_of({ball(40)}, {ball(44), ball(41), ball(43), ball(42), ball(45)});
  contents.shapes.gallery[0] = transformed(contents.shapes.gallery[0], {Mat3{}, {1, 2, 3}});
  for (ShapeCase& one : contents.shapes.cases) one.answers = {chosen("a", contents, 0)};
  const MetricResult result = measured(contents);
  ASSERT_EQ(result.surfaces.size(), 3U);
  const double distance[] = {1, 3, 5};
  const std::string beginning[] = {"h1, a: ", "h2, a: ", "h4, a: "};
  for (std::size_t i = 0; i < 3; ++i) {
    const SurfacePair& pair = result.surfaces[i];
    EXPECT_EQ(pair.caption.substr(0, beginning[i].size()), beginning[i]);
    EXPECT_EQ(pair.distance.size(0), pair.predicted.vertices.size(0));
    EXPECT_NEAR(pair.distance.mean().item<double>(), distance[i], 0.1);  // laid onto the truth, 3.7 mm away before
  }
}

TEST(ShapeError, PicturesAreOfTheFirstMethodAndOfEachThatDeforms) {
  Contents contents = evidence_of({ball(40), ball(41)}, {ball(44)});
  contents.shapes.cases[0].answers = {chosen("a", contents, 0), chosen("b", contents, 1), free_answer("c", ball(45))};
  const MetricResult result = measured(contents);
  ASSERT_EQ(result.surfaces.size(), 2U);
  EXPECT_EQ(result.surfaces[0].caption.substr(0, 7), "h0, a: ");
  EXPECT_EQ(result.surfaces[1].caption.substr(0, 7), "h0, c: ");
}

TEST(ShapeError, OnePairIsTheMeanOverTheAnswersFromEachPair) {
  Contents contents = evidence_of({ball(40), ball(44)}, {ball(45), ball(47)});
  auto& cases = contents.shapes.cases;
  for (ShapeCase& one : cases) {
    one.answers = {chosen("a", contents, 1), free_answer("b", ball(46))};
    one.answers[0].alone = {chosen("a", contents, 0).together, chosen("a", contents, 1).together};
    one.answers[1].alone = {free_answer("b", ball(48)).together, free_answer("b", ball(50)).together};
  }
  const MetricResult result = measured(contents);
  EXPECT_NEAR(figure(result, "a", "RMS"), (1 + 3) / 2.0, 0.05);
  EXPECT_NEAR(figure(result, "a, one pair", "RMS"), ((5 + 1) / 2.0 + (7 + 3) / 2.0) / 2, 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "a, one pair", "better candidates"), 0.5);
  EXPECT_NEAR(figure(result, "b, one pair", "RMS"), ((3 + 5) / 2.0 + (1 + 3) / 2.0) / 2, 0.05);
  EXPECT_EQ(find(result, "a, one pair", "RMS")->count, 2);
  EXPECT_FALSE(find(result, "a, one pair", "RMS")->is_baseline);
}

TEST(ShapeError, NamesTheWorstCase) {
  Contents contents = evidence_of({ball(40), ball(44)}, {ball(45), ball(47)});
  for (ShapeCase& one : contents.shapes.cases) {
    one.answers = {chosen("a", contents, 1), free_answer("b", ball(48))};
    one.answers[0].alone = {chosen("a", contents, 1).together, chosen("a", contents, 0).together};
  }
  const MetricResult result = measured(contents);
  EXPECT_NEAR(figure(result, "a", "worst RMS"), 3, 0.05);
  EXPECT_EQ(find(result, "a", "worst RMS")->note, "h1, given g1");
  EXPECT_NEAR(figure(result, "a, one pair", "worst RMS"), 7, 0.05);
  EXPECT_EQ(find(result, "a, one pair", "worst RMS")->note, "h1, X-ray pair 2 of 2, given g0");
  EXPECT_EQ(find(result, "b", "worst RMS")->note, "h0");
}

TEST(ShapeError, CeilingsAreBoundsBesideTheMethod) {
  Contents contents = evidence_of({ball(40)}, {ball(45), ball(47)});
  for (ShapeCase& one : contents.shapes.cases) one.answers = {free_answer("a", ball(50))};
  contents.shapes.cases[1].answers[0].ceiling = ball(46);
  const MetricResult result = measured(contents);
  EXPECT_NEAR(figure(result, "a, its 3D ceiling", "RMS"), 1, 0.05);
  EXPECT_EQ(find(result, "a, its 3D ceiling", "RMS")->count, 1);
  EXPECT_TRUE(find(result, "a, its 3D ceiling", "RMS")->is_baseline);
}

TEST(ShapeError, KnowsTheOppositeFemurThoughItIsNoCandidate) {
  Contents contents = evidence_of({ball(40), ball(43)}, {ball(45), ball(47), ball(49)});
  contents.bones[1].subject = contents.bones[2].subject;  // g1 and h0, in another fold a known bone
  contents.bones[1].side = Side::left;
  contents.bones[3].subject = contents.bones[4].subject;  // h1 and h2, held out together
  contents.bones[4].side = Side::left;
  for (ShapeCase& one : contents.shapes.cases) one.candidates = {0};
  const MetricResult result = measured(contents);
  const MetricValue* opposite = find(result, "opposite femur of the same person", "RMS");
  ASSERT_NE(opposite, nullptr);
  EXPECT_EQ(opposite->count, 3);
  EXPECT_NEAR(opposite->value, 2, 0.05);
  EXPECT_TRUE(opposite->is_baseline);
  EXPECT_EQ(opposite->note, "no candidate");
  EXPECT_NEAR(figure(result, "best bone in the gallery (oracle)", "RMS"), (5 + 7 + 9) / 3.0, 0.05);
  contents.bones[1].side = Side::unknown;  // may be the very bone
  EXPECT_EQ(find(measured(contents), "opposite femur of the same person", "RMS")->count, 2);
}

TEST(ShapeError, EachFoldHasItsOwnCandidates) {
  Contents contents = evidence_of({ball(40), ball(44), ball(48)}, {ball(41), ball(47)});
  contents.shapes.cases[0].candidates = {1, 2};
  contents.shapes.cases[1].candidates = {0};
  const MetricResult result = measured(contents);
  EXPECT_NEAR(figure(result, "best bone in the gallery (oracle)", "RMS"), (3 + 7) / 2.0, 0.05);
  EXPECT_NEAR(figure(result, "mean shape", "RMS"), (5 + 7) / 2.0, 0.1);
  EXPECT_EQ(find(result, "nearest by length", "better candidates")->unit, "of 1 to 2");
  contents.shapes.cases[0].answers = {chosen("a", contents, 0)};
  EXPECT_EQ(complaint([&] { static_cast<void>(measured(contents)); }),
            "metric/shape_error: a chose gallery bone 0, which is no candidate");
}

constexpr const char* kDifferences = "surface error, paired differences of RMS";

TEST(ShapeError, DifferencesArePairedByBone) {
  // Length and volume choose 1 mm beside each truth, which the oracle does too.
  Contents contents = evidence_of({ball(40), ball(44), ball(48)}, {ball(41), ball(45), ball(47)});
  auto& cases = contents.shapes.cases;
  cases[0].answers = {chosen("a", contents, 1), free_answer("b", ball(41.5))};  // 3 and 0.5 mm
  cases[1].answers = {chosen("a", contents, 1), free_answer("b", ball(45.5))};  // 1 and 0.5 mm
  cases[2].answers = {chosen("a", contents, 2), free_answer("b", ball(50))};    // 1 and 3 mm
  const MetricResult result = measured(contents);
  EXPECT_NEAR(figure(result, "a", "minus length and volume"), 2 / 3.0, 0.05);
  EXPECT_NEAR(figure(result, "b", "minus length and volume"), (-0.5 - 0.5 + 2) / 3, 0.05);
  EXPECT_NEAR(figure(result, "b", "minus oracle"), (-0.5 - 0.5 + 2) / 3, 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "a", "better than length and volume"), 0);
  EXPECT_DOUBLE_EQ(figure(result, "b", "better than length and volume"), 2);
  EXPECT_DOUBLE_EQ(figure(result, "b", "better than oracle"), 2);
  EXPECT_EQ(find(result, "b", "better than oracle")->unit, "of 3");
  EXPECT_TRUE(find(result, "b", "better than oracle")->larger_is_better);
  EXPECT_FALSE(find(result, "b", "minus oracle")->larger_is_better);
  EXPECT_FALSE(find(result, "b", "minus oracle")->interval.has_value());
  EXPECT_EQ(find(result, "b", "minus oracle")->table, kDifferences);
  const MetricValue *rms = find(result, "b", "RMS"), *better = find(result, "b", "better than oracle");
  EXPECT_EQ(rms->people.size(), 3U);
  EXPECT_NEAR(test::mean_over_people(*rms), rms->value, 1e-9);
  EXPECT_NEAR(test::mean_over_people(*better), 100 * 2.0 / 3, 1e-9);
}

const Given kQuick{{"samples", std::int64_t{1000}}, {"pictures", std::int64_t{0}}};

/// Length and volume choose 1 mm beside each of twelve truths; "a" is 0.25 and 0.75 mm beside, "b" once worse than 1
/// mm.
const MetricResult& of_twelve_people() {
  static const MetricResult result = [] {
    const std::vector<Mesh> gallery{solids::sphere(40, 20, 30), solids::sphere(44, 20, 30)};
    Contents contents = evidence_of(gallery, std::vector<Mesh>(12, solids::sphere(41, 20, 30)));
    for (std::size_t i = 0; i < 12; ++i)
      contents.shapes.cases[i].answers = {free_answer("a", solids::sphere(i % 2 == 0 ? 41.25 : 41.75, 20, 30)),
                                          chosen("b", contents, i == 0 ? 1 : 0)};
    return measured(contents, kQuick);
  }();
  return result;
}

TEST(ShapeError, DifferencesHaveIntervalsFromTwelvePeopleOn) {
  const MetricValue* difference = find(of_twelve_people(), "a", "minus length and volume");
  EXPECT_NEAR(difference->value, -0.5, 0.05);
  ASSERT_TRUE(difference->interval.has_value());
  // Standard error 0.25 / √12 = 0.072, times 1.96.
  EXPECT_NEAR(difference->interval->first, -0.5 - 0.14, 0.03);
  EXPECT_NEAR(difference->interval->second, -0.5 + 0.14, 0.03);
}

TEST(ShapeError, ChoosingIsToBeatTwoScalars) {
  const MetricResult& result = of_twelve_people();
  EXPECT_EQ(find(result, "b", "RMS")->note, "no better than two scalars");
  EXPECT_EQ(find(result, "b", "minus length and volume")->note, "no better than two scalars");
  EXPECT_EQ(find(result, "b", "HD95")->note, "");
  // Length and volume choose the flat bone, which has the truth's to a hair.
  Contents contents =
      evidence_of({solids::ellipsoid({45, 20.05, 100}, 30, 40), solids::ellipsoid({31, 29.5, 100.5}, 30, 40)},
                  {solids::ellipsoid({32, 28.125, 100}, 30, 40)});
  contents.shapes.cases[0].answers = {chosen("b", contents, 1), free_answer("a", ball(50))};
  const MetricResult better = measured(contents, kQuick);
  EXPECT_LT(figure(better, "b", "minus length and volume"), -2);
  EXPECT_EQ(find(better, "b", "RMS")->note, "");
  EXPECT_GT(figure(better, "a", "minus length and volume"), 2);
  EXPECT_EQ(find(better, "a", "RMS")->note, "");  // worse, but it does not choose
}

TEST(ShapeError, ListsEachBone) {
  Contents contents = evidence_of({ball(40), ball(44)}, {ball(45), ball(47)});
  for (ShapeCase& one : contents.shapes.cases) one.answers = {chosen("a", contents, 0), free_answer("b", ball(48))};
  const MetricResult result = measured(contents);
  const std::string table = "surface error, RMS of each held-out bone";
  EXPECT_NEAR(figure(result, "h0", "a", table), 5, 0.05);
  EXPECT_NEAR(figure(result, "h1", "a", table), 7, 0.05);
  EXPECT_NEAR(figure(result, "h0", "b", table), 3, 0.05);
  EXPECT_NEAR(figure(result, "h1", "best bone in the gallery (oracle)", table), 3, 0.05);
  EXPECT_NEAR(figure(result, "h1", "nearest by length and volume", table), 3, 0.05);
  EXPECT_EQ(find(result, "h1", "b", table)->count, 1);
}

TEST(ShapeError, TellsTheRegionsOfTheTrueBoneApart) {
  // The same bone but for its head, whose radius is 3 mm larger.
  const Mesh truth = solids::femur();
  Contents contents = evidence_of({solids::femur({.length = 440})}, {truth, truth});
  for (ShapeCase& one : contents.shapes.cases) one.answers = {free_answer("a", solids::femur({.head_radius = 27}))};
  contents.shapes.cases[1].answers = {chosen("b", contents, 0)};
  const MetricResult result = measured(contents, {{"samples", std::int64_t{10000}}});
  const std::string table = "surface error, RMS by region of the true bone";
  EXPECT_LT(figure(result, "a", "head", table), 3);  // the samples within reach of the head are partly the neck's
  EXPECT_GT(figure(result, "a", "head", table), 2);
  EXPECT_LT(figure(result, "a", "shaft", table), 0.5);
  EXPECT_LT(figure(result, "a", "condyles", table), 0.7);
  EXPECT_GT(figure(result, "a", "neck and trochanters", table), 0);
  EXPECT_EQ(find(result, "a", "head", table)->count, 1);
  // A bone 20 mm longer is laid with its ends 10 mm beyond the ends, along the shaft.
  EXPECT_GT(figure(result, "b", "condyles", table), 2);
  EXPECT_GT(figure(result, "b", "head", table), 2);
  EXPECT_LT(figure(result, "b", "shaft", table), 1);
  EXPECT_DOUBLE_EQ(figure(result, "best bone in the gallery (oracle)", "head", table),
                   figure(result, "b", "head", table));
  EXPECT_EQ(find(result, "random bone", "head", table), nullptr);
}

TEST(ShapeError, WithoutAHeadTheProximalRegionsAreNotKnown) {
  Contents contents = evidence_of({ball(40)}, {ball(45)});
  const MetricResult result = measured(contents);
  const std::string table = "surface error, RMS by region of the true bone";
  EXPECT_EQ(find(result, "mean shape", "head", table), nullptr);
  EXPECT_EQ(find(result, "mean shape", "neck and trochanters", table), nullptr);
  EXPECT_NEAR(figure(result, "mean shape", "shaft", table), 5, 0.1);
  EXPECT_NEAR(figure(result, "mean shape", "condyles", table), 5, 0.1);
}

TEST(ShapeError, ExpectedErrorsStandBesideTheRealOnes) {
  Contents contents = evidence_of({ball(40)}, {ball(41), ball(42), ball(44)});
  double expected = 1;
  for (ShapeCase& one : contents.shapes.cases) {
    one.answers = {free_answer("a", ball(40)), free_answer("b", ball(40)), free_answer("c", ball(40))};
    one.answers[0].together.expected_error = expected;  // 1, 3, 2 for 1, 2, 4 mm
    one.answers[0].together.residual = 0.25 * expected;
    one.answers[1].together.expected_error = 0.1;  // whose mean is not 0.1 to the last bit
    one.answers[1].alone = {one.answers[0].together};
    expected = expected == 1 ? 3 : 2;
  }
  const MetricResult result = measured(contents);
  const std::string table = "surface error, as the method expects it";
  EXPECT_DOUBLE_EQ(figure(result, "a", "expected RMS", table), 2);
  EXPECT_NEAR(figure(result, "a", "real RMS", table), 7 / 3.0, 0.05);
  // Deviations -1, 1, 0 and -4/3, -1/3, 5/3: 1 / √(2 · 42/9).
  EXPECT_NEAR(figure(result, "a", "correlation", table), 1 / std::sqrt(2 * 42 / 9.0), 0.02);
  EXPECT_TRUE(find(result, "a", "correlation", table)->larger_is_better);
  EXPECT_DOUBLE_EQ(figure(result, "a", "residual in the images", table), 0.5);
  EXPECT_EQ(find(result, "a", "expected RMS", table)->counted, "bones");
  EXPECT_TRUE(std::isnan(figure(result, "b", "correlation", table)));
  EXPECT_EQ(find(result, "b", "correlation", table)->note, "one of both does not vary");
  EXPECT_EQ(find(result, "b, one pair", "expected RMS", table)->counted, "X-ray pairs");
  EXPECT_EQ(find(result, "b", "residual in the images", table), nullptr);
  EXPECT_EQ(find(result, "c", "expected RMS", table), nullptr);
}

TEST(ShapeError, IsUndefinedWithoutHeldOutBones) {
  const MetricResult none = measured(evidence_of({ball(40)}, {}));
  ASSERT_EQ(none.values.size(), 1U);
  EXPECT_TRUE(std::isnan(none.values[0].value));
  EXPECT_EQ(none.values[0].note, "no bone was held out");
  EXPECT_EQ(measured(evidence_of({}, {ball(40)})).values[0].note, "the gallery has no bones");
}

TEST(ShapeError, NamesTheBoneWhoseSurfaceIsUnsound) {
  Contents contents = evidence_of({ball(40)}, {ball(41)});
  contents.shapes.cases[0].truth.triangles = at::empty({0, 3}, at::kInt);
  EXPECT_EQ(complaint([&] { static_cast<void>(measured(contents)); }),
            "metric/shape_error: bone h0: the mesh has no triangles");
}

TEST(ShapeError, SamplesChangeTheFigure) {
  Contents contents = evidence_of({solids::bone(400)}, {solids::bone(380)});
  const auto rms = [&](std::int64_t samples) {
    return figure(measured(contents, {{"samples", samples}}), "random bone", "RMS");
  };
  EXPECT_NE(rms(1000), rms(1001));
  EXPECT_EQ(rms(1000), rms(1000));
}

}  // namespace
}  // namespace osteon
