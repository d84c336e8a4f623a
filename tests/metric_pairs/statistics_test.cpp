// metric/embedding_statistics against hand-made tables, naive loops, and classifier/threshold itself.

#include "embedding/effective_rank.hpp"
#include "scene.hpp"

namespace osteon {
namespace {

constexpr const char* kStatistics = "embedding_statistics";
constexpr const char* kSpace = "embedding space, training images";
constexpr const char* kValidation = "threshold classifier over f, validation images";
constexpr const char* kScan = "threshold classifier over f, another scan";
constexpr const char* kNeverTrained = "threshold classifier over f, never trained on";

using Given = std::map<std::string, ParameterValue>;

/// Seen bone 0 at 0 ± 1, seen bone 1 at 4 ± 1 in three dimensions; the fourth is always zero but once.
Scene two_bones() {
  Scene scene;
  for (int b = 0; b < 2; ++b) {
    const auto bone = scene.bone(false);
    scene.image(bone, Role::training, {4.0 * b - 1, 4.0 * b - 1, 4.0 * b - 1, 0});
    scene.image(bone, Role::training, {4.0 * b + 1, 4.0 * b + 1, 4.0 * b + 1, 0.5 * b});
  }
  return scene;
}

TEST(EmbeddingStatistics, ClassifiesByHand) {
  Scene scene = two_bones();
  scene.image(0, Role::validation, {0.5, 0.5, 0.5, 9});  // inside of bone 0 in three of four dimensions
  scene.image(0, Role::validation, {0.5, 0.5, 9, 9});    // in two of four: not in most
  scene.image(1, Role::validation, {4, 4, 0.5, 9});      // bone 1 in two, bone 0 in one
  scene.image(1, Role::query, {4, 4, 4, 0.25});          // another scan: bone 1 in all
  const MetricResult result =
      make_metric(kStatistics, {{"factors", std::vector<double>{1, 0.1}}, {"sparse_share", 0.7}})
          .evaluate(scene.finished());
  const MetricValue& all = find(result, kValidation, "fingerprint, all dimensions", "f = 1");
  EXPECT_DOUBLE_EQ(all.value, 25) << "half of bone 0's images, none of bone 1's";
  EXPECT_EQ(all.unit, "%");
  EXPECT_EQ(all.count, 2);
  EXPECT_EQ(all.counted, "bones");
  EXPECT_EQ(all.note, "from the training images' own CT volumes: protocol only");
  EXPECT_FALSE(all.is_baseline);
  EXPECT_DOUBLE_EQ(find(result, kValidation, "fingerprint, without sparse dimensions", "f = 1").value, 100);
  EXPECT_DOUBLE_EQ(find(result, kValidation, "fingerprint, all dimensions", "f = 0.1").value, 0);
  EXPECT_DOUBLE_EQ(find(result, kScan, "fingerprint, all dimensions", "f = 0.1").value, 100);
  EXPECT_EQ(find(result, kScan, "fingerprint, all dimensions", "f = 1").note, "");
  EXPECT_EQ(find(result, kScan, "fingerprint, all dimensions", "f = 1").count, 1);
  EXPECT_DOUBLE_EQ(find(result, kScan, "chance", "f = 1").value, 50);
  EXPECT_TRUE(find(result, kScan, "chance", "f = 1").is_baseline);
  EXPECT_FALSE(has(result, kNeverTrained, "chance", "f = 1")) << "nobody is held out";
}

TEST(EmbeddingStatistics, CountsSparseDimensions) {
  Scene scene;
  const auto bone = scene.bone(false);
  for (int i = 0; i < 200; ++i)  // dimension 1: zero in 198 of 200, 2: in 199, 3: nearly zero in all
    scene.image(bone, Role::training, {1.0 + i, i < 2 ? 1.0 : 0.0, i == 5 ? 1.0 : 0.0, 1e-7 * i / 200});
  const auto sparse = [&](const Given& given) {
    return find(make_metric(kStatistics, given).evaluate(scene.finished()), kSpace, "fingerprint", "sparse dimensions")
        .value;
  };
  EXPECT_EQ(sparse({}), 2) << "99 % is not more than 99 %";
  EXPECT_EQ(sparse({{"sparse_share", 0.98}}), 3);
  EXPECT_EQ(sparse({{"zero_below", 0.0}}), 1);
  const MetricResult result = make_metric(kStatistics).evaluate(scene.finished());
  EXPECT_EQ(to_text(find(result, kSpace, "fingerprint", "sparse dimensions")), "2 of 4");
  EXPECT_EQ(find(result, kSpace, "fingerprint", "sparse dimensions").count, 200);
  EXPECT_EQ(find(result, kSpace, "fingerprint", "sparse dimensions").counted, "images");
}

/// `count` bones with two scans, around random places of `d` dimensions of which the last is 0.
Evidence::Contents gaussian_bones(int count, int each, double spread, std::uint64_t seed, int d = 6) {
  Random random(seed, "gaussian_bones");
  Scene scene;
  scene.contents.seed = seed;
  for (int b = 0; b < count; ++b) {
    const auto bone = scene.bone(b % 2 == 1);
    std::vector<double> centre;
    for (int j = 0; j < d; ++j) centre.push_back(random.normal());
    for (int i = 0; i < 3 * each; ++i) {
      std::vector<double> at;
      for (int j = 0; j + 1 < d; ++j) at.push_back(centre[static_cast<std::size_t>(j)] + spread * random.normal());
      at.push_back(0);
      const Role known = b % 2 == 1 ? Role::gallery : i < each ? Role::training : Role::validation;
      scene.image(bone, i < 2 * each ? known : Role::query, at);
    }
  }
  return scene.finished();
}

/// Images of one column in one role.
std::vector<std::int64_t> images(const Evidence::Contents& contents, bool held_out, Role role) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < contents.bone.numel(); ++i)
    if (contents.role[static_cast<std::size_t>(i)] == role &&
        contents.bones[static_cast<std::size_t>(contents.bone[i].item<std::int64_t>())].held_out == held_out)
      rows.push_back(i);
  return rows;
}

