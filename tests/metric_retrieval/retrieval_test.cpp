// metric/retrieval: ranked lists counted by hand, and references that scripts/metric_references counts place by place.

#include "cases.hpp"
#include "people.hpp"

namespace osteon {
namespace {

constexpr const char* kNever = "retrieval, never trained on";
constexpr const char* kSeen = "retrieval, seen in training";

/// Evidence that is put together query by query. Bone 0 is what all wrong gallery images show.
struct Builder {
  explicit Builder(int bones) {
    for (int b = 0; b < bones; ++b) contents.bones.push_back({text("bone ", b), text("person ", b), Side::left, true});
  }

  std::int64_t image(std::int64_t bone, Role role) {
    bone_of_image.push_back(bone);
    contents.role.push_back(role);
    return std::ssize(bone_of_image) - 1;
  }

  /// A table of queries of `bone`, one a pattern: 'x' is a gallery image of the bone, '.' one of bone 0.
  void add(const std::string& set, std::int64_t bone, const std::vector<std::string>& patterns, bool held_out = true,
           std::int64_t gallery = -1) {
    std::vector<std::int64_t> queries, relevant;
    std::vector<std::int32_t> neighbours;
    for (const std::string& pattern : patterns) {
      queries.push_back(image(bone, Role::query));
      relevant.push_back(std::ranges::count(pattern, 'x'));
      for (const char c : pattern)
        neighbours.push_back(static_cast<std::int32_t>(image(c == 'x' ? bone : 0, Role::gallery)));
    }
    const auto count = std::ssize(patterns), known = std::ssize(patterns.front());
    NeighbourTable table;
    table.embedding_set = set;
    table.is_trivial = set != "fingerprint";
    table.held_out = held_out;
    table.queries = at::tensor(queries, at::kLong);
    table.neighbours = at::tensor(neighbours, at::kInt).view({count, known});
    table.distances = at::arange(count * known, at::kFloat).view({count, known});
    table.relevant = at::tensor(relevant, at::kLong);
    table.gallery = gallery < 0 ? known : gallery;
    contents.neighbours.push_back(table);
    contents.bone = at::tensor(bone_of_image, at::kLong);
  }

