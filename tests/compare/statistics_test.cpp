// The statistics of comparisons, against NumPy's and SciPy's (scripts/comparison_references), closed forms and planted
// effects.

#include "pipeline/paired_statistics.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace osteon::pipeline::paired {
namespace {

const nlohmann::json& references() {
  static const nlohmann::json content = [] {
    std::ifstream in(std::filesystem::path(OSTEON_SOURCE_DIR) / "tests/compare/fixtures/references.json");
    return nlohmann::json::parse(in);
  }();
  return content;
}

TEST(SignFlips, AreSciPysWhereAllAreCounted) {
  ASSERT_EQ(references().at("flips").size(), 7U);
  for (const auto& one : references().at("flips")) {
    const std::vector<double> differences = one.at("differences");
    EXPECT_NEAR(sign_flips(differences, 1).value(), one.at("p"), 1e-12) << differences.size();
  }
}

TEST(SignFlips, OfDifferencesThatAllAgreeAreTheSmallestP) {
  for (std::size_t people = 6; people <= 12; ++people) {
    const std::vector<double> differences(people, -0.1);
    EXPECT_DOUBLE_EQ(sign_flips(differences, 1).value(), 2 / std::pow(2.0, static_cast<double>(people)));
    EXPECT_DOUBLE_EQ(smallest_p(people), 2 / std::pow(2.0, static_cast<double>(people)));
  }
}

TEST(SignFlips, OfThreePairedSeedsSayNothing) {
  EXPECT_FALSE(sign_flips(std::vector<double>{-9.1, -9.4, -9.2}, 1).has_value());
  EXPECT_FALSE(sign_flips(std::vector<double>(5, 1.0), 1).has_value());
  EXPECT_TRUE(sign_flips(std::vector<double>(6, 1.0), 1).has_value());
  EXPECT_FALSE(sign_flips({}, 1).has_value());
  EXPECT_EQ(smallest_p(3), 0.25);
  EXPECT_EQ(fewest_for_p(), 6U);
}

TEST(SignFlips, OfNoDifferenceIsOne) { EXPECT_EQ(sign_flips(std::vector<double>(8, 0.0), 1).value(), 1); }

TEST(SignFlips, DrawnFlipsComeNearTheExactP) {
  Random random(3, "differences");
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::vector<double> differences(14);
    for (double& one : differences) one = random.normal(0.4, 1);
    double observed = 0, hits = 0;
    for (const double one : differences) observed += one;
    for (int signs = 0; signs < 1 << 14; ++signs) {
      double sum = 0;
      for (int i = 0; i < 14; ++i) sum += (signs >> i & 1) != 0 ? -differences[i] : differences[i];
      hits += std::abs(sum) >= std::abs(observed) - 1e-9 ? 1 : 0;
    }
    const double exact = hits / (1 << 14);
    const double error = std::sqrt(exact * (1 - exact) / static_cast<double>(kFlips));
    EXPECT_NEAR(sign_flips(differences, 1).value(), exact, 5 * error + 2.0 / static_cast<double>(kFlips));
  }
  // More people than one draw of 32 bits has signs for.
  std::vector<double> many(40, 0.0);
  many[35] = 1;  // its own flip alone: every sum is as far from 0
  EXPECT_EQ(sign_flips(many, 1).value(), 1);
  EXPECT_NEAR(sign_flips(std::vector<double>(40, 1.0), 1).value(), 1.0 / static_cast<double>(kFlips + 1), 1e-15);
}

TEST(Holm, IsAsDefined) {
  for (const auto& one : references().at("holm")) {
    std::vector<std::optional<double>> p;
    for (const double value : one.at("p")) p.emplace_back(value);
    const auto corrected = holm(p);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(corrected[i].value(), one.at("corrected")[i], 1e-12);
  }
}

TEST(Holm, DoesNotCountWhatHasNoP) {
  const auto corrected = holm(std::vector<std::optional<double>>{std::nullopt, 0.02, std::nullopt, 0.03});
  EXPECT_FALSE(corrected[0].has_value());
  EXPECT_DOUBLE_EQ(corrected[1].value(), 0.04);
  EXPECT_DOUBLE_EQ(corrected[3].value(), 0.04);
  EXPECT_TRUE(holm({}).empty());
}

TEST(Bootstrap, IsNumPysUpToWhatChanceAllows) {
  const nlohmann::json& crossed = references().at("crossed");
  const std::vector<double> weights = crossed.at("weights");
  const std::vector<Setting> settings = crossed.at("values");
  for (std::size_t s = 0; s < settings.size(); ++s)
    EXPECT_NEAR(weighted(weights, over_seeds(settings[s])), crossed.at("figures")[s], 1e-9);
  const auto samples = bootstrap(weights, settings, 1);
  ASSERT_EQ(samples.size(), 3U);
  ASSERT_EQ(samples[0].size(), kSamples);
  for (std::size_t s = 1; s < 3; ++s) {
    const auto interval = interval_of_difference(samples[s], samples[0]);
    EXPECT_NEAR(interval.first, crossed.at("intervals")[s - 1][0], 0.25);
    EXPECT_NEAR(interval.second, crossed.at("intervals")[s - 1][1], 0.25);
  }
  const auto first = shares_of_first(samples, true);
  for (std::size_t s = 0; s < 3; ++s) EXPECT_NEAR(first[s], crossed.at("first")[s], 0.02);
  EXPECT_EQ(bootstrap(weights, settings, 1), samples);
  EXPECT_NE(bootstrap(weights, settings, 2), samples);
}