TEST(EmbeddingStatistics, AgreesWithTheThresholdClassifier) {
  const Evidence::Contents contents = gaussian_bones(10, 15, 0.8, 1);
  const MetricResult result = make_metric(kStatistics).evaluate(contents);
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "threshold");
  const auto rows = [&](bool held_out, Role role) { return at::tensor(images(contents, held_out, role), at::kLong); };
  for (const auto& [table, held_out, known, asked] : {std::tuple{kValidation, false, Role::training, Role::validation},
                                                      {kScan, false, Role::training, Role::query},
                                                      {kNeverTrained, true, Role::gallery, Role::query}})
    for (const bool drop : {false, true})
      for (const double f : {0.5, 1.5, 3.0}) {
        const host::ClassifierHandle classifier(
            plugin, Parameters(plugin.schema, {{"rule", std::string("class")}, {"factor", f}, {"drop_sparse", drop}}));
        const at::Tensor& vectors = contents.embeddings[0].vectors;
        classifier.fit(vectors.index_select(0, rows(held_out, known)),
                       contents.bone.index_select(0, rows(held_out, known)));
        const at::Tensor truth = contents.bone.index_select(0, rows(held_out, asked));
        const at::Tensor answers = classifier.predict(vectors.index_select(0, rows(held_out, asked))).labels;
        const double share = answers.eq(truth).to(at::kDouble).mean().item<double>();  // all bones have as many images
        const char* which = drop ? "fingerprint, without sparse dimensions" : "fingerprint, all dimensions";
        EXPECT_NEAR(find(result, table, which, text("f = ", f)).value, 100 * share, 1e-9) << table << f << drop;
      }
  EXPECT_GT(find(result, kScan, "fingerprint, all dimensions", "f = 1.5").value, 40);
}

TEST(EmbeddingStatistics, OfBonesFarApartIsPerfectAndOfRandomOnesChance) {
  const MetricResult perfect = make_metric(kStatistics).evaluate(gaussian_bones(8, 20, 0.01, 2, 9));
  for (const char* table : {kValidation, kScan, kNeverTrained})
    EXPECT_EQ(find(perfect, table, "fingerprint, all dimensions", "f = 3").value, 100) << table;
  Evidence::Contents contents = gaussian_bones(20, 30, 1, 3, 9);
  const at::Tensor order = at::tensor(Random(3, "order").permutation(contents.bone.numel()), at::kLong);
  contents.embeddings[0].vectors = contents.embeddings[0].vectors.index_select(0, order);
  const MetricResult random = make_metric(kStatistics).evaluate(contents);
  EXPECT_NEAR(find(random, kScan, "chance", "f = 1").value, 10, 1e-12);
  EXPECT_LT(find(random, kScan, "fingerprint, all dimensions", "f = 1").value, 20);
}

