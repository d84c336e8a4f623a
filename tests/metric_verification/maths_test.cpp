// Ranks, ROC, isotonic regression and likelihood ratios against hand-made cases and scikit-learn.

#include "verification/isotonic.hpp"
#include "verification/likelihood_ratio.hpp"
#include "verification/opposite_side.hpp"
#include "verification/ranks.hpp"
#include "verification/roc.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>

namespace osteon::verification {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Trial> trials(const std::vector<double>& genuine, const std::vector<double>& impostor) {
  std::vector<Trial> result;
  for (const double score : genuine) result.push_back({score, 1, true, 0, 0});
  for (const double score : impostor) result.push_back({score, 1, false, 0, 1});
  sort_by_score(result);
  return result;
}

nlohmann::json references() {
  std::ifstream file(OSTEON_SOURCE_DIR "/tests/metric_verification/fixtures/references.json");
  return nlohmann::json::parse(file);
}

std::vector<Trial> trials(const nlohmann::json& from) {
  std::vector<Trial> result;
  for (std::size_t i = 0; i < from["score"].size(); ++i)
    result.push_back({from["score"][i], from["weight"][i], from["label"][i] == 1, 0, 0});
  return result;
}

/// Bones 0 and 1 are the right and left one of person 0, 2 and 3 of person 1, 4 is the right one of person 2.
Cohort cohort() {
  return cohort_of({{"a", "anna", Side::right},
                    {"b", "anna", Side::left},
                    {"c", "bert", Side::right},
                    {"d", "bert", Side::left},
                    {"e", "cleo", Side::right}});
}

TEST(Roc, OfFourScoresByHand) {
  const Roc roc = roc_of(trials({3, 1}, {2, 0}));
  EXPECT_EQ(roc.false_accepts, (std::vector<double>{0, 0, 0.5, 0.5, 1}));
  EXPECT_EQ(roc.true_accepts, (std::vector<double>{0, 0.5, 0.5, 1, 1}));
  EXPECT_DOUBLE_EQ(area_under(roc), 0.75);
  EXPECT_DOUBLE_EQ(equal_error_rate(roc), 0.5);
  EXPECT_DOUBLE_EQ(true_accepts_at(roc, 0.49), 0.5);
  EXPECT_DOUBLE_EQ(true_accepts_at(roc, 0.5), 1);
}

TEST(Roc, OfPerfectReversedAndTiedScores) {
  const Roc perfect = roc_of(trials({5, 4}, {1, 2, 3}));
  EXPECT_EQ(equal_error_rate(perfect), 0);
  EXPECT_EQ(area_under(perfect), 1);
  EXPECT_EQ(true_accepts_at(perfect, 0.001), 1);
  const Roc reversed = roc_of(trials({1, 2}, {3, 4}));
  EXPECT_EQ(equal_error_rate(reversed), 1);
  EXPECT_EQ(area_under(reversed), 0);
  const Roc tied = roc_of(trials({1, 1}, {1, 1, 1}));
  EXPECT_EQ(equal_error_rate(tied), 0.5);
  EXPECT_EQ(area_under(tied), 0.5);
  EXPECT_EQ(true_accepts_at(tied, 0.1), 0);
}

TEST(Roc, IsNotDefinedForOneClass) {
  for (const auto& one : {trials({1, 2}, {}), trials({}, {1}), trials({}, {})}) {
    EXPECT_TRUE(roc_of(one).false_accepts.empty());
    EXPECT_TRUE(std::isnan(equal_error_rate(roc_of(one))));
    EXPECT_TRUE(std::isnan(area_under(roc_of(one))));
    EXPECT_TRUE(std::isnan(true_accepts_at(roc_of(one), 0.1)));
  }
}

TEST(Roc, AgreesWithScikitLearnOnWeightedScoresWithTies) {
  const auto reference = references();
  const Roc roc = roc_of(trials(reference));
  EXPECT_NEAR(area_under(roc), reference["auc"], 1e-12);
  EXPECT_NEAR(equal_error_rate(roc), reference["eer"], 1e-12);
  std::size_t corner = 0;  // the reference keeps the points within straight stretches
  for (std::size_t i = 0; i < reference["fpr"].size() && corner < roc.false_accepts.size(); ++i)
    if (std::abs(roc.false_accepts[corner] - reference["fpr"][i].get<double>()) < 1e-12 &&
        std::abs(roc.true_accepts[corner] - reference["tpr"][i].get<double>()) < 1e-12)
      ++corner;
  EXPECT_EQ(corner, roc.false_accepts.size());
  for (std::size_t i = 0; i < reference["fpr"].size(); ++i)
    EXPECT_GE(true_accepts_at(roc, reference["fpr"][i].get<double>() + 1e-9),
              reference["tpr"][i].get<double>() - 1e-12);
}

TEST(Roc, CountsATrialAsOftenAsItsPeopleAreDrawn) {
  std::vector<Trial> all = {{4, 1, true, 0, 0}, {3, 1, false, 0, 1}, {2, 1, true, 1, 1}, {1, 1, false, 1, 2}};
  // Person 0 not drawn, 1 twice, 2 three times: genuine 2 × at 2; impostor 0 × at 3 and 6 × at 1.
  EXPECT_EQ(area_under(roc_of(all, std::vector<double>{0, 2, 3})), 1);
  EXPECT_EQ(area_under(roc_of(all)), 0.75);
  EXPECT_TRUE(std::isnan(area_under(roc_of(all, std::vector<double>{0, 0, 3}))));
}

/// Threshold by threshold, no point left out.
Roc plain_roc(const std::vector<Trial>& sorted, const std::vector<double>& times) {
  double all[2] = {}, accepted[2] = {};
  for (const Trial& trial : sorted) all[trial.is_genuine] += trial.weight * times_drawn(trial, times);
  Roc roc{{0}, {0}};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    accepted[sorted[i].is_genuine] += sorted[i].weight * times_drawn(sorted[i], times);
    if (i + 1 < sorted.size() && sorted[i + 1].score == sorted[i].score) continue;
    roc.false_accepts.push_back(accepted[0] / all[0]);
    roc.true_accepts.push_back(accepted[1] / all[1]);
  }
  return roc;
}

