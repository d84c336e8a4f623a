// metric/clustering, and the agreement of groupings by itself: scikit-learn's values (scripts/metric_references), and
// k-means against the best of all groupings of few points.

#include "cases.hpp"
#include "statistics/agreement.hpp"

#include <osteon/random.hpp>

#include <cmath>
#include <limits>

namespace osteon {
namespace {

constexpr const char* kClusteringNever = "clustering, never trained on";
constexpr const char* kClusteringSeen = "clustering, seen in training";

TEST(Agreement, IsThatOfScikitLearn) {
  const nlohmann::json cases = fixture("agreement.json").at("cases");
  ASSERT_EQ(cases.size(), 9U);
  for (const nlohmann::json& one : cases) {
    const std::string name = one.at("name");
    const std::vector<std::int64_t> first = one.at("first"), second = one.at("second");
    EXPECT_NEAR(statistics::normalized_mutual_information(first, second), one.at("nmi"), 1e-12) << name;
    EXPECT_NEAR(statistics::adjusted_mutual_information(first, second), one.at("ami"), 1e-12) << name;
    EXPECT_NEAR(statistics::adjusted_mutual_information(second, first), one.at("ami"), 1e-12) << name;
    EXPECT_NEAR(statistics::expected_mutual_information(first, second), one.at("expected"), 1e-12) << name;
  }
}

TEST(Agreement, OfGroupingsThatLeaveNoChoiceIsFull) {
  const std::vector<std::int64_t> one(5, 3), apart{4, 9, 1, -2, 0}, other_apart{0, 1, 2, 3, 4};
  EXPECT_EQ(statistics::normalized_mutual_information(one, one), 1);
  EXPECT_EQ(statistics::adjusted_mutual_information(one, one), 1);
  EXPECT_NEAR(statistics::normalized_mutual_information(apart, other_apart), 1, 1e-12);
  EXPECT_EQ(statistics::adjusted_mutual_information(apart, other_apart), 1);
  EXPECT_NEAR(statistics::entropy(apart), std::log(5), 1e-12);
}

TEST(Agreement, OfNothingIsUndefinedAndOfDifferentThingsRefused) {
  const std::vector<std::int64_t> none, two{0, 1}, three{0, 1, 1};
  EXPECT_TRUE(std::isnan(statistics::normalized_mutual_information(none, none)));
  EXPECT_TRUE(std::isnan(statistics::adjusted_mutual_information(none, none)));
  EXPECT_TRUE(std::isnan(statistics::expected_mutual_information(none, none)));
  EXPECT_THROW((void)statistics::adjusted_mutual_information(two, three), Error);
  EXPECT_THROW((void)statistics::normalized_mutual_information(two, three), Error);
}

/// Query images of bones never trained on: `points` `[n, d]` of the given bones.
Evidence::Contents queries(const at::Tensor& points, const std::vector<std::int64_t>& bones) {
  Evidence::Contents contents;
  for (std::int64_t b = 0; b <= *std::ranges::max_element(bones); ++b)
    contents.bones.push_back({text("bone ", b), text("person ", b), Side::left, true});
  contents.bone = at::tensor(bones, at::kLong);
  contents.role.assign(bones.size(), Role::query);
  contents.embeddings = {{"fingerprint", false, points.to(at::kFloat)}};
  return contents;
}

/// `each` images a bone around the corners of a grid that is `gap` wide, in `d` dimensions, deviation 1.
Evidence::Contents blobs(int bones, int each, double gap, std::uint64_t seed, int d = 2) {
  Random random(seed, "blobs");
  const int side = static_cast<int>(std::ceil(std::sqrt(bones)));
  std::vector<double> values;
  std::vector<std::int64_t> bone;
  for (int b = 0; b < bones; ++b)
    for (int i = 0; i < each; ++i) {
      bone.push_back(b);
      for (int j = 0; j < d; ++j) values.push_back(gap * (j == 0 ? b % side : j == 1 ? b / side : 0) + random.normal());
    }
  Evidence::Contents contents = queries(at::tensor(values, at::kDouble).view({-1, d}), bone);
  contents.seed = seed;
  return contents;
}

double nmi(const Evidence::Contents& contents, std::int64_t restarts, std::int64_t iterations) {
  const auto metric = make_metric("clustering", {{"restarts", restarts}, {"iterations", iterations}});
  return find(metric.evaluate(contents), kClusteringNever, "fingerprint", "NMI").value;
}

TEST(Clustering, OfBonesFarApartIsPerfect) {
  const MetricResult result = make_metric("clustering").evaluate(blobs(6, 15, 40, 1, 11));
  ASSERT_EQ(result.values.size(), 4U);
  for (const char* column : {"NMI", "AMI"}) {
    const MetricValue& value = find(result, kClusteringNever, "fingerprint", column);
    EXPECT_NEAR(value.value, 1, 1e-12);
    EXPECT_EQ(value.count, 6);
    EXPECT_EQ(value.counted, "bones");
    EXPECT_EQ(value.note, "");
    EXPECT_FALSE(value.is_baseline);
  }
}

TEST(Clustering, OfBonesThatLieOnOneAnotherIsChance) {
  const MetricResult result = make_metric("clustering").evaluate(blobs(8, 30, 0, 2));
  EXPECT_NEAR(find(result, kClusteringNever, "fingerprint", "AMI").value, 0, 0.05);
  const MetricValue &nmi = find(result, kClusteringNever, "fingerprint", "NMI"),
                    &chance = find(result, kClusteringNever, "chance", "NMI");
  EXPECT_NEAR(nmi.value, chance.value, 0.05);
  EXPECT_GT(chance.value, 0.03);
  EXPECT_TRUE(chance.is_baseline);
  EXPECT_EQ(find(result, kClusteringNever, "chance", "AMI").value, 0);
}

TEST(Clustering, ChanceIsTheMeanOverBonesDealtAnew) {
  std::vector<std::int64_t> bones(24);
  for (std::size_t i = 0; i < bones.size(); ++i) bones[i] = i < 12 ? 0 : i < 20 ? 1 : 2;
  double sum = 0;
  constexpr int kDeals = 4000;
  for (int deal = 0; deal < kDeals; ++deal) {
    std::vector<std::int64_t> dealt;
    for (const std::int64_t i : Random(3, "deal", static_cast<std::uint64_t>(deal)).permutation(24))
      dealt.push_back(bones[static_cast<std::size_t>(i)]);
    sum += statistics::normalized_mutual_information(bones, dealt);
  }
  const MetricResult result = make_metric("clustering").evaluate(queries(at::zeros({24, 2}), bones));
  EXPECT_NEAR(find(result, kClusteringNever, "chance", "NMI").value, sum / kDeals,
              0.004);  // standard error about 0.001
}

/// Sum of squared distances from the means of the groups.
double inertia(const std::vector<double>& x, const std::vector<double>& y, const std::vector<std::int64_t>& groups) {
  double sum = 0;
  for (const std::int64_t group : {0, 1, 2}) {
    double n = 0, mean_x = 0, mean_y = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (groups[i] == group) n += 1, mean_x += x[i], mean_y += y[i];
    for (std::size_t i = 0; i < x.size(); ++i)
      if (groups[i] == group) sum += std::pow(x[i] - mean_x / n, 2) + std::pow(y[i] - mean_y / n, 2);
  }
  return sum;
}

TEST(Clustering, FindsTheBestOfAllGroupingsOfFewPoints) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Random random(seed, "few points");
    std::vector<double> x, y;
    for (int i = 0; i < 9; ++i) {
      x.push_back(random.normal());
      y.push_back(random.normal());
    }
    std::vector<std::int64_t> best;
    double least = std::numeric_limits<double>::infinity();
    for (int code = 0; code < 19683; ++code) {  // 3^9
      std::vector<std::int64_t> groups;
      for (int i = 0, rest = code; i < 9; ++i, rest /= 3) groups.push_back(rest % 3);
      if (const double sum = inertia(x, y, groups); sum < least) {
        least = sum;
        best = groups;
      }
    }
    const at::Tensor points = at::stack({at::tensor(x, at::kDouble), at::tensor(y, at::kDouble)}, 1);
    EXPECT_NEAR(nmi(queries(points, best), 60, 100), 1, 1e-12) << "seed " << seed;
  }
}

