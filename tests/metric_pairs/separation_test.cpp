// metric/pairwise_separation against pairs counted by hand and naive loops.

#include "separation_cases.hpp"

#include <algorithm>

namespace osteon {
namespace {

constexpr const char* kPlugin = kSeparation;
constexpr const char* kNever = "pairs told apart, never trained on";
constexpr const char* kSeen = "pairs told apart, seen in training";
constexpr const char* kThresholds = "pairwise separation, thresholds as Euclidean distances";

/// Two bones never trained on, with pairs counted by hand, and two seen ones for the best threshold.
Scene four_bones() {
  Scene scene;
  scene.contents.margin = 0.1;  // 0.316 on Euclidean distances
  const auto first = scene.bone(true), second = scene.bone(true), third = scene.bone(false), fourth = scene.bone(false);
  scene.on_circle(first, Role::gallery, 0);
  scene.on_circle(second, Role::gallery, 1);
  scene.on_circle(first, Role::query, 0.1);    // own 0.09996, other 0.870
  scene.on_circle(first, Role::query, 0.4);    // own 0.397, other 0.591
  scene.on_circle(second, Role::query, 1.2);   // own 0.1997, other 1.129
  scene.on_circle(second, Role::query, 0.55);  // own 0.446, other 0.544
  scene.on_circle(third, Role::training, 0);
  scene.on_circle(third, Role::validation, 0.2);  // own 0.1997, other 1.567
  scene.on_circle(fourth, Role::training, 2);
  scene.on_circle(fourth, Role::validation, 2.1);  // own 0.09996, other 1.734
  return scene;
}

TEST(PairwiseSeparation, CountsPairsByHand) {
  const MetricResult result = make_metric(kPlugin).evaluate(four_bones().finished());
  const MetricValue& squared = find(result, kNever, "fingerprint, distance² < margin", "all");
  EXPECT_DOUBLE_EQ(squared.value, 75);
  EXPECT_EQ(squared.unit, "%");
  EXPECT_EQ(squared.count, 2);
  EXPECT_EQ(squared.counted, "bones, 8 pairs");
  EXPECT_EQ(squared.note, "");
  EXPECT_FALSE(squared.is_baseline);
  EXPECT_FALSE(squared.interval.has_value());
  EXPECT_DOUBLE_EQ(find(result, kNever, "fingerprint, distance < margin", "all").value, 62.5);
  EXPECT_DOUBLE_EQ(find(result, kNever, "fingerprint, best threshold", "all").value, 62.5);
  EXPECT_DOUBLE_EQ(find(result, kNever, "always different", "all").value, 50);
  EXPECT_TRUE(find(result, kNever, "always different", "all").is_baseline);
  EXPECT_DOUBLE_EQ(find(result, kKinds, "fingerprint, distance² < margin", "same bone").value, 50);
  EXPECT_DOUBLE_EQ(find(result, kKinds, "fingerprint, distance² < margin", "different bones").value, 100);
  EXPECT_DOUBLE_EQ(find(result, kKinds, "fingerprint, best threshold", "same bone").value, 100);
  EXPECT_DOUBLE_EQ(find(result, kKinds, "fingerprint, best threshold", "different bones").value, 25);
  EXPECT_DOUBLE_EQ(find(result, kKinds, "fingerprint, best threshold", "mean of both").value, 62.5);
  EXPECT_DOUBLE_EQ(find(result, kKinds, "always different", "mean of both").value, 50);
  EXPECT_FALSE(has(result, kSeen, "fingerprint, distance² < margin", "all")) << "no seen bone has queries";
}

TEST(PairwiseSeparation, ChoosesTheBestThresholdOnValidationImages) {
  const MetricResult result = make_metric(kPlugin).evaluate(four_bones().finished());
  const double best = (chord(0.2) + chord(1.8)) / 2;
  EXPECT_NEAR(find(result, kThresholds, "fingerprint", "best on validation images").value, best, 1e-6);
  EXPECT_NEAR(find(result, kThresholds, "fingerprint", "√margin").value, std::sqrt(0.1), 1e-12);
  EXPECT_NEAR(find(result, kThresholds, "fingerprint", "margin").value, 0.1, 1e-12);
  EXPECT_NEAR(find(result, kThresholds, "fingerprint", "best / √margin").value, best / std::sqrt(0.1), 1e-6);
  EXPECT_DOUBLE_EQ(find(result, kThresholds, "fingerprint", "right on them, mean of same and different").value, 100);
  // Images that are scored have no part in it.
  Scene other = four_bones();
  other.on_circle(0, Role::query, 3);
  const MetricResult again = make_metric(kPlugin).evaluate(other.finished());
  EXPECT_EQ(find(again, kThresholds, "fingerprint", "best on validation images").value,
            find(result, kThresholds, "fingerprint", "best on validation images").value);
}

TEST(PairwiseSeparation, BelowTheMarginNotAtIt) {
  Scene scene;
  scene.contents.margin = 0;  // equal embeddings are not nearer than 0
  for (int b = 0; b < 2; ++b) {
    const auto bone = scene.bone(true);
    scene.on_circle(bone, Role::gallery, b);
    scene.on_circle(bone, Role::query, b);
  }
  const MetricResult result = make_metric(kPlugin).evaluate(scene.finished());
  EXPECT_DOUBLE_EQ(find(result, kNever, "fingerprint, distance² < margin", "all").value, 50);
}

/// Whether a query taken like `row`, and a gallery image in the standard view, lie in each subset.
std::vector<std::string> subsets_of(const ImageRow& row, double energy = 150) {
  Scene scene;
  scene.contents.margin = 0.1;
  for (int b = 0; b < 2; ++b) {
    const auto bone = scene.bone(true);
    scene.on_circle(bone, Role::gallery, b, row_at(0, 0, energy));
    scene.on_circle(bone, Role::query, b, row);
  }
  const MetricResult result = make_metric(kPlugin).evaluate(scene.finished());
  std::vector<std::string> names;
  for (const MetricValue& value : result.values) {
    if (value.table != kNever || value.row != "fingerprint, distance² < margin") continue;
    if (!std::isnan(value.value)) names.push_back(value.column);
    EXPECT_TRUE(value.value == 100 ||
                to_text(value) == "undefined (no pair of images within these angles and energies)")
        << to_text(value);
  }
  return names;
}

TEST(PairwiseSeparation, HasTheSixSubsetsOfTheStudy) {
  using Names = std::vector<std::string>;
  const std::string hard = "4°, 146–158 keV", four = "4°", seven = "7°", axial = "axial 22°, in-plane 4°",
                    in_plane = "axial 4°, in-plane 22°", all = "all";
  EXPECT_EQ(subsets_of(row_at(-4, 4, 146)), (Names{hard, four, seven, axial, in_plane, all}));
  EXPECT_EQ(subsets_of(row_at(0, 0, 140)), (Names{four, seven, axial, in_plane, all}));
  EXPECT_EQ(subsets_of(row_at(0, 0, 150), 60), (Names{four, seven, axial, in_plane, all})) << "both images";
  EXPECT_EQ(subsets_of(row_at(-7, 7, 150)), (Names{seven, all}));
  EXPECT_EQ(subsets_of(row_at(-22, 4, 150)), (Names{axial, all}));
  EXPECT_EQ(subsets_of(row_at(3, 21, 150)), (Names{in_plane, all}));
  EXPECT_EQ(subsets_of(row_at(7, 21, 150)), (Names{all}));
  EXPECT_EQ(subsets_of(row_at(0, 0, 150, 5)), (Names{seven, all})) << "a tilt must be small";
  ImageRow turned = row_at(0, 0, 150);
  turned.ml_axial = 6;
  EXPECT_EQ(subsets_of(turned), (Names{seven, axial, all})) << "the larger angle of both views counts";
}

TEST(PairwiseSeparation, TakesTheSubsetsBoundsAsParameters) {
  Scene scene = four_bones();
  scene.contents.rows.assign(scene.contents.rows.size(), row_at(9, 0, 70));
  const MetricResult result =
      make_metric(kPlugin,
                  {{"narrow", 10.0}, {"middle", 12.5}, {"wide", 30.0}, {"energy_from", 60.0}, {"energy_to", 80.0}})
          .evaluate(scene.finished());
  for (const char* column : {"10°, 60–80 keV", "10°", "12.5°", "axial 30°, in-plane 10°", "axial 10°, in-plane 30°"})
    EXPECT_EQ(find(result, kNever, "fingerprint, distance² < margin", column).value, 75) << column;
}

TEST(PairwiseSeparation, SaysWhichKindOfPairsIsMissing) {
  Scene scene;
  scene.contents.margin = 0.1;
  const auto first = scene.bone(true), second = scene.bone(true);
  scene.on_circle(first, Role::gallery, 0, row_at(0, 0, 150));
  scene.on_circle(first, Role::query, 0, row_at(0, 0, 150));
  scene.on_circle(second, Role::query, 1, row_at(20, 20, 150));
  const MetricResult result = make_metric(kPlugin).evaluate(scene.finished());
  const auto told = [&](const char* column) {
    return to_text(find(result, kNever, "fingerprint, distance² < margin", column));
  };
  EXPECT_EQ(told("7°"), "undefined (no pair shows two people's bones)");
  EXPECT_EQ(told("all"), "100.0 %");
  EXPECT_EQ(to_text(find(result, kThresholds, "fingerprint", "best on validation images")),
            "undefined (no pairs of validation and training images)");
  scene.contents.role[0] = Role::query;
  scene.on_circle(second, Role::gallery, 1, row_at(0, 0, 150));
  const MetricResult other = make_metric(kPlugin).evaluate(scene.finished());
  EXPECT_EQ(to_text(find(other, kNever, "fingerprint, distance² < margin", "7°")),
            "undefined (no pair shows the same bone)");
}

double largest_angle(const ImageRow& row) { return std::max(std::abs(row.axial), std::abs(row.in_plane)); }

TEST(PairwiseSeparation, MatchesANaiveLoop) {
  const Evidence::Contents contents = cloud(4, 12, 0.3, 1);
  const MetricResult result = make_metric(kPlugin).evaluate(contents);
  for (const auto& [column, most] : {std::pair{"4°", 4.0}, {"7°", 7.0}, {"all", 90.0}})
    for (const auto& [rule, limit] : {std::pair{"distance² < margin", std::sqrt(0.3)}, {"distance < margin", 0.3}}) {
      double right = 0, pairs = 0;
      for (std::int64_t q = 0; q < contents.bone.numel(); ++q)
        for (std::int64_t g = 0; g < contents.bone.numel(); ++g) {
          const auto own = static_cast<std::size_t>(q), other = static_cast<std::size_t>(g);
          if (contents.role[own] != Role::query || contents.role[other] != Role::gallery) continue;
          if (largest_angle(contents.rows[own]) > most || largest_angle(contents.rows[other]) > most) continue;
          const auto a = contents.bone[q].item<std::int64_t>(), b = contents.bone[g].item<std::int64_t>();
          if (a != b && a / 2 == b / 2) continue;
          pairs += 1;
          right += (distance(contents.embeddings[0].vectors, q, g) < limit) == (a == b) ? 1 : 0;
        }
      const MetricValue& value = find(result, kNever, text("fingerprint, ", rule), column);
      EXPECT_NEAR(value.value, 100 * right / pairs, 1e-9) << column << rule;
      std::string counted = value.counted;
      std::erase(counted, ',');
      EXPECT_EQ(counted, text("bones ", pairs, " pairs"));
      EXPECT_EQ(value.count, 8) << column;
    }
}

TEST(PairwiseSeparation, OfBonesFarApartIsPerfectAndOfTiedOnesWhatTheKindsAre) {
  const MetricResult perfect = make_metric(kPlugin).evaluate(cloud(4, 6, 1e-4, 2));
  EXPECT_EQ(find(perfect, kNever, "fingerprint, distance² < margin", "all").value, 100);
  Evidence::Contents tied = cloud(4, 6, 0.3, 2);
  tied.embeddings[0].vectors = at::zeros_like(tied.embeddings[0].vectors);
  tied.embeddings[0].vectors.select(1, 2).fill_(1);
  const MetricResult result = make_metric(kPlugin).evaluate(tied);
  EXPECT_EQ(find(result, kKinds, "fingerprint, distance² < margin", "same bone").value, 100);
  EXPECT_EQ(find(result, kKinds, "fingerprint, distance² < margin", "different bones").value, 0);
  EXPECT_NEAR(find(result, kNever, "fingerprint, distance² < margin", "all").value,
              100 - find(result, kNever, "always different", "all").value, 1e-9);
}

TEST(PairwiseSeparation, OfRandomEmbeddingsIsChance) {
  Evidence::Contents contents = cloud(10, 20, 100, 3);  // a bone's place no longer matters
  contents.margin = 2;                                  // about half of all pairs are nearer than √2
  const MetricResult result = make_metric(kPlugin).evaluate(contents);
  EXPECT_NEAR(find(result, kKinds, "fingerprint, distance² < margin", "same bone").value, 50, 5);
  EXPECT_NEAR(find(result, kKinds, "fingerprint, distance² < margin", "mean of both").value, 50, 2);
}

TEST(PairwiseSeparation, FindsTheThresholdThatANaiveSearchFinds) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Evidence::Contents contents = cloud(3, 6, 0.5, seed, false);
    for (Role& role : contents.role) role = role == Role::gallery ? Role::training : Role::validation;
    std::vector<std::pair<double, bool>> pairs;
    double same = 0, different = 0;
    for (std::int64_t v = 0; v < contents.bone.numel(); ++v)
      for (std::int64_t t = 0; t < contents.bone.numel(); ++t) {
        if (contents.role[static_cast<std::size_t>(v)] != Role::validation ||
            contents.role[static_cast<std::size_t>(t)] != Role::training)
          continue;
        const auto a = contents.bone[v].item<std::int64_t>(), b = contents.bone[t].item<std::int64_t>();
        if (a != b && a / 2 == b / 2) continue;
        pairs.emplace_back(distance(contents.embeddings[0].vectors, v, t), a == b);
        (a == b ? same : different) += 1;
      }
    double best = 0.5;
    for (const auto& [limit, unused] : pairs) {
      double right_same = 0, right_different = 0;
      for (const auto& [d, is_same] : pairs) (is_same ? right_same : right_different) += (d <= limit) == is_same;
      best = std::max(best, (right_same / same + right_different / different) / 2);
    }
    const MetricResult result = make_metric(kPlugin).evaluate(contents);
    EXPECT_NEAR(find(result, kThresholds, "fingerprint", "right on them, mean of same and different").value, 100 * best,
                1e-9);
    const double threshold = find(result, kThresholds, "fingerprint", "best on validation images").value;
    double right_same = 0, right_different = 0;
    for (const auto& [d, is_same] : pairs) (is_same ? right_same : right_different) += (d < threshold) == is_same;
    EXPECT_NEAR((right_same / same + right_different / different) / 2, best, 1e-12) << "seed " << seed;
  }
}