TEST(Roc, OfManyDrawsIsThePlainLoopsEachTime) {
  Random random(3, "roc draws");
  std::vector<Trial> all;
  for (int i = 0; i < 3000; ++i) {
    const auto probe = static_cast<std::int64_t>(random.below(7)),
               enrolled = static_cast<std::int64_t>(random.below(7));
    // Rounded, so that trials of both kinds tie.
    const double score = std::round(100 * (random.normal() + (probe == enrolled ? 1.2 : 0))) / 100;
    all.push_back({score, 0.5 + random.uniform(), probe == enrolled, probe, enrolled});
  }
  sort_by_score(all);
  const RocDraws draws(all);
  for (int draw = 0; draw < 50; ++draw) {
    std::vector<double> times(7);
    for (int i = 0; i < 7; ++i) ++times[random.below(7)];
    const Roc own = draws.roc(times), plain = plain_roc(all, times);
    EXPECT_LT(own.false_accepts.size(), plain.false_accepts.size());
    EXPECT_NEAR(area_under(own), area_under(plain), 1e-12);
    EXPECT_NEAR(equal_error_rate(own), equal_error_rate(plain), 1e-12);
    for (const double rate : {0.003, 0.1, 0.4})
      EXPECT_NEAR(true_accepts_at(own, rate), true_accepts_at(plain, rate), 1e-12);
  }
}

TEST(Roc, TellsNoRateBelowThreeOfTheIndependentPairs) {
  EXPECT_DOUBLE_EQ(least_false_accept_rate(12), 3.0 / 66);
  EXPECT_DOUBLE_EQ(least_false_accept_rate(3), 1);
  EXPECT_EQ(least_false_accept_rate(1), kInfinity);
}