TEST(Clustering, MoreStartsAndMovesComeNearer) {
  double one_start = 0, many_starts = 0, one_move = 0, many_moves = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Evidence::Contents apart = blobs(25, 8, 12, seed), near = blobs(9, 40, 4, seed);
    one_start += nmi(apart, 1, 100) / 6;
    many_starts += nmi(apart, 40, 100) / 6;
    one_move += nmi(near, 1, 1) / 6;
    many_moves += nmi(near, 1, 100) / 6;
  }
  EXPECT_GT(many_starts, one_start);
  EXPECT_GT(many_starts, 0.99);
  EXPECT_GT(many_moves, one_move);
}

TEST(Clustering, IsTheSameForTheSameSeedAndWhereverTheOriginIs) {
  Evidence::Contents contents = blobs(9, 20, 3, 4);
  const double first = nmi(contents, 3, 50);
  EXPECT_EQ(nmi(contents, 3, 50), first);
  contents.embeddings[0].vectors += 1024;
  EXPECT_NEAR(nmi(contents, 3, 50), first, 0.02);
}

TEST(Clustering, OfEqualEmbeddingsIsNoAgreement) {
  const MetricResult result =
      make_metric("clustering").evaluate(queries(at::ones({12, 3}), {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}));
  for (const char* column : {"NMI", "AMI"}) {
    EXPECT_EQ(find(result, kClusteringNever, "fingerprint", column).value, 0);
    EXPECT_EQ(find(result, kClusteringNever, "fingerprint", column).note,
              "clusters: 1, as there are no more different embeddings");
  }
}

