// metric/verification on evidence small enough to count by hand.

#include "host/handles.hpp"
#include "host/registry.hpp"
#include "people.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

MetricResult evaluate(const Evidence::Contents& contents, const Given& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("metric", "verification");
  return host::MetricHandle(plugin, Parameters(plugin.schema, given)).evaluate(contents);
}

const MetricValue* find(const MetricResult& result, const std::string& table, const std::string& row,
                        const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.table == table && value.row == row && value.column == column) return &value;
  return nullptr;
}

const MetricValue& at(const MetricResult& result, const std::string& table, const std::string& row,
                      const std::string& column) {
  const MetricValue* value = find(result, table, row, column);
  if (!value) throw failure(text("no value ", table, " / ", row, " / ", column));
  return *value;
}

const Chart& chart(const MetricResult& result, const std::string& title) {
  for (const Chart& one : result.charts)
    if (one.title == title) return one;
  throw failure(text("no chart ", title));
}

constexpr const char* kRanks = "identity, ranks, bones never trained on";
constexpr const char* kVerification = "verification, bones never trained on";
constexpr const char* kOpen = "open set, enrolled or not: equal error rate";
constexpr const char* kRatios = "likelihood ratios, bones never trained on";

/// One bone of each of `people` people and `each` queries of each bone; distance `of(bone, enrolled, query)`.
template <class Distance>
Evidence::Contents world(std::int64_t people, std::int64_t each, const Distance& of, const char* set = "fingerprint") {
  Evidence::Contents contents;
  for (std::int64_t b = 0; b < people; ++b)
    contents.bones.push_back({text("bone ", b), text("p", b), Side::right, true});
  Trials trials{set,
                std::string(set) != "fingerprint",
                true,
                at::arange(people * each, at::kLong),
                at::empty({people * each}, at::kLong),
                at::empty({people * each, people})};
  for (std::int64_t q = 0; q < people * each; ++q) {
    trials.truth[q] = q / each;
    for (std::int64_t b = 0; b < people; ++b) trials.distances[q][b] = static_cast<float>(of(q / each, b, q % each));
  }
  contents.trials = {trials};
  return contents;
}

double perfect(std::int64_t shown, std::int64_t enrolled, std::int64_t /*query*/) {
  return shown == enrolled ? 0.5 : 2.0 + 0.1 * static_cast<double>(enrolled);
}

TEST(Verification, OfPerfectDistances) {
  const MetricResult result = evaluate(world(5, 2, perfect));
  EXPECT_EQ(to_text(at(result, kRanks, "fingerprint", "rank 1")), "5 of 5");
  EXPECT_EQ(at(result, kRanks, "fingerprint", "mean reciprocal rank").value, 1);
  const MetricValue& equal = at(result, kVerification, "fingerprint", "equal error rate");
  EXPECT_EQ(equal.value, 0);
  EXPECT_EQ(equal.count, 5);
  EXPECT_EQ(equal.counted, "people, 10 pairs of them");
  EXPECT_FALSE(equal.larger_is_better);
  EXPECT_FALSE(equal.is_baseline);
  EXPECT_FALSE(equal.interval.has_value());
  EXPECT_EQ(at(result, kVerification, "fingerprint", "area under ROC").value, 1);
  EXPECT_EQ(at(result, kOpen, "fingerprint", "never trained on").value, 0);
  EXPECT_EQ(at(result, kRatios, "fingerprint", "Cllr min").value, 0);
  const double cost = at(result, kRatios, "fingerprint", "Cllr").value;
  EXPECT_GT(cost, 0);  // three people allow no ratio much beyond 4
  EXPECT_LT(cost, 0.5);
}

TEST(Verification, OfDistancesThatAllTieIsChance) {
  const MetricResult result = evaluate(world(4, 1, [](auto...) { return 1.0; }));
  for (const char* column : {"rank 1", "rank 3", "mean reciprocal rank"})
    EXPECT_NEAR(at(result, kRanks, "fingerprint", column).value, at(result, kRanks, "chance", column).value, 1e-12);
  EXPECT_NEAR(at(result, kRanks, "chance", "rank 3").value, 3, 1e-12);  // of 4 bones
  EXPECT_NEAR(at(result, kRanks, "chance", "mean reciprocal rank").value, (1 + 0.5 + 1.0 / 3 + 0.25) / 4, 1e-12);
  EXPECT_TRUE(at(result, kRanks, "chance", "rank 1").is_baseline);
  EXPECT_EQ(at(result, kVerification, "fingerprint", "equal error rate").value, 50);
  EXPECT_EQ(at(result, kVerification, "fingerprint", "area under ROC").value, 0.5);
  EXPECT_EQ(at(result, kOpen, "fingerprint", "never trained on").value, 50);
  EXPECT_NEAR(at(result, kRatios, "fingerprint", "Cllr").value, 1, 1e-9);
  EXPECT_NEAR(at(result, kRatios, "fingerprint", "Cllr min").value, 1, 1e-9);
}