TEST(Trials, LeaveTheOtherFemurOutAndWeighBonesAndPairsAlike) {
  // Two images of bone 0, one of bone 2; bone 3 is not enrolled.
  const std::vector<Probe> probes = {
      {0, {1, 2, 3, kInfinity, 5}}, {0, {1.5, 2, 3, kInfinity, 5}}, {2, {4, 5, 0, kInfinity, 6}}};
  const auto found = verification_trials(probes, cohort());
  double genuine = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, double> impostor;
  for (const Trial& trial : found) {
    if (trial.is_genuine)
      genuine += trial.weight;
    else
      impostor[std::minmax(trial.probe_person, trial.enrolled_person)] += trial.weight;
    EXPECT_NE(trial.score, -2) << "the other femur of the same person is no impostor";
  }
  EXPECT_EQ(found.size(), 3U + 2 + 2 + 3);
  EXPECT_DOUBLE_EQ(genuine, 2);
  ASSERT_EQ(impostor.size(), 3U);  // anna–bert (both ways), anna–cleo, bert–cleo
  for (const auto& [pair, weight] : impostor) EXPECT_DOUBLE_EQ(weight, 1);
  EXPECT_EQ(found.front().score, 0);
}

TEST(Trials, OfAnOpenSetTakeBothBonesOfThePersonOut) {
  const auto found = watch_list_trials({{0, {3, 1, 2, 9, 5}}, {4, {1, 2, 3, 4, kInfinity}}}, cohort());
  ASSERT_EQ(found.size(), 2U);  // bone 4 is not enrolled
  EXPECT_EQ(found[0].score, -1);
  EXPECT_TRUE(found[0].is_genuine);
  EXPECT_EQ(found[1].score, -2);
  EXPECT_FALSE(found[1].is_genuine);
}

TEST(Ranks, ShareTheirPlaceAmongTies) {
  const Rank rank = rank_of(2, std::vector<double>{1, 2, 2, 3, kInfinity});
  EXPECT_EQ(rank.candidates, 5);
  EXPECT_EQ(rank.within(1), 0);
  EXPECT_DOUBLE_EQ(rank.within(2), 1.0 / 3);
  EXPECT_DOUBLE_EQ(rank.within(3), 2.0 / 3);
  EXPECT_EQ(rank.within(4), 1);
  EXPECT_EQ(rank.within(100), 1);
  EXPECT_DOUBLE_EQ(rank.reciprocal(), (1.0 / 2 + 1.0 / 3 + 1.0 / 4) / 3);
  EXPECT_DOUBLE_EQ(rank.mean(), 3);
}

TEST(Ranks, AreAveragedWithinABoneFirst) {
  const auto ranked = ranks_in_gallery(
      {{0, {1, 2, 3, 4, 5}}, {0, {2, 1, 3, 4, 5}}, {4, {9, 9, 9, 9, 1}}, {3, {1, 1, 1, kInfinity, 1}}});
  ASSERT_EQ(ranked.size(), 3U);
  const BoneAverage average = average_over_bones(
      ranked.size(), [&](std::size_t i) { return ranked[i].bone; },
      [&](std::size_t i) { return ranked[i].rank.within(1); }, cohort());
  EXPECT_EQ(average.by_bone, (std::map<std::int64_t, double>{{0, 0.5}, {4, 1.0}}));
  EXPECT_DOUBLE_EQ(average.sum, 1.5);
  EXPECT_EQ(average.by_person.size(), 2U);
}

TEST(OppositeSide, ComparesWithBonesOfTheOtherSideOnly) {
  // Bone 0 (right) against the left ones 1 (own person) and 3; bone 3 (left) against 0, 2 (own person) and 4.
  const auto result =
      ranks_of_opposite_side({{0, {0, 5, 1, 4, 1}}, {3, {2, 0, 3, 0, 9}}, {4, {1, 1, 1, 1, 0}}}, cohort());
  ASSERT_EQ(result.ranked.size(), 2U);  // cleo has one side
  EXPECT_EQ(result.ranked[0].rank.nearer, 1);
  EXPECT_EQ(result.ranked[0].rank.candidates, 2);
  EXPECT_EQ(result.ranked[1].rank.nearer, 1);
  EXPECT_EQ(result.ranked[1].rank.candidates, 3);
  EXPECT_EQ(result.unknown_sides, 0);

  Cohort unsure = cohort();
  unsure.side[1] = Side::unknown;
  const auto without = ranks_of_opposite_side({{0, {0, 5, 1, 4, 1}}}, unsure);
  EXPECT_TRUE(without.ranked.empty());
  EXPECT_EQ(without.unknown_sides, 1);
}