TEST(Bootstrap, OfOneSettingTwiceHasNoDifferenceAndSharesThePlaces) {
  const Setting one{{1, 2, 3, 4}};
  const auto samples = bootstrap(std::vector<double>(4, 1.0), std::vector<Setting>{one, one}, 1);
  const auto interval = interval_of_difference(samples[0], samples[1]);
  EXPECT_EQ(interval.first, 0);
  EXPECT_EQ(interval.second, 0);
  for (const double share : shares_of_first(samples, false)) EXPECT_NEAR(share, 0.5, 1e-9);
}

TEST(SharesOfFirst, FollowTheDirection) {
  const std::vector<std::vector<double>> samples{{1, 2, 3, 4}, {2, 2, 2, 2}};
  EXPECT_EQ(shares_of_first(samples, true), (std::vector<double>{0.625, 0.375}));
  EXPECT_EQ(shares_of_first(samples, false), (std::vector<double>{0.375, 0.625}));
}

/// A setting whose figure is `effect` beyond 0: what people share in all settings, what this setting means to each (by
/// 2), what its trainings differ by (`of_seeds`), and the rest (by 1).
Setting simulated(std::vector<double> people, std::size_t seeds, double effect, double of_seeds, Random& random) {
  Setting setting;
  for (double& person : people) person += random.normal(0, 2);
  for (std::size_t r = 0; r < seeds; ++r) {
    const double training = random.normal(0, of_seeds);
    auto& values = setting.emplace_back();
    for (const double person : people) values.push_back(effect + person + training + random.normal());
  }
  return setting;
}

struct Outcome {
  double covered = 0, interval_without_zero = 0, significant = 0;  ///< shares of the repeats
};

Outcome repeated(std::size_t people, std::size_t seeds, double effect, double of_seeds) {
  constexpr int kRepeats = 300;
  Random random(7, "simulated settings");
  Outcome outcome;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<double> skill(people);
    for (double& one : skill) one = random.normal(0, 3);
    const std::vector<Setting> settings{simulated(skill, seeds, 0, of_seeds, random),
                                        simulated(skill, seeds, effect, of_seeds, random)};
    const auto samples = bootstrap(std::vector<double>(people, 1.0), settings, static_cast<std::uint64_t>(repeat));
    const auto [low, high] = interval_of_difference(samples[1], samples[0]);
    const auto a = over_seeds(settings[1]), b = over_seeds(settings[0]);
    std::vector<double> differences;
    for (std::size_t p = 0; p < people; ++p) differences.push_back(a[p] - b[p]);
    outcome.covered += low <= effect && effect <= high ? 1.0 / kRepeats : 0;
    outcome.interval_without_zero += low > 0 || high < 0 ? 1.0 / kRepeats : 0;
    outcome.significant += sign_flips(differences, 1).value() <= kLevel ? 1.0 / kRepeats : 0;
  }
  return outcome;
}

TEST(PlantedEffect, IsCoveredAndFound) {
  const Outcome outcome = repeated(20, 3, 3.0, 0);
  EXPECT_GT(outcome.covered, 0.90);  // of nominally 0.95; its standard error is 0.013
  EXPECT_LT(outcome.covered, 0.99);
  EXPECT_GT(outcome.interval_without_zero, 0.9);
  EXPECT_GT(outcome.significant, 0.9);
}

TEST(PlantedEffect, IsCoveredWhereTrainingsDiffer) {
  // Trainings make the difference vary by 3 · √(2/8) = 1.5, people by 2 · √(2/40) = 0.45. Seeds drawn for each person
  // anew would give an interval of a third of that width, which covers half of the time.
  const Outcome outcome = repeated(40, 8, 0.5, 3.0);
  EXPECT_GT(outcome.covered, 0.87);
  EXPECT_LT(outcome.covered, 0.99);
}

TEST(PlantedFactor, WithoutEffectComesOutAsNone) {
  const Outcome outcome = repeated(12, 3, 0, 0);
  EXPECT_LT(outcome.significant, 0.09);  // of 0.05
  EXPECT_GT(outcome.significant, 0.01);
  EXPECT_LT(outcome.interval_without_zero, 0.12);
}

TEST(PlantedFactor, OfManyWithoutEffectNoneIsFoundAfterHolm) {
  Random random(9, "many factors");
  int found_raw = 0, found = 0;
  constexpr int kTables = 300;
  for (int table = 0; table < kTables; ++table) {
    std::vector<std::optional<double>> p;
    for (int comparison = 0; comparison < 8; ++comparison) {
      std::vector<double> differences(10);
      for (double& one : differences) one = random.normal();
      p.push_back(sign_flips(differences, 1));
    }
    const auto any = [](const auto& all) {
      return std::ranges::any_of(all, [](const std::optional<double>& one) { return *one <= kLevel; });
    };
    found_raw += any(p) ? 1 : 0;
    found += any(holm(p)) ? 1 : 0;
  }
  EXPECT_GT(found_raw, kTables / 5);  // 1 - 0.95^8 = 0.34
  EXPECT_LT(found, kTables / 11);     // 0.05
}

TEST(Deviation, IsOfThePopulation) {
  EXPECT_DOUBLE_EQ(deviation(std::vector<double>{1, 3}), std::sqrt(2.0));
  EXPECT_TRUE(std::isnan(deviation(std::vector<double>{1})));
}

}  // namespace
}  // namespace osteon::pipeline::paired
