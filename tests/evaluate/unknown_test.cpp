// [unknown]: the threshold against the definition in a plain loop, and that nothing but validation images of trained
// people decides it.

#include "cohort.hpp"

#include "pipeline/unknown.hpp"

#include <osteon/error.hpp>

#include <algorithm>

namespace osteon::pipeline {
namespace {

using test::bone_of;
using test::made_up_embeddings;
using test::made_up_table;
using People = std::vector<std::string>;

/// Mean over people of the share of each one's scores that are at least `threshold`.
double naive_rate(const std::vector<float>& scores, const People& person, double threshold) {
  double sum = 0;
  const std::set<std::string> people(person.begin(), person.end());
  for (const std::string& one : people) {
    double accepted = 0, images = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (person[i] != one) continue;
      images += 1;
      accepted += scores[i] >= threshold ? 1 : 0;
    }
    sum += accepted / images;
  }
  return sum / static_cast<double>(people.size());
}

/// The definition: of all scores that occur, and the next float above the largest, the smallest that keeps to the rate.
double naive_threshold(const std::vector<float>& scores, const People& person, double rate) {
  double best = std::nextafter(*std::ranges::max_element(scores), std::numeric_limits<float>::infinity());
  for (const float candidate : scores)
    if (naive_rate(scores, person, candidate) <= rate + 1e-9) best = std::min<double>(best, candidate);
  return best;
}

double found(const std::vector<float>& scores, const People& person, double rate) {
  return threshold_for(at::tensor(scores), person, rate);
}

TEST(ThresholdFor, IsThatOfANaiveLoopWithTiesAndUnequalPeople) {
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    Random random(4, "scores", trial);
    const std::uint64_t people = 1 + random.below(6), levels = trial % 2 == 0 ? 5 : 1000;
    std::vector<float> scores;
    People person;
    for (std::uint64_t left = 3 + random.below(60); left > 0; --left) {
      scores.push_back(-0.1F * static_cast<float>(random.below(levels)));
      person.push_back(text("person ", random.below(people)));
    }
    for (const double rate : {0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9, 0.999})
      EXPECT_EQ(found(scores, person, rate), naive_threshold(scores, person, rate)) << "trial " << trial << " " << rate;
  }
}

TEST(ThresholdFor, CountsEachPersonAlikeHoweverManyImages) {
  // The second person's one image is half of all.
  const std::vector<float> scores = {-1, -2, -3, -4, -2.5F};
  const People person = {"a", "a", "a", "a", "b"};
  EXPECT_EQ(found(scores, person, 0.25), -2);    // a quarter is just met: half of a's share of a half
  EXPECT_EQ(found(scores, person, 0.74), -2);    // with -2.5 it would be three quarters
  EXPECT_EQ(found(scores, person, 0.75), -2.5);  // just met
}

TEST(ThresholdFor, TiesAreAcceptedTogetherOrNotAtAll) {
  const std::vector<float> scores = {-1, -1, -1, -1};
  const People person = {"a", "b", "c", "d"};
  const double above = std::nextafter(-1.0F, 0.0F);
  EXPECT_EQ(found(scores, person, 0.5), above);
  EXPECT_EQ(found(scores, person, 0), above);
  EXPECT_EQ(naive_rate(scores, person, above), 0);
}

TEST(ThresholdFor, OfOnePersonAndOfNobody) {
  EXPECT_EQ(found({-3, -1, -2, -4}, People(4, "a"), 0.5), -2);
  EXPECT_TRUE(std::isnan(threshold_for(at::empty({0}, at::kFloat), {}, 0.1)));
}

TEST(ThresholdFor, TakesScoresThatAreInfinitelyLow) {
  // A nearest neighbour that found nothing scores minus infinity.
  EXPECT_EQ(found({-INFINITY, -INFINITY, -1, -2}, {"a", "b", "a", "b"}, 0.5), -2);
}