TEST(PairwiseSeparation, DrawsValidationImagesWhereTheyAreMany) {
  Evidence::Contents contents = cloud(3, 40, 0.2, 5, false);
  for (Role& role : contents.role) role = role == Role::gallery ? Role::training : Role::validation;
  const double all =
      find(make_metric(kPlugin).evaluate(contents), kThresholds, "fingerprint", "best on validation images").value;
  const auto drawn = [&](std::int64_t pairs) {
    return find(make_metric(kPlugin, {{"validation_pairs", pairs}}).evaluate(contents), kThresholds, "fingerprint",
                "best on validation images")
        .value;
  };
  EXPECT_EQ(drawn(240 * 240), all);
  EXPECT_NE(drawn(5000), all);
  EXPECT_NEAR(drawn(5000), all, 0.2 * all);
}

TEST(PairwiseSeparation, TakesEachTwoGalleryImagesAsTheStudyDid) {
  Scene scene = four_bones();
  scene.on_circle(0, Role::gallery, 0.3);  // own 0.299, other bone 0.686; the queries have no part
  const MetricResult result = make_metric(kPlugin, {{"pairs", std::string("all")}}).evaluate(scene.finished());
  const MetricValue& value = find(result, "pairs told apart, never trained on, all pairs (protocol only)",
                                  "fingerprint, distance < margin", "all");
  EXPECT_NEAR(value.value, 200.0 / 3, 1e-9);
  EXPECT_EQ(value.counted, "bones, 3 pairs");
  EXPECT_EQ(value.note, "pairs share CT volumes: protocol only, says nothing about identity");
  EXPECT_FALSE(has(result, kNever, "fingerprint, distance < margin", "all"));
  // Seen bones: two training and two validation images, on which the best threshold was chosen.
  constexpr const char* kSeenAll = "pairs told apart, seen in training, all pairs (protocol only)";
  EXPECT_EQ(find(result, kSeenAll, "fingerprint, distance² < margin", "all").counted, "bones, 6 pairs");
  EXPECT_FALSE(has(result, kSeenAll, "fingerprint, best threshold", "all"));
}

