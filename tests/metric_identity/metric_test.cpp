// metric/identification and metric/triplet_accuracy on evidence small enough to count by hand.

#include "host/handles.hpp"
#include "host/registry.hpp"
#include "people.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

host::MetricHandle make_metric(const char* name, const Given& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("metric", name);
  return {plugin, Parameters(plugin.schema, given)};
}

const MetricValue& find(const MetricResult& result, const std::string& row, const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.row == row && value.column == column) return value;
  throw failure(text("no value ", row, " / ", column));
}

bool has(const MetricResult& result, const std::string& row, const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.row == row && value.column == column) return true;
  return false;
}

at::Tensor integers(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

/// `people` people, one bone each.
std::vector<EvidenceBone> bones(int people) {
  std::vector<EvidenceBone> result;
  for (int i = 0; i < people; ++i) result.push_back({text("bone ", i), text("person ", i), Side::right, false});
  return result;
}

Identification identification(const char* set, bool held_out, at::Tensor truth, at::Tensor predicted,
                              std::int64_t candidates) {
  Identification one;
  one.embedding_set = set;
  one.classifier = "knn";
  one.is_trivial = std::string(set) != "fingerprint";
  one.held_out = held_out;
  one.truth = std::move(truth);
  one.predicted = std::move(predicted);
  one.candidates = candidates;
  return one;
}

Evidence::Contents three_bones() {
  Evidence::Contents contents;
  contents.bones = bones(3);
  // Bone 0: 4 of 5 right; bone 1: all of 1; bone 2: all of 2, so 2.8 of 3 though 7 of 8 images.
  contents.identifications = {
      identification("fingerprint", true, integers({0, 0, 0, 0, 0, 1, 2, 2}), integers({0, 0, 0, 0, -1, 1, 2, 2}), 12),
      identification("raw pixels", true, integers({0, 1, 2}), integers({1, 1, 1}), 12)};
  return contents;
}

TEST(Identification, CountsBonesNotImages) {
  const MetricResult result = make_metric("identification").evaluate(three_bones());
  ASSERT_EQ(result.values.size(), 3U);
  const MetricValue& ours = find(result, "fingerprint + knn", "never trained on");
  EXPECT_EQ(ours.table, "identity, rank-1");
  EXPECT_NEAR(ours.value, 2.8, 1e-12);
  EXPECT_EQ(ours.unit, "of 3");
  EXPECT_EQ(to_text(ours), "2.8 of 3");
  EXPECT_EQ(ours.count, 3);
  EXPECT_EQ(ours.counted, "bones");
  EXPECT_FALSE(ours.is_baseline);
  EXPECT_FALSE(ours.interval.has_value());
  EXPECT_EQ(ours.note, "");
  const MetricValue& pixels = find(result, "raw pixels + knn", "never trained on");
  EXPECT_EQ(pixels.value, 1);
  EXPECT_TRUE(pixels.is_baseline);
  const MetricValue& chance = find(result, "chance", "never trained on");
  EXPECT_DOUBLE_EQ(chance.value, 0.25);
  EXPECT_TRUE(chance.is_baseline);
}

TEST(Identification, TellsWhatEachPersonAdds) {
  Evidence::Contents contents = three_bones();
  contents.bones[2].subject = "person 0";
  const MetricResult result = make_metric("identification").evaluate(contents);
  const MetricValue& ours = find(result, "fingerprint + knn", "never trained on");
  ASSERT_EQ(ours.people.size(), 2U);
  EXPECT_EQ(ours.people[0].person, "person 0");
  EXPECT_NEAR(ours.people[0].sum, 100 * (0.8 + 1), 1e-9);
  EXPECT_EQ(ours.people[0].count, 2);
  EXPECT_EQ(ours.people[1].person, "person 1");
  EXPECT_NEAR(ours.people[1].sum, 100, 1e-9);
  EXPECT_NEAR(test::mean_over_people(ours), 100 * ours.value / 3, 1e-9);
  EXPECT_TRUE(find(result, "chance", "never trained on").people.empty());
}

TEST(Identification, KeepsSeenAndNeverTrainedBonesApart) {
  Evidence::Contents contents = three_bones();
  contents.identifications.push_back(identification("fingerprint", false, integers({1, 2}), integers({1, 0}), 4));
  const MetricResult result = make_metric("identification").evaluate(contents);
  EXPECT_EQ(find(result, "fingerprint + knn", "seen in training").value, 1);
  EXPECT_EQ(find(result, "fingerprint + knn", "seen in training").unit, "of 2");
  EXPECT_DOUBLE_EQ(find(result, "chance", "seen in training").value, 0.5);
  EXPECT_DOUBLE_EQ(find(result, "chance", "never trained on").value, 0.25);
}

TEST(Identification, SaysOnEveryValueThatGalleryAndQueriesShareAVolume) {
  Evidence::Contents contents = three_bones();
  contents.queries_share_volume = true;
  for (const MetricValue& value : make_metric("identification").evaluate(contents).values)
    EXPECT_EQ(value.note, "gallery and queries share a CT volume: says nothing about identity");
}

TEST(Identification, GivesAnIntervalOverPeopleFromTwelveOn) {
  Evidence::Contents contents;
  contents.bones = bones(11);
  contents.bones.push_back({"bone 11", "person 0", Side::left, false});  // the other side of person 0
  const at::Tensor truth = at::arange(12, at::kLong);
  at::Tensor predicted = truth.clone();
  predicted[3] = -1;
  predicted[4] = 0;
  contents.identifications = {identification("fingerprint", true, truth, predicted, 12)};
  const auto metric = make_metric("identification");
  EXPECT_EQ(find(metric.evaluate(contents), "fingerprint + knn", "never trained on").unit, "of 12");

  contents.bones[11].subject = "person 11";
  const MetricValue value = find(metric.evaluate(contents), "fingerprint + knn", "never trained on");
  EXPECT_EQ(value.unit, "%");
  EXPECT_NEAR(value.value, 100 * 10.0 / 12, 1e-9);
  EXPECT_EQ(value.people.size(), 12U);
  EXPECT_NEAR(test::mean_over_people(value), value.value, 1e-9);
  ASSERT_TRUE(value.interval.has_value());
  // Resampled shares are Binomial(12, 10/12) / 12: its 2.5 and 97.5 % points are 7/12 and 12/12.
  EXPECT_NEAR(value.interval->first, 100 * 7.0 / 12, 1e-9);
  EXPECT_NEAR(value.interval->second, 100, 1e-9);
  EXPECT_NEAR(find(metric.evaluate(contents), "chance", "never trained on").value, 100.0 / 12, 1e-9);
}

TEST(Identification, IsUndefinedWithoutQueries) {
  Evidence::Contents contents;
  contents.bones = bones(2);
  contents.identifications = {identification("fingerprint", true, integers({}), integers({}), 2)};
  const MetricResult result = make_metric("identification").evaluate(contents);
  ASSERT_EQ(result.values.size(), 1U);
  EXPECT_EQ(to_text(result.values[0]), "undefined (no query images)");
}

TEST(Identification, RefusesBonesThatDoNotExist) {
  Evidence::Contents contents = three_bones();
  contents.identifications[0].truth[0] = 3;
  try {
    (void)make_metric("identification").evaluate(contents);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "metric/identification: query 0 shows bone 3, but there are 3 bones");
  }
}