TEST(Verification, TellsTrueAcceptsOnlyWherePeopleAreEnough) {
  const MetricResult few = evaluate(world(5, 1, perfect));
  EXPECT_EQ(to_text(at(few, kVerification, "fingerprint", "true accepts at 10 % false accepts")),
            "undefined (below 3 / 10 pairs of 5 people)");
  const MetricResult enough = evaluate(world(9, 1, perfect));  // 36 pairs: 0.083
  EXPECT_EQ(at(enough, kVerification, "fingerprint", "true accepts at 10 % false accepts").value, 100);
  EXPECT_TRUE(std::isnan(at(enough, kVerification, "fingerprint", "true accepts at 1 % false accepts").value));
  const MetricResult asked = evaluate(world(9, 1, perfect), {{"false_accept_rates", std::vector<double>{0.2}}});
  EXPECT_EQ(at(asked, kVerification, "fingerprint", "true accepts at 20 % false accepts").value, 100);
  EXPECT_EQ(find(asked, kVerification, "fingerprint", "true accepts at 10 % false accepts"), nullptr);
}

TEST(Verification, CountsRanksInBones) {
  // Bone 1's second image is nearest to bone 0, then to itself: 2.5 of 3 bones within rank 1.
  const auto of = [](std::int64_t shown, std::int64_t enrolled, std::int64_t query) {
    if (shown == 1 && query == 1) return enrolled == 0 ? 0.1 : enrolled == 1 ? 0.2 : 3.0;
    return perfect(shown, enrolled, query);
  };
  const MetricResult result = evaluate(world(3, 2, of), {{"ranks", std::vector<std::int64_t>{1, 2}}});
  EXPECT_EQ(to_text(at(result, kRanks, "fingerprint", "rank 1")), "2.5 of 3");
  EXPECT_EQ(to_text(at(result, kRanks, "fingerprint", "rank 2")), "3 of 3");
  EXPECT_EQ(find(result, kRanks, "fingerprint", "rank 3"), nullptr);
  const MetricValue& first = at(result, kRanks, "fingerprint", "rank 1");
  ASSERT_EQ(first.people.size(), 3U);
  EXPECT_EQ(first.people[1].person, "p1");
  EXPECT_DOUBLE_EQ(first.people[1].sum, 50);
  EXPECT_NEAR(test::mean_over_people(first), 100 * 2.5 / 3, 1e-9);
  EXPECT_DOUBLE_EQ(test::mean_over_people(at(result, kRanks, "fingerprint", "mean reciprocal rank")),
                   (1 + 0.75 + 1) / 3);
  EXPECT_TRUE(at(result, kRanks, "chance", "rank 1").people.empty());
  EXPECT_DOUBLE_EQ(at(result, kRanks, "fingerprint", "mean reciprocal rank").value, (1 + 0.75 + 1) / 3);
  const ChartSeries& curve = chart(result, "Cumulative match characteristic, bones never trained on").series.front();
  EXPECT_EQ(curve.x, (std::vector<double>{1, 2, 3}));
  EXPECT_NEAR(curve.y[0], 100 * 2.5 / 3, 1e-9);
  EXPECT_NEAR(curve.y[1], 100, 1e-9);
  EXPECT_EQ(at(result, kRatios, "fingerprint", "Cllr").note,
            "calibrating without both people of a pair needs 4 people; there are 3");
}

TEST(Verification, PoolsFoldsAndKeepsColumnsAndSetsApart) {
  Evidence::Contents contents = world(6, 1, perfect);
  const Trials all = contents.trials[0];
  contents.folds = 2;
  contents.trials.clear();
  for (const auto& [first, last] : {std::pair{0, 3}, std::pair{3, 6}}) {
    Trials fold = all;
    fold.queries = all.queries.slice(0, first, last);
    fold.truth = all.truth.slice(0, first, last);
    fold.distances = all.distances.slice(0, first, last);
    contents.trials.push_back(fold);
  }
  contents.trials.push_back(all);
  contents.trials.back().held_out = false;
  contents.trials.push_back(all);
  contents.trials.back().embedding_set = "raw pixels";
  contents.trials.back().is_trivial = true;
  const MetricResult result = evaluate(contents);
  EXPECT_EQ(at(result, kRanks, "fingerprint", "rank 1").count, 6);
  EXPECT_EQ(at(result, kRanks, "fingerprint", "rank 1").note, "distances of 2 networks pooled");
  EXPECT_EQ(at(result, "identity, ranks, bones seen in training", "fingerprint", "rank 1").note, "");
  EXPECT_TRUE(at(result, kVerification, "raw pixels", "equal error rate").is_baseline);
  const Chart& roc = chart(result, "Receiver operating characteristic, bones never trained on");
  ASSERT_EQ(roc.series.size(), 2U);
  EXPECT_TRUE(roc.log_x);
  EXPECT_FALSE(roc.series[0].is_baseline);
  EXPECT_TRUE(roc.series[1].is_baseline);
  EXPECT_NEAR(roc.guides.at(0).x, 3.0 / 15, 1e-12);
  std::size_t chance_rows = 0;
  for (const MetricValue& value : result.values)
    chance_rows += value.table == kRanks && value.row == "chance" && value.column == "rank 1";
  EXPECT_EQ(chance_rows, 1U);
}