TEST(Isotonic, PoolsAdjacentViolators) {
  const std::vector<double> values = {1, 3, 2, 4}, weights = {1, 1, 3, 1};
  EXPECT_EQ(isotonic(values, weights), (std::vector<double>{1, 2.25, 2.25, 4}));
  EXPECT_EQ(isotonic(std::vector<double>{3, 2, 1}, std::vector<double>{1, 1, 1}), (std::vector<double>{2, 2, 2}));
  EXPECT_TRUE(isotonic({}, {}).empty());
}

TEST(Cllr, HasItsKnownValues) {
  std::vector<LogRatio> ratios = {{0, 1, true, 0, 0}, {0, 5, true, 0, 0}, {0, 1, false, 0, 1}};
  EXPECT_DOUBLE_EQ(cllr(ratios), 1);
  for (LogRatio& ratio : ratios) ratio.value = ratio.is_genuine ? 40 : -40;
  EXPECT_NEAR(cllr(ratios), 0, 1e-12);
  for (LogRatio& ratio : ratios) ratio.value = ratio.is_genuine ? -1000 : 1000;
  EXPECT_NEAR(cllr(ratios), 1000 / std::numbers::ln2, 1e-9);
  EXPECT_TRUE(std::isnan(cllr(std::span(ratios).first(2))));
}

TEST(Cllr, AgreesWithTheDefinition) {
  Random random(11, "cllr");
  std::vector<LogRatio> ratios;
  double genuine = 0, impostor = 0;
  for (int i = 0; i < 50; ++i) {
    ratios.push_back({random.normal(1, 2), 1, true, 0, 0});
    genuine += std::log2(1 + 1 / std::exp(ratios.back().value));
    ratios.push_back({random.normal(-1, 2), 1, false, 0, 1});
    impostor += std::log2(1 + std::exp(ratios.back().value));
  }
  EXPECT_NEAR(cllr(ratios), 0.5 * (genuine / 50 + impostor / 50), 1e-12);
}

TEST(Cllr, OfManyDrawsCountsATrialAsOftenAsItsPeopleAreDrawn) {
  Random random(12, "cllr draws");
  std::vector<LogRatio> ratios;
  for (int i = 0; i < 400; ++i) {
    const auto probe = static_cast<std::int64_t>(random.below(5)),
               enrolled = static_cast<std::int64_t>(random.below(5));
    ratios.push_back({random.normal(0, 3), 0.5 + random.uniform(), probe == enrolled, probe, enrolled});
  }
  const CllrDraws draws(ratios);
  for (const std::vector<double>& times : {std::vector<double>{2, 0, 1, 1, 1}, {0, 3, 0, 2, 0}}) {
    std::vector<LogRatio> repeated;
    for (const LogRatio& ratio : ratios) {
      const double pair = times[static_cast<std::size_t>(ratio.probe_person)] *
                          (ratio.is_genuine ? 1 : times[static_cast<std::size_t>(ratio.enrolled_person)]);
      for (int i = 0; i < pair; ++i) repeated.push_back(ratio);
    }
    EXPECT_NEAR(draws(times), cllr(repeated), 1e-12);
  }
  EXPECT_TRUE(std::isnan(draws(std::vector<double>{0, 0, 0, 0, 4})));  // nobody else is drawn: no impostor trials
}

TEST(Cllr, LeastIsWhatTheBestMonotoneFunctionCosts) {
  EXPECT_EQ(least_cllr(trials({3, 4}, {1, 2})), 0);
  EXPECT_DOUBLE_EQ(least_cllr(trials({1, 1}, {1, 1, 1})), 1);
  EXPECT_DOUBLE_EQ(least_cllr(trials({1, 2}, {3, 4})), 1);
  EXPECT_TRUE(std::isnan(least_cllr(trials({1}, {}))));
  const auto reference = references();
  EXPECT_NEAR(least_cllr(trials(reference)), reference["least_cllr"], 1e-9);
}