Parameters unknown(double rate, std::int64_t groups) {
  return {unknown_schema(), {{"false_accept_rate", rate}, {"groups", groups}}};
}

std::vector<std::int64_t> rows_of(const ImageTable& table, Role role) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < table.role.size(); ++i)
    if (table.role[i] == role) rows.push_back(static_cast<std::int64_t>(i));
  return rows;
}

std::vector<std::int64_t> without(const ImageTable& table, const std::vector<std::int64_t>& rows,
                                  const std::string& person) {
  std::vector<std::int64_t> others;
  for (const std::int64_t row : rows)
    if (bone_of(table, row).subject != person) others.push_back(row);
  return others;
}

TEST(Calibration, IsANaiveLoopOverPeopleWhenEachIsAStrangerAlone) {
  const ImageTable table = made_up_table(5, 2, 12);
  const EmbeddingSet set = made_up_embeddings(table, 6, 0.7);
  std::vector<float> scores;
  People person;
  for (const std::int64_t row : rows_of(table, Role::validation)) {
    person.push_back(bone_of(table, row).subject);
    scores.push_back(
        static_cast<float>(test::naive_score(set, row, without(table, rows_of(table, Role::training), person.back()))));
  }
  const auto knn = test::make_classifier("knn");
  for (const double rate : {0.05, 0.1, 0.5})
    EXPECT_NEAR(calibrated_threshold(knn, set, table, unknown(rate, 1000), 7), naive_threshold(scores, person, rate),
                1e-6);
}

TEST(Calibration, AsksEveryTrainedPersonOnceAsAStrangerAndNobodyElse) {
  const ImageTable table = made_up_table(7, 3, 6);
  const auto recorder = test::make_recorder();
  (void)calibrated_threshold(recorder, test::numbered(table), table, unknown(0.1, 3), 7);
  ASSERT_EQ(test::Recorder::episodes.size(), 3U);
  std::vector<std::int64_t> asked;
  for (const auto& [fitted, queries] : test::Recorder::episodes) {
    std::set<std::string> strangers, known;
    for (const std::int64_t row : queries) strangers.insert(bone_of(table, row).subject);
    for (const std::int64_t row : fitted) {
      EXPECT_EQ(table.role[static_cast<std::size_t>(row)], Role::training);
      known.insert(bone_of(table, row).subject);
    }
    EXPECT_EQ(strangers.size() + known.size(), 7U) << "both bones of a person on one side";
    for (const std::string& one : strangers) EXPECT_FALSE(known.contains(one)) << one;
    asked.insert(asked.end(), queries.begin(), queries.end());
  }
  std::ranges::sort(asked);
  EXPECT_EQ(asked, rows_of(table, Role::validation)) << "each once";
}

TEST(Calibration, IsNotMovedByWhatTheQueriesOrHeldOutPeopleLookLike) {
  const ImageTable table = made_up_table(6, 3, 10);
  const EmbeddingSet set = made_up_embeddings(table, 6, 0.7);
  // Planted: every query image, and every image of a held-out person, looks as the validation images do, or like
  // nothing at all.
  for (const char* name : {"knn", "threshold"}) {
    const auto classifier = test::make_classifier(name);
    const double before = calibrated_threshold(classifier, set, table, unknown(0.1, 3), 7);
    ASSERT_TRUE(std::isfinite(before));
    for (const double planted : {0.0, 1e3}) {
      EmbeddingSet other{set.name, set.is_trivial, set.vectors.clone()};
      for (std::int64_t i = 0; i < std::ssize(table.role); ++i) {
        const Role role = table.role[static_cast<std::size_t>(i)];
        if (role != Role::training && role != Role::validation) other.vectors[i].fill_(planted);
      }
      EXPECT_EQ(calibrated_threshold(classifier, other, table, unknown(0.1, 3), 7), before) << name;
    }
    EmbeddingSet other{set.name, set.is_trivial, set.vectors.clone()};
    for (const std::int64_t row : rows_of(table, Role::validation)) other.vectors[row].add_(1);
    EXPECT_NE(calibrated_threshold(classifier, other, table, unknown(0.1, 3), 7), before) << name;
  }
}