TEST(Verification, GivesIntervalsOverPeopleFromTwelveOn) {
  Random random(4, "verification");
  std::vector<double> noise;
  for (int i = 0; i < 14 * 14 * 2; ++i) noise.push_back(random.uniform());
  const auto of = [&](std::int64_t shown, std::int64_t enrolled, std::int64_t query) {
    return (shown == enrolled ? 0.0 : 0.4) + noise[static_cast<std::size_t>((shown * 14 + enrolled) * 2 + query)];
  };
  const MetricResult result = evaluate(world(14, 2, of));
  const std::pair<const char*, const char*> cells[] = {{kRanks, "rank 1"},
                                                       {kRanks, "mean reciprocal rank"},
                                                       {kVerification, "equal error rate"},
                                                       {kVerification, "area under ROC"},
                                                       {kVerification, "true accepts at 10 % false accepts"},
                                                       {kOpen, "never trained on"},
                                                       {kRatios, "Cllr"}};
  for (const auto& [table, column] : cells) {
    const MetricValue& value = at(result, table, "fingerprint", column);
    ASSERT_TRUE(value.interval.has_value()) << table << " / " << column;
    EXPECT_LT(value.interval->first, value.value) << table << " / " << column;
    EXPECT_GT(value.interval->second, value.value) << table << " / " << column;
  }
  EXPECT_EQ(at(result, kRanks, "fingerprint", "rank 1").unit, "%");
  EXPECT_FALSE(at(evaluate(world(11, 2, perfect)), kVerification, "fingerprint", "equal error rate").interval);
}

TEST(Verification, DrawsTippettPlotAndHistogramOfTheMethodOnly) {
  const MetricResult result = evaluate(world(6, 2, perfect));
  const Chart& tippett = chart(result, "Tippett plot of fingerprint, bones never trained on");
  ASSERT_EQ(tippett.series.size(), 2U);
  for (const ChartSeries& series : tippett.series) {
    EXPECT_EQ(series.y.front(), 100);
    EXPECT_EQ(series.y.back(), 0);
  }
  const Chart& histogram = chart(result, "Distances of fingerprint, bones never trained on");
  for (const ChartSeries& series : histogram.series) {
    double sum = 0;
    for (const double share : series.y) sum += share;
    EXPECT_NEAR(sum, 100, 1e-9);
  }
  EXPECT_EQ(evaluate(world(6, 2, perfect, "raw pixels")).charts.size(), 2U);  // ranks and ROC
}

TEST(Verification, RecognisesAPersonByTheOtherFemur) {
  // Three people with both sides; right bones 0, 2, 4, left bones 1, 3, 5. Person 2's other femur is second.
  Evidence::Contents contents = world(6, 1, [](std::int64_t shown, std::int64_t enrolled, std::int64_t) {
    if (shown / 2 == enrolled / 2) return shown / 2 == 2 ? 2.0 : 1.0;
    return shown / 2 == 2 ? 1.0 + static_cast<double>(enrolled / 2) * 2 : 3.0;
  });
  for (std::size_t b = 0; b < 6; ++b) {
    contents.bones[b].subject = text("person ", b / 2);
    contents.bones[b].side = b % 2 ? Side::left : Side::right;
  }
  const MetricResult result = evaluate(contents);
  EXPECT_EQ(to_text(at(result, "the other side, rank-1", "fingerprint", "never trained on")), "4 of 6");
  EXPECT_NEAR(at(result, "the other side, rank-1", "chance", "never trained on").value, 2, 1e-12);
  EXPECT_NEAR(at(result, "the other side, mean rank", "fingerprint", "never trained on").value, 8.0 / 6, 1e-12);
  EXPECT_NEAR(at(result, "the other side, mean rank", "chance", "never trained on").value, 2, 1e-12);

  contents.bones[5].side = Side::unknown;
  const MetricValue without = at(evaluate(contents), "the other side, rank-1", "fingerprint", "never trained on");
  EXPECT_EQ(to_text(without).substr(0, 6), "4 of 4");
  EXPECT_EQ(without.note, "1 bones of unknown side left out");
  EXPECT_EQ(to_text(at(evaluate(world(3, 1, perfect)), "the other side, rank-1", "fingerprint", "never trained on")),
            "undefined (nobody has both sides enrolled)");
}