TEST(Calibration, AgreesWithScikitLearn) {
  const auto reference = references();
  const auto calibration = calibrate(trials(reference), reference["people"]);
  ASSERT_TRUE(calibration.has_value());
  EXPECT_NEAR(calibration->offset, reference["offset"], 1e-5);
  EXPECT_NEAR(calibration->slope, reference["slope"], 1e-5);
  std::vector<LogRatio> ratios;
  for (const Trial& trial : trials(reference))
    ratios.push_back({(*calibration)(trial.score), trial.weight, trial.is_genuine, 0, 0});
  EXPECT_NEAR(cllr(ratios), reference["cllr"], 1e-6);
}

TEST(Calibration, IsBoundedForSeparatedAndZeroForTiedScores) {
  const auto separated = calibrate(trials({10, 10}, {-10, -10, -10}), 9);
  ASSERT_TRUE(separated.has_value());
  EXPECT_NEAR((*separated)(10), std::log(10.0), 1e-6);  // n + 1
  EXPECT_NEAR((*separated)(-10), -std::log(10.0), 1e-6);
  const auto tied = calibrate(trials({2, 2}, {2, 2, 2}), 9);
  ASSERT_TRUE(tied.has_value());
  EXPECT_NEAR((*tied)(2), 0, 1e-9);
  EXPECT_FALSE(calibrate(trials({1}, {}), 3).has_value());
}

/// `people` people with one bone each, one image a bone.
std::vector<Trial> everybody(std::int64_t people, std::uint64_t seed) {
  Random random(seed, "everybody");
  std::vector<Trial> all;
  for (std::int64_t p = 0; p < people; ++p)
    for (std::int64_t q = 0; q < people; ++q) all.push_back({random.normal(p == q ? 2 : 0, 1), 1, p == q, p, q});
  sort_by_score(all);
  return all;
}

TEST(CrossCalibration, NeverLearnsFromThePeopleWhomItCompares) {
  std::vector<Trial> all = everybody(6, 1);
  const auto before = cross_calibrated(all);
  ASSERT_TRUE(before.has_value());
  // The scores of everything that has to do with person 0 or 1 change; a comparison of 0 with 1 keeps its calibration.
  const auto of_zero_and_one = [](const auto& t) { return t.probe_person == 0 && t.enrolled_person == 1; };
  const auto at = static_cast<std::size_t>(std::ranges::find_if(all, of_zero_and_one) - all.begin());
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != at && (all[i].probe_person < 2 || all[i].enrolled_person < 2)) all[i].score += all[i].is_genuine ? -3 : 2;
  const auto after = cross_calibrated(all);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ((*after)[at].value, (*before)[at].value);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < all.size(); ++i) changed += (*after)[i].value != (*before)[i].value;
  EXPECT_EQ(changed, all.size() - 1);
}

TEST(CrossCalibration, IsInformativeOnlyWhereScoresAre) {
  const auto useful = cross_calibrated(everybody(16, 2));  // more people than folds
  ASSERT_TRUE(useful.has_value());
  EXPECT_LT(cllr(*useful), 0.85);
  EXPECT_GT(share_above(*useful, true, 0), 0.6);
  EXPECT_LT(share_above(*useful, false, 0), 0.4);
  EXPECT_EQ(share_above(*useful, true, -100), 1);
  EXPECT_EQ(share_above(*useful, true, 100), 0);
  std::vector<Trial> tied = everybody(6, 3);
  for (Trial& trial : tied) trial.score = 1;
  EXPECT_NEAR(cllr(*cross_calibrated(tied)), 1, 1e-9);
  EXPECT_FALSE(cross_calibrated(everybody(3, 4)).has_value());  // one is left, and nobody to tell it from
}

}  // namespace
}  // namespace osteon::verification