TEST(Calibration, KeepsToItsRateOnTheScoresThatItSaw) {
  const ImageTable table = made_up_table(8, 2, 20);
  const EmbeddingSet set = made_up_embeddings(table, 6, 0.7);
  const auto knn = test::make_classifier("knn");
  double previous = INFINITY;
  for (const double rate : {0.02, 0.1, 0.4}) {
    const double threshold = calibrated_threshold(knn, set, table, unknown(rate, 1000), 7);
    EXPECT_LE(threshold, previous) << "a larger rate accepts more";
    previous = threshold;
  }
}

TEST(Calibration, IsLeftOutWhereItIsNotAskedForOrHasNothingToGoBy) {
  const ImageTable table = made_up_table(4, 1, 4);
  const EmbeddingSet set = made_up_embeddings(table, 3, 0.5);
  const auto knn = test::make_classifier("knn");
  EXPECT_TRUE(std::isnan(calibrated_threshold(knn, set, table, unknown(0, 5), 7)));
  ImageTable without_validation = table;
  std::ranges::replace(without_validation.role, Role::validation, Role::query);
  EXPECT_TRUE(std::isnan(calibrated_threshold(knn, set, without_validation, unknown(0.1, 5), 7)));
  // One person is either a stranger or the whole gallery.
  EXPECT_TRUE(std::isnan(calibrated_threshold(knn, made_up_embeddings(made_up_table(1, 2, 4), 3, 0.5),
                                              made_up_table(1, 2, 4), unknown(0.1, 5), 7)));
}

TEST(Calibration, RefusesAClassifierWhoseScoresAreNoNumbers) {
  const ImageTable table = made_up_table(4, 1, 4);
  const auto recorder = test::make_recorder();
  test::Recorder::score = std::numeric_limits<float>::quiet_NaN();
  try {
    (void)calibrated_threshold(recorder, test::numbered(table), table, unknown(0.1, 5), 7);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "classifier/recorder: scores must be float32 [Q], none of them NaN");
  }
}

TEST(Strangers, ScoreWhatANaiveLoopWithoutTheirPersonFinds) {
  const ImageTable table = made_up_table(3, 3, 10);
  const EmbeddingSet set = made_up_embeddings(table, 5, 0.6);
  std::vector<std::int64_t> gallery, queries;
  for (std::int64_t i = 0; i < std::ssize(table.role); ++i) {
    const bool is_query = table.role[static_cast<std::size_t>(i)] == Role::query;
    if (!is_query) gallery.push_back(i);
    if (is_query && bone_of(table, i).held_out) queries.push_back(i);
  }
  std::ranges::reverse(queries);  // people are mixed, and in no order
  const at::Tensor scores = scores_of_strangers(test::make_classifier("knn"), set, table,
                                                at::tensor(gallery, at::kLong), at::tensor(queries, at::kLong));
  ASSERT_EQ(scores.numel(), std::ssize(queries));
  for (std::size_t q = 0; q < queries.size(); ++q)
    EXPECT_NEAR(scores.data_ptr<float>()[q],
                test::naive_score(set, queries[q], without(table, gallery, bone_of(table, queries[q]).subject)), 1e-6);
}

TEST(Strangers, HaveNoScoresWhereNobodyElseIsEnrolled) {
  const ImageTable table = made_up_table(1, 0, 4);
  const EmbeddingSet set = made_up_embeddings(table, 3, 0.5);
  EXPECT_FALSE(scores_of_strangers(test::make_classifier("knn"), set, table,
                                   at::tensor(rows_of(table, Role::training), at::kLong),
                                   at::tensor(rows_of(table, Role::query), at::kLong))
                   .defined());
}

}  // namespace
}  // namespace osteon::pipeline