Identification calibrated() {
  Identification one;
  one.embedding_set = "fingerprint";
  one.classifier = "knn";
  one.is_trivial = false;
  one.held_out = true;
  one.truth = at::tensor({0, 0, 1, 2}, at::kLong);
  one.predicted = at::tensor({0, 1, 1, -1}, at::kLong);
  one.scores = at::tensor({0.9F, 0.8F, 0.2F, 0.9F});
  one.impostor_scores = at::tensor({0.7F, 0.1F, 0.2F, 0.5F});
  one.accept_from = 0.5;
  one.stated_rate = 0.1;
  return one;
}

TEST(WatchList, TellsWhatTheClassifiersAcceptedAndRejected) {
  Evidence::Contents contents = world(3, 1, perfect);
  contents.identifications = {calibrated()};
  const char* table = "watch list, bones never trained on";
  const MetricResult result = evaluate(contents);
  const auto value = [&](const char* column) { return at(result, table, "fingerprint + knn", column).value; };
  EXPECT_NEAR(value("false accepts, stated"), 10, 1e-9);
  EXPECT_NEAR(value("false accepts"), 100 * (0.5 + 0 + 1) / 3, 1e-9);
  EXPECT_NEAR(value("accepted and right"), 100 * 0.5 / 3, 1e-9);
  EXPECT_NEAR(value("accepted and wrong"), 100 * 0.5 / 3, 1e-9);
  EXPECT_NEAR(value("rejected"), 100 * 2.0 / 3, 1e-9);
  EXPECT_EQ(at(result, table, "fingerprint + knn", "rejected").count, 3);
  EXPECT_NEAR(test::mean_over_people(at(result, table, "fingerprint + knn", "rejected")), 100 * 2.0 / 3, 1e-9);
  EXPECT_TRUE(at(result, table, "fingerprint + knn", "false accepts, stated").people.empty());

  contents.identifications[0].impostor_scores = at::Tensor();
  EXPECT_EQ(find(evaluate(contents), table, "fingerprint + knn", "rejected"), nullptr);
}

TEST(Verification, IsUndefinedWithReasonsForNoQueriesAndOnePerson) {
  Evidence::Contents contents = world(3, 1, perfect);
  contents.trials[0].truth = contents.trials[0].truth.slice(0, 0, 0);
  contents.trials[0].distances = contents.trials[0].distances.slice(0, 0, 0);
  const MetricResult nothing = evaluate(contents);
  EXPECT_FALSE(nothing.values.empty());
  for (const MetricValue& value : nothing.values) {
    EXPECT_TRUE(std::isnan(value.value)) << value.table;
    EXPECT_FALSE(value.note.empty()) << value.table;
  }
  EXPECT_TRUE(nothing.charts.empty());
  const MetricResult one = evaluate(world(1, 2, perfect));
  EXPECT_EQ(to_text(at(one, kVerification, "fingerprint", "equal error rate")),
            "undefined (queries show one person: there are no pairs of people)");
  EXPECT_TRUE(std::isnan(at(one, kRatios, "fingerprint", "Cllr").value));
}

TEST(Verification, SaysThatVolumesAreShared) {
  Evidence::Contents contents = world(5, 1, perfect);
  contents.queries_share_volume = true;
  EXPECT_EQ(at(evaluate(contents), kVerification, "fingerprint", "equal error rate").note,
            "gallery and queries share a CT volume: says nothing about identity");
}

void expect_error(const Evidence::Contents& contents, const char* message) {
  try {
    (void)evaluate(contents);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), message);
  }
}

TEST(Verification, RefusesEvidenceThatDoesNotFit) {
  Evidence::Contents contents = world(3, 1, perfect);
  contents.trials[0].truth[1] = 3;
  expect_error(contents,
               "metric/verification: the distances of fingerprint belong to bone 3 at query 1, but there are 3 bones");
  contents = world(3, 1, perfect);
  contents.trials[0].distances[2][1] = std::numeric_limits<float>::quiet_NaN();
  expect_error(
      contents,
      "metric/verification: the distance of fingerprint from query 2 to bone 1 is nan; distances are 0 or more");
  contents = world(3, 1, perfect);
  contents.trials[0].distances = contents.trials[0].distances.slice(1, 0, 2);
  expect_error(contents, "metric/verification: the distances of fingerprint are not [3 queries, 3 bones]");
  contents = world(3, 1, perfect);
  contents.identifications = {calibrated()};
  contents.identifications[0].impostor_scores = at::zeros({3});
  expect_error(contents,
               "metric/verification: identification by fingerprint + knn has 4 queries, but 4 answers, 4 scores and 3 "
               "impostor scores; one of each is needed for every query image");
}

}  // namespace
}  // namespace osteon