TEST(PairwiseSeparation, LeavesOutTheOtherFemurOfThePerson) {
  Scene scene = four_bones();
  const auto opposite = scene.bone(true, "person 0");
  scene.on_circle(opposite, Role::gallery, 0);
  const MetricResult result = make_metric(kPlugin).evaluate(scene.finished());
  const MetricValue& value = find(result, kNever, "fingerprint, distance² < margin", "all");
  EXPECT_EQ(value.counted, "bones, 10 pairs") << "8, and the second bone's two queries against the opposite femur";
  EXPECT_DOUBLE_EQ(value.value, 80);
}

TEST(PairwiseSeparation, TellsMarginsOfUnitRowsOnly) {
  Evidence::Contents contents = four_bones().finished();
  contents.embeddings.push_back({"bone length", true, contents.embeddings[0].vectors * 3});
  const MetricResult result = make_metric(kPlugin).evaluate(contents);
  EXPECT_FALSE(has(result, kNever, "bone length, distance² < margin", "all"));
  EXPECT_FALSE(has(result, kThresholds, "bone length", "√margin"));
  EXPECT_TRUE(find(result, kNever, "bone length, best threshold", "all").is_baseline);
  EXPECT_DOUBLE_EQ(find(result, kNever, "bone length, best threshold", "all").value, 62.5);
  contents.margin = -1;
  const MetricResult without = make_metric(kPlugin).evaluate(contents);
  EXPECT_FALSE(has(without, kNever, "fingerprint, distance² < margin", "all"));
  EXPECT_DOUBLE_EQ(find(without, kNever, "fingerprint, best threshold", "all").value, 62.5);
}