/// Images of `people` bones, `each` validation images a bone, on the unit circle.
Evidence::Contents circle(int people, int each, double spread) {
  Evidence::Contents contents;
  contents.bones = bones(people);
  contents.margin = 0.2;
  contents.seed = 5;
  Random random(3, "circle");
  std::vector<std::int64_t> bone;
  std::vector<float> vectors;
  for (int b = 0; b < people; ++b)
    for (int i = 0; i < each + 1; ++i) {  // the last one of each is a training image, which must not count
      const double angle = 2 * M_PI * b / people + (i == each ? 3 : spread * random.normal());
      bone.push_back(b);
      contents.role.push_back(i == each ? Role::training : Role::validation);
      vectors.push_back(static_cast<float>(std::cos(angle)));
      vectors.push_back(static_cast<float>(std::sin(angle)));
    }
  contents.bone = at::tensor(bone, at::kLong);
  contents.embeddings = {{"fingerprint", false, at::tensor(vectors).reshape({-1, 2})}};
  return contents;
}

/// The definition, in four loops.
double naive(const Evidence::Contents& contents, const at::Tensor& vectors, double margin, std::int64_t& count) {
  const auto n = static_cast<std::int64_t>(contents.role.size());
  const auto* bone = contents.bone.data_ptr<std::int64_t>();
  const auto squared = [&](std::int64_t a, std::int64_t b) {
    return (vectors[a].to(at::kDouble) - vectors[b].to(at::kDouble)).square().sum().item<double>();
  };
  std::vector<std::vector<double>> distance(static_cast<std::size_t>(n),
                                            std::vector<double>(static_cast<std::size_t>(n)));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      distance[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = squared(i, j);
  std::int64_t hits = 0;
  count = 0;
  for (std::size_t a = 0; a < contents.role.size(); ++a)
    for (std::size_t p = 0; p < contents.role.size(); ++p)
      for (std::size_t q = 0; q < contents.role.size(); ++q) {
        if (contents.role[a] != Role::validation || contents.role[p] != Role::validation ||
            contents.role[q] != Role::validation || a == p || bone[a] != bone[p] || bone[a] == bone[q])
          continue;
        ++count;
        hits += distance[a][p] + margin < distance[a][q];
      }
  return 100.0 * static_cast<double>(hits) / static_cast<double>(count);
}

TEST(TripletAccuracy, AgreesWithTheDefinitionAtEachMargin) {
  const Evidence::Contents contents = circle(4, 5, 0.5);
  const MetricResult result = make_metric("triplet_accuracy").evaluate(contents);
  const std::map<std::string, double> margins = {{"margin 0.1", 0.1}, {"margin 0", 0}, {"own margin", 0.2}};
  ASSERT_EQ(result.values.size(), margins.size());
  for (const auto& [column, margin] : margins) {
    const MetricValue& value = find(result, "fingerprint", column);
    std::int64_t count = 0;
    EXPECT_NEAR(value.value, naive(contents, contents.embeddings[0].vectors, margin, count), 1e-9);
    EXPECT_EQ(value.count, count);
    EXPECT_EQ(count, 4 * 5 * 4 * 15);
    EXPECT_EQ(value.counted, "triplets of 4 bones");
    EXPECT_EQ(value.table, "triplet accuracy, validation images");
    EXPECT_EQ(value.unit, "%");
    EXPECT_EQ(value.note, "");
    EXPECT_FALSE(value.is_baseline);
    EXPECT_FALSE(value.interval.has_value());
    EXPECT_EQ(value.people.size(), 4U);
    EXPECT_NEAR(test::mean_over_people(value), value.value, 1e-9);
  }
  EXPECT_LT(find(result, "fingerprint", "own margin").value, find(result, "fingerprint", "margin 0").value);
}

TEST(TripletAccuracy, DrawsSoManyTripletsWhenThereAreMore) {
  const Evidence::Contents contents = circle(5, 12, 0.6);
  const MetricValue all = find(make_metric("triplet_accuracy").evaluate(contents), "fingerprint", "margin 0.1");
  ASSERT_EQ(all.count, 5 * 12 * 11 * 48);
  const auto drawing = make_metric("triplet_accuracy", {{"triplets", std::int64_t{20000}}});
  const MetricValue drawn = find(drawing.evaluate(contents), "fingerprint", "margin 0.1");
  EXPECT_EQ(drawn.count, 20000);
  EXPECT_EQ(drawn.note, "20,000 drawn from 31,680 triplets");
  EXPECT_NEAR(drawn.value, all.value, 1.0);  // the standard error is at most 0.35
  EXPECT_EQ(drawn.value, find(drawing.evaluate(contents), "fingerprint", "margin 0.1").value);
}

TEST(TripletAccuracy, OfRowsThatAreNotUnitOnlyMarginZeroIsScored) {
  Evidence::Contents contents = circle(4, 5, 0.5);
  contents.embeddings.push_back({"raw pixels", true, contents.embeddings[0].vectors * 40});
  const MetricResult result = make_metric("triplet_accuracy").evaluate(contents);
  EXPECT_TRUE(has(result, "raw pixels", "margin 0"));
  EXPECT_FALSE(has(result, "raw pixels", "margin 0.1"));
  EXPECT_FALSE(has(result, "raw pixels", "own margin"));
  EXPECT_EQ(find(result, "raw pixels", "margin 0").value, find(result, "fingerprint", "margin 0").value);
  EXPECT_TRUE(find(result, "raw pixels", "margin 0").is_baseline);
}

TEST(TripletAccuracy, LeavesTheOwnMarginOutWhenTheLossHasNone) {
  Evidence::Contents contents = circle(3, 3, 0.1);
  contents.margin = -1;
  EXPECT_FALSE(has(make_metric("triplet_accuracy").evaluate(contents), "fingerprint", "own margin"));
}

TEST(TripletAccuracy, GivesAnIntervalOverPeopleFromTwelveOn) {
  const MetricValue value =
      find(make_metric("triplet_accuracy").evaluate(circle(12, 4, 0.3)), "fingerprint", "margin 0");
  ASSERT_TRUE(value.interval.has_value());
  EXPECT_LT(value.interval->first, value.value);
  EXPECT_GT(value.interval->second, value.value);
  EXPECT_LT(value.interval->second - value.interval->first, 30);
}

TEST(TripletAccuracy, IsUndefinedForOneBoneAndWithoutPairs) {
  const auto metric = make_metric("triplet_accuracy");
  EXPECT_EQ(to_text(find(metric.evaluate(circle(1, 4, 0.1)), "fingerprint", "margin 0")),
            "undefined (triplets need two bones with validation images; there is 1)");
  EXPECT_EQ(to_text(find(metric.evaluate(circle(3, 1, 0.1)), "fingerprint", "margin 0")),
            "undefined (no bone has two validation images)");
}

/// Two bones that were trained on and one that was not: training images at 0 and 10, validation and query images near.
Evidence::Contents classified() {
  Evidence::Contents contents;
  contents.bones = bones(3);
  contents.bones[2].held_out = true;
  contents.bone = integers({0, 1, 0, 0, 1, 1, 0, 1, 2});
  using enum Role;
  contents.role = {training, training, validation, validation, validation, validation, query, query, query};
  contents.embeddings = {
      {"raw pixels", true, at::tensor({0.F, 10.F, 1.F, 9.F, 8.F, 11.F, 6.F, 7.F, 5.F}).view({9, 1})}};
  contents.class_scores = {integers({0, 1}), integers({2, 3, 4, 5, 6, 7}),
                           at::tensor({2.F, 1.F, 2.F, 1.F, 0.F, 1.F, 1.F, 0.F, 1.F, 0.F, 0.F, 1.F}).view({6, 2})};
  return contents;
}

TEST(Classification, IsTheMeanOverBonesOfTheShareOfImages) {
  const MetricResult result = make_metric("classification").evaluate(classified());
  const MetricValue& layer = find(result, "class layer", "validation images");
  EXPECT_DOUBLE_EQ(layer.value, 75);  // both of bone 0, one of two of bone 1
  EXPECT_EQ(layer.count, 2);
  EXPECT_EQ(layer.counted, "bones");
  EXPECT_FALSE(layer.is_baseline);
  EXPECT_EQ(layer.note, "from the training images' own CT volumes");
  EXPECT_DOUBLE_EQ(test::mean_over_people(layer), 75);
  EXPECT_DOUBLE_EQ(find(result, "class layer", "another scan").value, 100);
  EXPECT_DOUBLE_EQ(find(result, "raw pixels, nearest training image", "validation images").value, 75);
  EXPECT_DOUBLE_EQ(find(result, "raw pixels, nearest training image", "another scan").value, 50);
  EXPECT_DOUBLE_EQ(find(result, "chance", "another scan").value, 50);
}

TEST(Classification, SaysThatALossKnowsNoClasses) {
  Evidence::Contents contents = classified();
  contents.class_scores = {};
  const MetricResult result = make_metric("classification").evaluate(contents);
  EXPECT_EQ(to_text(find(result, "class layer", "another scan")), "undefined (the loss knows no classes)");
  EXPECT_DOUBLE_EQ(find(result, "raw pixels, nearest training image", "validation images").value, 75);
}

}  // namespace
}  // namespace osteon