TEST(EmbeddingStatistics, NeverCountsADimensionWithoutDeviation) {
  // Bone length: one value in all images of a scan. Thirds are no exact numbers, and their mean must not differ.
  Scene scene;
  for (int b = 0; b < 2; ++b) {
    const auto bone = scene.bone(false);
    for (int i = 0; i < 7; ++i) scene.image(bone, Role::training, {(b + 1) / 3.0});
    scene.image(bone, Role::validation, {(b + 1) / 3.0});
  }
  const MetricResult result = make_metric(kStatistics).evaluate(scene.finished());
  EXPECT_EQ(to_text(find(result, kValidation, "fingerprint, all dimensions", "f = 3")),
            "undefined (no bone has a deviation in any dimension)");
  // With one image that differs only that bone can be named.
  scene.values[0] = 0.5;
  const MetricResult one = make_metric(kStatistics).evaluate(scene.finished());
  EXPECT_EQ(find(one, kValidation, "fingerprint, all dimensions", "f = 3").value, 50);
}

TEST(EmbeddingStatistics, SaysWhereAllDimensionsAreSparse) {
  Scene scene = two_bones();
  for (double& value : scene.values) value = 0;
  scene.image(0, Role::validation, {0, 0, 0, 0});
  const MetricResult result = make_metric(kStatistics).evaluate(scene.finished());
  EXPECT_EQ(to_text(find(result, kValidation, "fingerprint, without sparse dimensions", "f = 1")),
            "undefined (all dimensions are sparse)");
  EXPECT_EQ(find(result, kSpace, "fingerprint", "sparse dimensions").value, 4);
  EXPECT_EQ(to_text(find(result, kSpace, "fingerprint", "effective rank")), "undefined (all embeddings are equal)");
}

TEST(EmbeddingStatistics, SaysOfSeveralMethodsWhatDiffers) {
  Scene scene = two_bones();
  scene.image(0, Role::validation, {0.5, 0.5, 0.5, 0});
  Evidence::Contents contents = scene.finished();
  contents.embeddings.push_back({"raw pixels", true, contents.embeddings[0].vectors.slice(1, 0, 3).contiguous()});
  contents.embeddings[0].vectors = contents.embeddings[1].vectors;
  const MetricResult result = make_metric(kStatistics).evaluate(contents);
  EXPECT_EQ(find(result, kValidation, "fingerprint, without sparse dimensions", "f = 1").note,
            "from the training images' own CT volumes: protocol only; no dimension is sparse");
  EXPECT_FALSE(has(result, kValidation, "raw pixels, without sparse dimensions", "f = 1"));
  EXPECT_TRUE(find(result, kValidation, "raw pixels, all dimensions", "f = 1").is_baseline);
  EXPECT_TRUE(find(result, kSpace, "raw pixels", "effective rank").is_baseline);
}

TEST(EmbeddingStatistics, SaysWhereOneVolumeIsOnBothSidesAndOfWhichFold) {
  Evidence::Contents contents = gaussian_bones(6, 5, 0.3, 4);
  contents.folds = 2;
  EXPECT_EQ(
      find(make_metric(kStatistics).evaluate(contents), kNeverTrained, "fingerprint, all dimensions", "f = 1").note,
      "of the first of 2 folds");
  contents.queries_share_volume = true;
  EXPECT_EQ(find(make_metric(kStatistics).evaluate(contents), kNeverTrained, "chance", "f = 1").note,
            "from the known images' own CT volumes: says nothing about identity; of the first of 2 folds");
}

TEST(EmbeddingStatistics, ResamplesPeopleFromTwelveOn) {
  for (const int bones : {22, 24}) {  // half of them are seen in training
    const MetricResult result = make_metric(kStatistics).evaluate(gaussian_bones(bones, 8, 0.8, 5));
    const MetricValue& value = find(result, kScan, "fingerprint, all dimensions", "f = 1");
    ASSERT_EQ(value.interval.has_value(), bones == 24);
    if (!value.interval) continue;
    EXPECT_LT(value.interval->first, value.value);
    EXPECT_GT(value.interval->second, value.value);
  }
}