TEST(PairwiseSeparation, SaysWhereOneVolumeIsOnBothSides) {
  Scene scene = four_bones();
  scene.contents.queries_share_volume = true;
  scene.contents.folds = 3;
  const MetricResult result = make_metric(kPlugin).evaluate(scene.finished());
  EXPECT_EQ(find(result, kNever, "fingerprint, best threshold", "all").note,
            "gallery and queries share a CT volume: says nothing about identity; of the first of 3 folds");
  // Validation images ask: 2 × 2 pairs, and no threshold may have been chosen on them.
  EXPECT_EQ(find(result, kSeen, "fingerprint, distance² < margin", "all").counted, "bones, 4 pairs");
  EXPECT_EQ(find(result, kSeen, "fingerprint, distance² < margin", "all").note,
            "gallery and queries share a CT volume: says nothing about identity");
  EXPECT_FALSE(has(result, kSeen, "fingerprint, best threshold", "all"));
}

TEST(PairwiseSeparation, ResamplesPeopleFromTwelveOn) {
  const auto interval = [](int people) {
    const MetricResult result = make_metric(kPlugin).evaluate(cloud(people, 6, 0.4, 6));
    const MetricValue& value = find(result, kNever, "fingerprint, distance² < margin", "all");
    if (value.interval) {
      EXPECT_LT(value.interval->first, value.value);
      EXPECT_GT(value.interval->second, value.value);
      EXPECT_GT(value.interval->first, value.value - 20);
      EXPECT_LT(value.interval->second, value.value + 20);
    }
    EXPECT_FALSE(find(result, kNever, "always different", "all").interval.has_value());
    return value.interval.has_value();
  };
  EXPECT_FALSE(interval(11));
  EXPECT_TRUE(interval(12));
}