  Evidence::Contents contents;
  std::vector<std::int64_t> bone_of_image;
};

std::string pattern_of(const nlohmann::json& ranked) {
  std::string pattern;
  for (const bool hit : ranked) pattern += hit ? 'x' : '.';
  return pattern;
}

const std::map<std::string, ParameterValue> kOneThreeFive = {{"k", std::vector<std::int64_t>{1, 3, 5}}};

TEST(Retrieval, AgreesWithAPlainCountOfEachList) {
  const nlohmann::json queries = fixture("retrieval.json").at("queries");
  ASSERT_EQ(queries.size(), 9U);
  const auto metric = make_metric("retrieval", kOneThreeFive);
  Builder together(10);
  std::map<std::string, double> sums;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const nlohmann::json& query = queries[q];
    Builder alone(2);
    alone.add("fingerprint", 1, {pattern_of(query.at("ranked"))});
    together.add("fingerprint", static_cast<std::int64_t>(q) + 1, {pattern_of(query.at("ranked"))});
    const std::string r = text(", R ", query.at("relevant").get<int>());
    const MetricResult result = metric.evaluate(alone.contents);
    EXPECT_EQ(result.values.size(), 14U);
    const std::map<std::string, std::string> names = {{"precision at 1", "precision at 1"},
                                                      {"Recall@1", "recall 1"},
                                                      {"Recall@3", "recall 3"},
                                                      {"Recall@5", "recall 5"},
                                                      {"R-precision" + r, "r precision"},
                                                      {"MAP@R" + r, "map at r"},
                                                      {"MRR", "reciprocal rank"}};
    for (const auto& [column, name] : names) {
      const double expected = 100 * query.at(name).get<double>();
      EXPECT_NEAR(find(result, kNever, "fingerprint", column).value, expected, 1e-9) << column << " of query " << q;
      sums[name] += expected / 9;
    }
  }
  // One entry a fold, as these are: the queries of all are pooled.
  const MetricResult pooled = metric.evaluate(together.contents);
  EXPECT_EQ(pooled.values.size(), 14U);
  EXPECT_NEAR(find(pooled, kNever, "fingerprint", "MAP@R, R 1–12").value, sums.at("map at r"), 1e-9);
  EXPECT_NEAR(find(pooled, kNever, "fingerprint", "R-precision, R 1–12").value, sums.at("r precision"), 1e-9);
  EXPECT_NEAR(find(pooled, kNever, "fingerprint", "Recall@3").value, sums.at("recall 3"), 1e-9);
  EXPECT_NEAR(find(pooled, kNever, "fingerprint", "MRR").value, sums.at("reciprocal rank"), 1e-9);
  EXPECT_EQ(find(pooled, kNever, "fingerprint", "MRR").count, 9);
}

TEST(Retrieval, OfAHandTable) {
  Builder builder(2);
  builder.add("fingerprint", 1, {"x.x..x"});
  const MetricResult result = make_metric("retrieval").evaluate(builder.contents);
  EXPECT_DOUBLE_EQ(find(result, kNever, "fingerprint", "precision at 1").value, 100);
  EXPECT_NEAR(find(result, kNever, "fingerprint", "R-precision, R 3").value, 100 * 2.0 / 3, 1e-12);
  EXPECT_NEAR(find(result, kNever, "fingerprint", "MAP@R, R 3").value, 100 * (1 + 2.0 / 3) / 3, 1e-12);
  EXPECT_EQ(find(result, kNever, "fingerprint", "MRR").value, 100);
}

TEST(Retrieval, IsPerfectOrNothingWhereItMustBe) {
  Builder builder(3);
  builder.add("fingerprint", 1, {"xxx.....", "xxx....."});
  builder.add("raw pixels", 2, {".....xxx", ".....xxx"});
  const MetricResult result =
      make_metric("retrieval", {{"k", std::vector<std::int64_t>{5}}}).evaluate(builder.contents);
  for (const char* column : {"precision at 1", "Recall@5", "R-precision, R 3", "MAP@R, R 3"}) {
    EXPECT_EQ(find(result, kNever, "fingerprint", column).value, 100) << column;
    EXPECT_EQ(find(result, kNever, "raw pixels", column).value, 0) << column;
    EXPECT_FALSE(find(result, kNever, "fingerprint", column).is_baseline);
    EXPECT_TRUE(find(result, kNever, "raw pixels", column).is_baseline);
  }
  EXPECT_NEAR(find(result, kNever, "raw pixels", "MRR").value, 100.0 / 6, 1e-12);
}

TEST(Retrieval, AveragesOverABonesQueriesThenOverBones) {
  Builder builder(3);
  builder.add("fingerprint", 1, {"x...", "x...", "x...", ".x.."});
  builder.add("fingerprint", 2, {"..x."});
  const MetricResult result =
      make_metric("retrieval", {{"k", std::vector<std::int64_t>{2}}}).evaluate(builder.contents);
  const MetricValue& value = find(result, kNever, "fingerprint", "precision at 1");
  EXPECT_DOUBLE_EQ(value.value, 37.5);  // 3 of 4 of one bone, none of the other; 3 of 5 queries would be 60
  EXPECT_EQ(value.count, 2);
  EXPECT_EQ(value.counted, "bones");
  EXPECT_EQ(value.unit, "%");
  EXPECT_EQ(value.note, "");
  EXPECT_FALSE(value.interval.has_value());
  EXPECT_DOUBLE_EQ(find(result, kNever, "fingerprint", "Recall@2").value, 50);
  EXPECT_EQ(value.people.size(), 2U);
  EXPECT_DOUBLE_EQ(test::mean_over_people(value), 37.5);
}

TEST(Retrieval, KeepsSeenAndNeverTrainedBonesApart) {
  Builder builder(3);
  builder.add("fingerprint", 1, {"x."}, true);
  builder.add("fingerprint", 2, {".xx"}, false);
  const MetricResult result = make_metric("retrieval").evaluate(builder.contents);
  EXPECT_EQ(find(result, kNever, "fingerprint", "R-precision, R 1").value, 100);
  EXPECT_EQ(find(result, kSeen, "fingerprint", "R-precision, R 2").value, 50);
  EXPECT_FALSE(has(result, kSeen, "fingerprint", "R-precision, R 1"));
}

TEST(Retrieval, ChanceIsTheMeanOverAllOrdersOfTheGallery) {
  const nlohmann::json chances = fixture("retrieval.json").at("chance");
  ASSERT_EQ(chances.size(), 6U);
  for (const nlohmann::json& chance : chances) {
    const int gallery = chance.at("gallery"), relevant = chance.at("relevant");
    Builder builder(2);
    builder.add("fingerprint", 1,
                {std::string(static_cast<std::size_t>(relevant), 'x') +
                 std::string(static_cast<std::size_t>(gallery - relevant), '.')});
    const MetricResult result = make_metric("retrieval", kOneThreeFive).evaluate(builder.contents);
    const std::string r = text(", R ", relevant);
    std::map<std::string, std::string> names = {{"precision at 1", "precision at 1"},
                                                {"R-precision" + r, "r precision"},
                                                {"MAP@R" + r, "map at r"},
                                                {"MRR", "reciprocal rank"}};
    for (const int k : {1, 3, 5})
      if (k <= gallery) names[text("Recall@", k)] = text("recall ", k);
    for (const auto& [column, name] : names) {
      const MetricValue& value = find(result, kNever, "chance", column);
      EXPECT_NEAR(value.value, 100 * chance.at(name).get<double>(), 1e-9) << column << ", gallery " << gallery;
      EXPECT_TRUE(value.is_baseline);
      EXPECT_FALSE(value.interval.has_value());
    }
  }
}

TEST(Retrieval, ChanceIsAveragedOverTheBonesOfTheColumn) {
  Builder builder(3);
  builder.add("fingerprint", 1, {"x...", "x...", "x..."});
  builder.add("fingerprint", 2, {"xx.."});
  const MetricResult result = make_metric("retrieval").evaluate(builder.contents);
  EXPECT_DOUBLE_EQ(find(result, kNever, "chance", "precision at 1").value, 37.5);
  EXPECT_EQ(find(result, kNever, "chance", "precision at 1").count, 2);
}

TEST(Retrieval, IsUndefinedWhereKIsLargerThanTheGallery) {
  Builder builder(2);
  builder.add("fingerprint", 1, {"x..."});
  const MetricResult result =
      make_metric("retrieval", {{"k", std::vector<std::int64_t>{4, 5}}}).evaluate(builder.contents);
  EXPECT_EQ(find(result, kNever, "fingerprint", "Recall@4").value, 100);
  for (const char* row : {"fingerprint", "chance"})
    EXPECT_EQ(to_text(find(result, kNever, row, "Recall@5")), "undefined (the gallery has only 4 images)");
  EXPECT_EQ(find(result, kNever, "chance", "Recall@4").value, 100);
}

TEST(Retrieval, SaysWhenOnlyTheNearestAreKnown) {
  Builder builder(3);
  builder.add("fingerprint", 1, {"..x"}, true, 40);
  builder.add("fingerprint", 2, {"...x"}, true, 40);  // fourth: beyond the three that all queries have
  const MetricResult result =
      make_metric("retrieval", {{"k", std::vector<std::int64_t>{3, 4}}}).evaluate(builder.contents);
  EXPECT_DOUBLE_EQ(find(result, kNever, "fingerprint", "Recall@3").value, 50);
  EXPECT_EQ(to_text(find(result, kNever, "fingerprint", "Recall@4")),
            "undefined (only the 3 nearest images are known)");
  EXPECT_NEAR(find(result, kNever, "fingerprint", "MRR@3").value, 100 * (1.0 / 3) / 2, 1e-12);
  EXPECT_FALSE(has(result, kNever, "fingerprint", "MRR"));
  EXPECT_NEAR(find(result, kNever, "chance", "MRR@3").value, 100 * (1 + 1.0 / 2 + 1.0 / 3) / 40, 1e-12);
}

TEST(Retrieval, LeavesOutQueriesWithoutRelevantImagesAndSaysHowMany) {
  Builder builder(3);
  builder.add("fingerprint", 1, {"x..", "...", "..."});
  builder.add("raw pixels", 2, {"...", "..."});
  const MetricResult result = make_metric("retrieval").evaluate(builder.contents);
  const MetricValue& some = find(result, kNever, "fingerprint", "MAP@R, R 1");
  EXPECT_EQ(some.value, 100);
  EXPECT_EQ(some.note, "2 of 3 query images left out, as the gallery has none of their bone");
  const MetricValue& none = find(result, kNever, "raw pixels", "MAP@R, R 1");
  EXPECT_EQ(to_text(none), "undefined (2 of 2 query images left out, as the gallery has none of their bone)");
  EXPECT_EQ(none.count, 0);
}

TEST(Retrieval, IsUndefinedWithoutQueries) {
  Builder builder(2);
  builder.add("fingerprint", 1, {"x.."});
  NeighbourTable& table = builder.contents.neighbours[0];
  table.queries = at::empty({0}, at::kLong);
  table.neighbours = at::empty({0, 3}, at::kInt);
  table.relevant = at::empty({0}, at::kLong);
  const MetricResult result = make_metric("retrieval").evaluate(builder.contents);
  ASSERT_FALSE(result.values.empty());
  for (const MetricValue& value : result.values) EXPECT_TRUE(std::isnan(value.value)) << value.column;
  EXPECT_EQ(to_text(find(result, kNever, "fingerprint", "MAP@R")), "undefined (no query images)");
}

TEST(Retrieval, GivesAnIntervalOverPeopleFromTwelveOn) {
  Builder builder(13);
  for (int bone = 1; bone <= 12; ++bone)
    builder.add("fingerprint", bone, {bone <= 2 ? ".x" : "x.", bone <= 2 ? ".x" : "x."});
  builder.contents.seed = 5;
  const auto metric = make_metric("retrieval");
  const MetricResult result = metric.evaluate(builder.contents);
  const MetricValue& value = find(result, kNever, "fingerprint", "precision at 1");
  EXPECT_NEAR(value.value, 100 * 10.0 / 12, 1e-9);
  ASSERT_TRUE(value.interval.has_value());
  // Resampled shares are Binomial(12, 10/12) / 12: its 2.5 and 97.5 % points are 7/12 and 12/12.
  EXPECT_NEAR(value.interval->first, 100 * 7.0 / 12, 1e-9);
  EXPECT_NEAR(value.interval->second, 100, 1e-9);

  builder.contents.bones[12].subject = "person 1";  // the other side: eleven people
  EXPECT_FALSE(find(metric.evaluate(builder.contents), kNever, "fingerprint", "precision at 1").interval.has_value());
}

TEST(Retrieval, SaysThatGalleryAndQueriesShareAVolume) {
  Builder builder(2);
  builder.add("fingerprint", 1, {"x.........", ".........."});
  builder.contents.queries_share_volume = true;
  for (const MetricValue& value : make_metric("retrieval").evaluate(builder.contents).values)
    EXPECT_EQ(
        value.note,
        "gallery and queries share a CT volume: says nothing about identity; 1 of 2 query images left out, as the "
        "gallery has none of their bone");
}

TEST(Retrieval, OfTiesTheGivenOrderCounts) {
  Builder builder(2);
  builder.add("fingerprint", 1, {"x.x.", ".x.x"});
  builder.contents.neighbours[0].distances.zero_();
  const MetricResult result = make_metric("retrieval").evaluate(builder.contents);
  EXPECT_EQ(find(result, kNever, "fingerprint", "precision at 1").value, 50);
}

TEST(Retrieval, RefusesTablesThatCannotBe) {
  Builder good(2);
  good.add("fingerprint", 1, {"x.", ".x"});
  const auto message = [&](const auto& spoil) {
    Evidence::Contents contents = good.contents;
    spoil(contents.neighbours[0]);
    return refusal("retrieval", contents);
  };
  EXPECT_EQ(
      message([](NeighbourTable& t) { t.relevant = at::full({2}, 3, at::kLong); }),
      "metric/retrieval: neighbours by fingerprint: a query has 3 relevant images, but only 2 neighbours are given; "
      "at least as many are needed");
  EXPECT_EQ(message([](NeighbourTable& t) { t.relevant = at::ones({3}, at::kLong); }),
            "metric/retrieval: neighbours by fingerprint: queries [2], neighbours [2, 2] and relevant [3] must be [Q], "
            "[Q, K] and [Q]");
  EXPECT_EQ(message([](NeighbourTable& t) {
              t.neighbours = at::full({2, 2}, 6, at::kInt);
            }),
            "metric/retrieval: neighbours by fingerprint: an image's number is not in 0 … 5, the images of the run");
  EXPECT_EQ(message([](NeighbourTable& t) {
              t.neighbours = at::zeros({2, 2}, at::kLong);
            }),
            "metric/retrieval: neighbours by fingerprint: queries and relevant must be int64, neighbours int32");
  EXPECT_EQ(message([](NeighbourTable& t) { t.gallery = 1; }),
            "metric/retrieval: neighbours by fingerprint: 2 neighbours of each query, but 1 images in the gallery");
  EXPECT_EQ(message([](NeighbourTable& t) { t.relevant = at::Tensor(); }),
            "metric/retrieval: neighbours by fingerprint: queries, neighbours and relevant must all be given");
  Evidence::Contents contents = good.contents;
  contents.bones.pop_back();
  EXPECT_EQ(refusal("retrieval", contents),
            "metric/retrieval: neighbours by fingerprint: an image shows bone 1, but there are 1 bones");
}

TEST(Retrieval, RefusesAKThatStandsTwiceOrIsNone) {
  EXPECT_THROW(make_metric("retrieval", {{"k", std::vector<std::int64_t>{5, 1, 5}}}), Error);
  EXPECT_THROW(make_metric("retrieval", {{"k", std::vector<std::int64_t>{0}}}), Error);
}

}  // namespace
}  // namespace osteon