TEST(Clustering, OfFewerDifferentEmbeddingsThanBonesHasAsManyClusters) {
  const at::Tensor points = at::tensor({0., 0., 1., 1., 1., 1.}, at::kDouble).view({6, 1});
  const MetricResult result = make_metric("clustering").evaluate(queries(points, {0, 0, 1, 1, 2, 2}));
  const std::vector<std::int64_t> bones{0, 0, 1, 1, 2, 2}, clusters{0, 0, 1, 1, 1, 1};
  EXPECT_NEAR(find(result, kClusteringNever, "fingerprint", "NMI").value,
              statistics::normalized_mutual_information(clusters, bones), 1e-12);
  EXPECT_EQ(find(result, kClusteringNever, "fingerprint", "NMI").note,
            "clusters: 2, as there are no more different embeddings");
}

TEST(Clustering, IsUndefinedForOneBone) {
  const MetricResult result = make_metric("clustering").evaluate(queries(at::rand({4, 3}), {0, 0, 0, 0}));
  ASSERT_EQ(result.values.size(), 2U);
  for (const MetricValue& value : result.values) EXPECT_EQ(to_text(value), "undefined (one bone)");
}

TEST(Clustering, KeepsSeenAndNeverTrainedBonesApart) {
  Evidence::Contents contents = blobs(4, 10, 40, 6);
  contents.bones[2].held_out = contents.bones[3].held_out = false;
  contents.embeddings[0].vectors.narrow(0, 20, 20).zero_();  // the seen ones can't be told apart
  contents.embeddings.push_back({"raw pixels", true, at::zeros({40, 5})});
  const MetricResult result = make_metric("clustering").evaluate(contents);
  EXPECT_NEAR(find(result, kClusteringNever, "fingerprint", "AMI").value, 1, 1e-12);
  EXPECT_EQ(find(result, kClusteringNever, "fingerprint", "AMI").count, 2);
  EXPECT_EQ(find(result, kClusteringSeen, "fingerprint", "AMI").value, 0);
  EXPECT_TRUE(find(result, kClusteringSeen, "raw pixels", "AMI").is_baseline);
}

TEST(Clustering, ValidationImagesAreQueriesOnlyWhereThereIsNoOtherVolume) {
  Evidence::Contents contents = blobs(3, 10, 40, 7);
  contents.role.assign(30, Role::validation);
  EXPECT_TRUE(make_metric("clustering").evaluate(contents).values.empty());
  contents.queries_share_volume = true;
  contents.folds = 4;
  const MetricValue value = find(make_metric("clustering").evaluate(contents), kClusteringNever, "fingerprint", "NMI");
  EXPECT_NEAR(value.value, 1, 1e-12);
  EXPECT_EQ(value.note, "gallery and queries share a CT volume: says nothing about identity; of the first of 4 folds");
}

TEST(Clustering, RefusesEmbeddingsThatCannotBe) {
  Evidence::Contents contents = blobs(3, 4, 40, 8);
  contents.embeddings[0].vectors[3][1] = std::nan("");
  EXPECT_EQ(refusal("clustering", contents),
            "metric/clustering: embeddings fingerprint of query images hold values that are not finite");
  contents.embeddings[0].vectors = at::zeros({11, 2});
  EXPECT_EQ(refusal("clustering", contents),
            "metric/clustering: embeddings fingerprint must be float32 [12, d], a row for each image");
  contents = blobs(3, 4, 40, 8);
  contents.bones.pop_back();
  EXPECT_EQ(refusal("clustering", contents), "metric/clustering: image 8 shows bone 2, but there are 2 bones");
}

}  // namespace
}  // namespace osteon