TEST(PairwiseSeparation, RefusesWhatCannotBe) {
  Evidence::Contents contents = four_bones().finished();
  contents.embeddings[0].vectors[3][1] = std::nan("");
  EXPECT_EQ(refusal(kPlugin, contents),
            "metric/pairwise_separation: embeddings fingerprint hold values that are not finite");
  contents.embeddings[0].vectors = at::zeros({3, 2});
  EXPECT_EQ(refusal(kPlugin, contents),
            "metric/pairwise_separation: embeddings fingerprint must be float32 [10, d], a row for each image");
  contents = four_bones().finished();
  contents.rows.pop_back();
  EXPECT_EQ(refusal(kPlugin, contents),
            "metric/pairwise_separation: there are 10 images, and angles and energy of 9; each image needs them");
  const auto made = [](const std::map<std::string, ParameterValue>& given) -> std::string {
    try {
      (void)make_metric(kPlugin, given);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(made({{"middle", 3.0}}), "metric/pairwise_separation: narrow = 4, middle = 3, wide = 22 must not fall");
  EXPECT_EQ(made({{"energy_from", 160.0}}),
            "metric/pairwise_separation: energy_from = 160 must not be above energy_to = 158");
}

TEST(PairwiseSeparation, OfNoImagesIsNothing) {
  EXPECT_TRUE(make_metric(kPlugin).evaluate(Scene{}.finished()).values.empty());
}

}  // namespace
}  // namespace osteon