TEST(EffectiveRank, IsTheNumberOfEquallyUsedDimensions) {
  for (const std::int64_t k : {1, 3, 8}) {
    const at::Tensor rows = at::zeros({2 * k, 20});
    for (std::int64_t i = 0; i < k; ++i) {
      rows[2 * i][i] = 1;
      rows[2 * i + 1][i] = -1;
    }
    EXPECT_NEAR(embedding::effective_rank(rows + 5), static_cast<double>(k), 1e-5) << k;
  }
}

TEST(EffectiveRank, IsTheEntropyOfTheSingularValues) {
  for (const auto& [n, d] : {std::pair{40, 7}, {9, 30}}) {
    Random random(1, "rows");
    at::Tensor rows = at::empty({n, d}, at::kFloat);
    for (std::int64_t i = 0; i < rows.numel(); ++i)
      rows.data_ptr<float>()[i] = static_cast<float>(random.normal() * static_cast<double>(1 + i % d));
    const at::Tensor centred = rows.to(at::kDouble) - rows.to(at::kDouble).mean(0, true);
    const at::Tensor values = at::linalg_svdvals(centred), shares = values / values.sum();
    const at::Tensor real = shares.masked_select(shares.gt(1e-10));
    const double reference = std::exp(-(real * real.log()).sum().item<double>());
    EXPECT_NEAR(embedding::effective_rank(rows), reference, 1e-6);
  }
}

TEST(EffectiveRank, OfEqualRowsIsUndefined) {
  EXPECT_TRUE(std::isnan(embedding::effective_rank(at::full({5, 3}, 0.1F))));
}

TEST(EmbeddingStatistics, DrawsImagesEvenlyForTheEffectiveRank) {
  const Evidence::Contents contents = gaussian_bones(4, 30, 0.5, 6);  // two seen bones, 60 training images
  const auto rank = [&](std::int64_t most) {
    return find(make_metric(kStatistics, {{"rank_images", most}}).evaluate(contents), kSpace, "fingerprint",
                "effective rank");
  };
  const at::Tensor training = at::tensor(images(contents, false, Role::training), at::kLong);
  EXPECT_NEAR(rank(60).value, embedding::effective_rank(contents.embeddings[0].vectors.index_select(0, training)),
              1e-12);
  EXPECT_EQ(rank(60).count, 60);
  EXPECT_EQ(rank(21).count, 20);
  EXPECT_NE(rank(21).value, rank(60).value);
}

TEST(EmbeddingStatistics, DrawsMeanAndDeviationOfEachDimension) {
  const MetricResult result = make_metric(kStatistics).evaluate(two_bones().finished());
  ASSERT_EQ(result.charts.size(), 2U);
  EXPECT_EQ(result.charts[0].title, "fingerprint: mean of each dimension in each bone");
  ASSERT_EQ(result.charts[0].series.size(), 2U);
  EXPECT_EQ(result.charts[0].series[1].name, "bone 1");
  EXPECT_EQ(result.charts[0].series[1].x, (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(result.charts[0].series[1].y, (std::vector<double>{4, 4, 4, 0.25}));
  EXPECT_EQ(result.charts[1].series[0].y, (std::vector<double>{1, 1, 1, 0}));
  EXPECT_EQ(result.charts[1].series[1].y, (std::vector<double>{1, 1, 1, 0.25}));
}

TEST(EmbeddingStatistics, RefusesEmbeddingsThatAreNotFinite) {
  Evidence::Contents contents = two_bones().finished();
  contents.embeddings[0].vectors[1][2] = std::nan("");
  EXPECT_EQ(refusal(kStatistics, contents),
            "metric/embedding_statistics: the fingerprint embedding 1 is not a finite number in dimension 2; training "
            "has probably diverged: look at its loss and lower the learning rate");
}

TEST(EmbeddingStatistics, OfNoImagesIsNothing) {
  EXPECT_TRUE(make_metric(kStatistics).evaluate(Scene{}.finished()).values.empty());
}

}  // namespace
}  // namespace osteon
