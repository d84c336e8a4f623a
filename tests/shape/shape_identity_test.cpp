// metric/shape_identity, loaded through the host, on spheres whose distances are differences of their radii.

#include "loaded.hpp"
#include "people.hpp"
#include "solids.hpp"

#include <gtest/gtest.h>

namespace osteon {
namespace {

Mesh coarse_ball(double radius) { return solids::sphere(radius, 24, 36); }

/// Two people with two bones each, all enrolled; method "m" says what radius it saw of each bone.
Evidence::Contents two_people(const std::vector<double>& predicted) {
  Evidence::Contents contents;
  const double radius[] = {40, 42, 50, 53};
  for (std::size_t b = 0; b < 4; ++b) {
    contents.bones.push_back({text("bone ", b), b < 2 ? "a" : "b", b % 2 == 0 ? Side::left : Side::right, true});
    contents.shapes.gallery_bones.push_back(static_cast<std::int64_t>(b));
    contents.shapes.gallery.push_back(coarse_ball(radius[b]));
  }
  for (std::size_t b = 0; b < predicted.size(); ++b) {
    ShapeCase one;
    one.bone = static_cast<std::int64_t>(b);
    one.truth = contents.shapes.gallery[b];
    ShapeCase::Answer answer;
    answer.estimator = "m";
    answer.together.mesh = coarse_ball(predicted[b]);
    one.answers.push_back(answer);
    contents.shapes.cases.push_back(one);
  }
  return contents;
}

MetricResult identified(const Evidence::Contents& contents, const Given& given = {}) {
  return made<host::MetricHandle>("metric", "shape_identity", given).evaluate(contents);
}

const MetricValue& figure_of(const MetricResult& result, const std::string& row, const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.row == row && value.column == column) return value;
  throw failure("no figure " + row + ", " + column);
}

TEST(ShapeIdentity, IsOfTheNearestSurface) {
  // Left bones are 40 and 50, right ones 42 and 53. 40.4: bone 0, and bone 1 of the right ones. 43: bone 1, and bone 0
  // of the left ones. 48: bone 2, and bone 3. 47: bone 2, which is wrong, and bone 2 of the left ones, which is right.
  const MetricResult result = identified(two_people({40.4, 43, 48, 47}));
  EXPECT_DOUBLE_EQ(figure_of(result, "m", "same bone").value, 3);
  EXPECT_DOUBLE_EQ(figure_of(result, "m", "the other side").value, 4);
  EXPECT_EQ(figure_of(result, "m", "same bone").unit, "of 4");
  EXPECT_FALSE(figure_of(result, "m", "same bone").is_baseline);
  EXPECT_FALSE(figure_of(result, "m", "same bone").interval.has_value());  // two people
  EXPECT_EQ(figure_of(result, "m", "same bone").people.size(), 2U);
  EXPECT_DOUBLE_EQ(test::mean_over_people(figure_of(result, "m", "same bone")), 75);
  EXPECT_DOUBLE_EQ(figure_of(result, "chance", "same bone").value, 1);
  EXPECT_DOUBLE_EQ(figure_of(result, "chance", "the other side").value, 2);
  EXPECT_DOUBLE_EQ(figure_of(result, "nearest by length", "same bone").value, 4);
}

TEST(ShapeIdentity, TheOtherSideMayBeASecondPersons) {
  // Right bones of radius 42 and 53 are asked about a surface of radius 49.
  EXPECT_DOUBLE_EQ(figure_of(identified(two_people({49})), "m", "the other side").value, 0);
}

TEST(ShapeIdentity, TheOtherSideNeedsToKnowSides) {
  Evidence::Contents contents = two_people({40.4});
  for (EvidenceBone& bone : contents.bones) bone.side = Side::unknown;
  const MetricResult result = identified(contents);
  EXPECT_TRUE(std::isnan(figure_of(result, "m", "the other side").value));
  EXPECT_EQ(figure_of(result, "m", "the other side").note, "nobody has a femur of the other side enrolled");
  EXPECT_DOUBLE_EQ(figure_of(result, "m", "same bone").value, 1);
}

TEST(ShapeIdentity, OfSinglePairsIsTheirMean) {
  Evidence::Contents contents = two_people({40.4});
  for (const double radius : {40.2, 51.0}) {
    ShapePrediction prediction;
    prediction.mesh = coarse_ball(radius);
    contents.shapes.cases[0].answers[0].alone.push_back(prediction);
  }
  EXPECT_DOUBLE_EQ(figure_of(identified(contents), "m, one pair", "same bone").value, 0.5);
}

TEST(ShapeIdentity, SaysThatAMethodIsNotThere) {
  EXPECT_EQ(complaint([] {
              static_cast<void>(identified(two_people({40}), {{"methods", std::vector<std::string>{"n"}}}));
            }),
            "metric/shape_identity: methods: there is no shape method \"n\" in this experiment");
}

TEST(ShapeIdentity, IsUndefinedWithoutHeldOutBones) {
  EXPECT_EQ(identified(two_people({})).values.front().note, "no bone was held out");
}

}  // namespace
}  // namespace osteon
