// metric/match_rate on matches counted by hand and by a naive loop.

#include "people.hpp"
#include "scene.hpp"

namespace osteon {
namespace {

constexpr const char* kMatchRate = "match_rate";
constexpr const char* kSquared = "match rate, squared distance below the margin";
constexpr const char* kEuclidean = "match rate, Euclidean distance below the margin";

/// Margin 0.1: distances below 0.316, or 0.1 when Euclidean ones are read.
Scene three_people() {
  Scene scene;
  scene.contents.margin = 0.1;
  const auto first = scene.bone(true), second = scene.bone(true), seen = scene.bone(false);
  scene.on_circle(first, Role::gallery, 0);
  scene.on_circle(first, Role::gallery, 0.2);
  scene.on_circle(second, Role::gallery, 1);
  scene.on_circle(seen, Role::training, 0.7);
  scene.on_circle(seen, Role::validation, 2);
  scene.on_circle(first, Role::query, 0.05);   // own 2 of 2 (Euclidean 1), others 0 of 3
  scene.on_circle(first, Role::query, 0.45);   // own 1 of 2 (0), others 1 of 3 (0): the seen bone at 0.7
  scene.on_circle(second, Role::query, 0.95);  // own 1 of 1 (1), others 1 of 4 (0)
  scene.on_circle(seen, Role::query, 0.7);     // was trained on: has no row
  return scene;
}

TEST(MatchRate, CountsMatchesByHand) {
  const MetricResult result = make_metric(kMatchRate).evaluate(three_people().finished());
  EXPECT_EQ(result.values.size(), 6U);
  const MetricValue& own = find(result, kSquared, "fingerprint, bone 0", "same bone");
  EXPECT_DOUBLE_EQ(own.value, 75);
  EXPECT_EQ(own.unit, "%");
  EXPECT_TRUE(own.larger_is_better);
  EXPECT_FALSE(own.is_baseline);
  EXPECT_EQ(own.count, 1);
  EXPECT_EQ(own.note, "");
  const MetricValue& other = find(result, kSquared, "fingerprint, bone 0", "other people's");
  EXPECT_DOUBLE_EQ(other.value, 100.0 / 6);
  EXPECT_FALSE(other.larger_is_better);
  EXPECT_DOUBLE_EQ(find(result, kSquared, "fingerprint, bone 1", "same bone").value, 100);
  EXPECT_DOUBLE_EQ(find(result, kSquared, "fingerprint, bone 1", "other people's").value, 25);
  const MetricValue& mean = find(result, kSquared, "fingerprint, mean of bones", "same bone");
  EXPECT_DOUBLE_EQ(mean.value, 87.5);
  EXPECT_EQ(mean.count, 2);
  EXPECT_EQ(mean.counted, "bones");
  EXPECT_FALSE(mean.interval.has_value());
  EXPECT_DOUBLE_EQ(find(result, kSquared, "fingerprint, mean of bones", "other people's").value, (100.0 / 6 + 25) / 2);
}

TEST(MatchRate, ReadsTheMarginAsAEuclideanDistanceToo) {
  const MetricResult result =
      make_metric(kMatchRate, {{"reading", std::string("euclidean")}}).evaluate(three_people().finished());
  EXPECT_DOUBLE_EQ(find(result, kEuclidean, "fingerprint, bone 0", "same bone").value, 25);
  EXPECT_DOUBLE_EQ(find(result, kEuclidean, "fingerprint, bone 1", "same bone").value, 100);
  EXPECT_DOUBLE_EQ(find(result, kEuclidean, "fingerprint, mean of bones", "other people's").value, 0);
}

TEST(MatchRate, MatchesANaiveLoop) {
  Random random(1, "cloud");
  Scene scene;
  scene.contents.margin = 0.6;
  for (int b = 0; b < 6; ++b) {
    const auto bone = scene.bone(b < 4, text("person ", b / 2));
    for (int i = 0; i < 30; ++i) {
      std::vector<double> at(4);
      double squares = 0;
      for (double& x : at) x = random.normal() + (&x == &at[0] ? b : 0), squares += x * x;
      for (double& x : at) x /= std::sqrt(squares);
      scene.image(bone, i < 20 ? Role::gallery : Role::query, at);
    }
  }
  const Evidence::Contents contents = scene.finished();
  const MetricResult result = make_metric(kMatchRate).evaluate(contents);
  double mean = 0;
  for (std::int64_t b = 0; b < 4; ++b) {
    double hits[2] = {}, total[2] = {};
    for (std::int64_t q = 0; q < contents.bone.numel(); ++q)
      for (std::int64_t g = 0; g < contents.bone.numel(); ++g) {
        const auto other = contents.bone[g].item<std::int64_t>();
        if (contents.bone[q].item<std::int64_t>() != b || contents.role[static_cast<std::size_t>(q)] != Role::query ||
            contents.role[static_cast<std::size_t>(g)] == Role::query || (other != b && other / 2 == b / 2))
          continue;
        total[other == b] += 1;
        hits[other == b] += std::pow(distance(contents.embeddings[0].vectors, q, g), 2) < 0.6 ? 1 : 0;
      }
    EXPECT_NEAR(find(result, kSquared, text("fingerprint, bone ", b), "same bone").value, 100 * hits[1] / total[1],
                1e-9);
    EXPECT_NEAR(find(result, kSquared, text("fingerprint, bone ", b), "other people's").value, 100 * hits[0] / total[0],
                1e-9);
    mean += 25 * hits[1] / total[1];
  }
  EXPECT_NEAR(find(result, kSquared, "fingerprint, mean of bones", "same bone").value, mean, 1e-9);
}

TEST(MatchRate, LeavesBonesWithoutGalleryOutOfTheMean) {
  Scene scene = three_people();
  const auto unknown = scene.bone(true);
  scene.on_circle(unknown, Role::query, 0.05);
  const MetricResult result = make_metric(kMatchRate).evaluate(scene.finished());
  EXPECT_EQ(to_text(find(result, kSquared, "fingerprint, bone 3", "same bone")),
            "undefined (no gallery X-ray of the bone)");
  EXPECT_DOUBLE_EQ(find(result, kSquared, "fingerprint, bone 3", "other people's").value, 40);
  EXPECT_DOUBLE_EQ(find(result, kSquared, "fingerprint, mean of bones", "same bone").value, 87.5);
  EXPECT_EQ(find(result, kSquared, "fingerprint, mean of bones", "same bone").count, 2);
  EXPECT_EQ(find(result, kSquared, "fingerprint, mean of bones", "other people's").count, 3);
}

TEST(MatchRate, SaysWhyThereIsNone) {
  Scene scene = three_people();
  for (EvidenceBone& bone : scene.contents.bones) bone.held_out = false;
  const auto mean = [&] {
    return to_text(
        find(make_metric(kMatchRate).evaluate(scene.finished()), kSquared, "fingerprint, mean of bones", "same bone"));
  };
  EXPECT_EQ(mean(), "undefined (no X-ray of a never-trained bone)");
  scene.contents.margin = -1;
  EXPECT_EQ(mean(), "undefined (the loss has no margin)");
  scene = three_people();
  for (Role& role : scene.contents.role) role = Role::query;
  EXPECT_EQ(mean(), "undefined (no bone has such gallery X-rays)");
}

TEST(MatchRate, IsOfUnitRowsOnly) {
  Evidence::Contents contents = three_people().finished();
  contents.embeddings.push_back({"untrained network", true, contents.embeddings[0].vectors.clone()});
  contents.embeddings.push_back({"bone length", true, contents.embeddings[0].vectors * 2});
  const MetricResult result = make_metric(kMatchRate).evaluate(contents);
  EXPECT_TRUE(find(result, kSquared, "untrained network, mean of bones", "same bone").is_baseline);
  EXPECT_FALSE(has(result, kSquared, "bone length, mean of bones", "same bone"));
}

TEST(MatchRate, SaysWhereOneVolumeIsOnBothSidesAndOfWhichFold) {
  Scene scene = three_people();
  scene.contents.queries_share_volume = true;
  scene.contents.folds = 4;
  for (const MetricValue& value : make_metric(kMatchRate).evaluate(scene.finished()).values)
    EXPECT_EQ(value.note,
              "gallery and queries share a CT volume: says nothing about identity; of the first of 4 folds");
}

TEST(MatchRate, ResamplesPeopleFromTwelveOn) {
  for (const int people : {11, 12}) {
    Scene scene;
    scene.contents.margin = 0.1;
    for (int b = 0; b < people; ++b) {
      const auto bone = scene.bone(true);
      scene.on_circle(bone, Role::gallery, 0.5 * b);
      scene.on_circle(bone, Role::query, 0.5 * b + (b % 3 == 0 ? 0.4 : 0));
    }
    const MetricResult result = make_metric(kMatchRate).evaluate(scene.finished());
    const MetricValue& value = find(result, kSquared, "fingerprint, mean of bones", "same bone");
    EXPECT_EQ(std::ssize(value.people), people);
    EXPECT_NEAR(test::mean_over_people(value), value.value, 1e-9);
    ASSERT_EQ(value.interval.has_value(), people == 12);
    if (!value.interval) continue;
    EXPECT_NEAR(value.value, 100 * 8.0 / 12, 1e-9);
    EXPECT_LT(value.interval->first, value.value);
    EXPECT_GT(value.interval->second, value.value);
  }
}

}  // namespace
}  // namespace osteon
