// metric/embedding_map: PCA against a singular value decomposition, t-SNE by whether it keeps neighbours.

#include "scene.hpp"

#include <set>

namespace osteon {
namespace {

constexpr const char* kEmbeddingMap = "embedding_map";
constexpr const char* kExplained = "embedding space, variance explained";
constexpr const char* kTrust = "embedding space, trustworthiness of the maps";

using Given = std::map<std::string, ParameterValue>;

/// `each` images of every bone around its own place of `d` dimensions; neighbouring dimensions vary differently.
Evidence::Contents spread_bones(int bones, int each, int d, double gap, std::uint64_t seed) {
  Random random(seed, "cloud");
  Scene scene;
  scene.contents.seed = seed;
  for (int b = 0; b < bones; ++b) {
    const auto bone = scene.bone(b % 2 == 1);
    std::vector<double> centre(static_cast<std::size_t>(d));
    for (double& x : centre) x = gap * random.normal();
    for (int i = 0; i < each; ++i) {
      std::vector<double> at;
      for (int j = 0; j < d; ++j) at.push_back(centre[static_cast<std::size_t>(j)] + random.normal() / (1 + j));
      scene.image(bone, Role::gallery, at);
    }
  }
  return scene.finished();
}

const EmbeddingMap& map(const MetricResult& result, const std::string& title) {
  for (const EmbeddingMap& one : result.maps)
    if (one.title == title) return one;
  throw failure("no map " + title);
}

TEST(EmbeddingMap, PcaIsTheEigenDecomposition) {
  for (const auto& [bones, each, d] : {std::tuple{6, 20, 12}, {3, 5, 40}}) {
    const Evidence::Contents contents = spread_bones(bones, each, d, 2, 1);
    const MetricResult result = make_metric(kEmbeddingMap).evaluate(contents);
    const at::Tensor rows = contents.embeddings[0].vectors.to(at::kDouble), centred = rows - rows.mean(0, true);
    const auto [values, vectors] = at::linalg_eigh(centred.t().matmul(centred), "L");  // ascending
    const at::Tensor shares = values.flip(0) / values.sum();
    for (const auto& [column, count] : {std::pair{"1st component", 1}, {"first 2", 2}, {"first 10", 10}})
      EXPECT_NEAR(find(result, kExplained, "fingerprint", column).value,
                  100 * shares.slice(0, 0, count).sum().item<double>(), 1e-6);
    const EmbeddingMap& pca = map(result, "fingerprint, PCA");
    for (std::int64_t c = 0; c < 2; ++c) {
      const at::Tensor own = pca.points.select(1, c).to(at::kDouble);
      const at::Tensor reference = centred.mv(vectors.select(1, d - 1 - c));
      const double sign = own.dot(reference).item<double>() < 0 ? -1 : 1;
      EXPECT_LT((own - sign * reference).abs().max().item<double>(), 1e-4);
      EXPECT_GT(own.max().item<double>(), -own.min().item<double>()) << "the larger end is the positive one";
    }
  }
}

/// Venna and Kaski 2001 by a naive loop over ranks.
double trust(const at::Tensor& rows, const at::Tensor& points, std::int64_t k) {
  const std::int64_t n = rows.size(0);
  const auto order = [n](const at::Tensor& of, std::int64_t i) {
    std::vector<std::pair<double, std::int64_t>> all;
    for (std::int64_t j = 0; j < n; ++j)
      if (j != i) all.emplace_back(distance(of, i, j), j);
    std::ranges::sort(all);
    return all;
  };
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto near = order(rows, i), shown = order(points, i);
    for (std::int64_t s = 0; s < k; ++s)
      for (std::int64_t r = 0; r < n - 1; ++r)
        if (near[static_cast<std::size_t>(r)].second == shown[static_cast<std::size_t>(s)].second && r >= k)
          sum += static_cast<double>(r + 1 - k);
  }
  const auto count = static_cast<double>(n), few = static_cast<double>(k);
  return 1 - 2 * sum / (count * few * (2 * count - 3 * few - 1));
}

TEST(EmbeddingMap, TellsHowFarItsMapsCanBeTrusted) {
  const Evidence::Contents contents = spread_bones(5, 9, 8, 1, 2);
  const MetricResult result = make_metric(kEmbeddingMap, {{"perplexity", 8.0}}).evaluate(contents);
  for (const char* method : {"PCA", "t-SNE"})
    EXPECT_NEAR(find(result, kTrust, "fingerprint", method).value,
                trust(contents.embeddings[0].vectors, map(result, text("fingerprint, ", method)).points, 10), 1e-9)
        << method;
}

TEST(EmbeddingMap, TsneKeepsNeighbours) {
  const Evidence::Contents contents = spread_bones(8, 25, 20, 3, 3);
  const MetricResult result = make_metric(kEmbeddingMap, {{"perplexity", 15.0}}).evaluate(contents);
  const MetricValue& kept = find(result, kTrust, "fingerprint", "t-SNE");
  EXPECT_GT(kept.value, 0.9);
  EXPECT_GT(kept.value, find(result, kTrust, "fingerprint", "PCA").value);
  EXPECT_EQ(kept.count, 200);
  EXPECT_EQ(kept.counted, "images");
  // Each image's nearest one on the map shows the same bone.
  const at::Tensor& points = map(result, "fingerprint, t-SNE").points;
  at::Tensor apart = at::cdist(points, points);
  apart.fill_diagonal_(1e9);
  const at::Tensor nearest = contents.bone.index_select(0, apart.argmin(1));
  EXPECT_GT(nearest.eq(contents.bone).to(at::kDouble).mean().item<double>(), 0.98);
  EXPECT_EQ(map(result, "fingerprint, t-SNE").note,
            "perplexity 15, 750 iterations; sizes of groups and distances between them mean little");
}

TEST(EmbeddingMap, DrawsAsManyImagesOfEachBone) {
  Evidence::Contents contents = spread_bones(4, 30, 5, 2, 4);
  const MetricResult result = make_metric(kEmbeddingMap, {{"points", std::int64_t{42}}}).evaluate(contents);
  const EmbeddingMap& pca = map(result, "fingerprint, PCA");
  ASSERT_EQ(pca.images.numel(), 42);
  ASSERT_EQ(pca.points.size(0), 42);
  std::map<std::int64_t, int> counts;
  std::set<std::int64_t> different;
  for (std::int64_t i = 0; i < 42; ++i) {
    ++counts[contents.bone[pca.images[i].item<std::int64_t>()].item<std::int64_t>()];
    different.insert(pca.images[i].item<std::int64_t>());
  }
  EXPECT_EQ(different.size(), 42U);
  EXPECT_EQ(counts, (std::map<std::int64_t, int>{{0, 10}, {1, 10}, {2, 11}, {3, 11}}));
  EXPECT_TRUE(pca.note.ends_with("; 42 of 120 images")) << pca.note;
  EXPECT_TRUE(at::equal(map(result, "fingerprint, t-SNE").images, pca.images));
}

TEST(EmbeddingMap, LowersThePerplexityThatFewImagesDoNotFill) {
  const MetricResult result = make_metric(kEmbeddingMap).evaluate(spread_bones(2, 5, 3, 2, 5));
  EXPECT_EQ(
      map(result, "fingerprint, t-SNE").note,
      "perplexity 3, lowered from 30: 10 images have no more neighbours to count, 750 iterations; sizes of groups "
      "and distances between them mean little");
  EXPECT_EQ(to_text(find(result, kTrust, "fingerprint", "PCA")),
            "undefined (10 neighbours need more than 20 images; there are 10)");
}

TEST(EmbeddingMap, OfEqualEmbeddingsIsAPointAndUndefined) {
  Evidence::Contents contents = spread_bones(2, 6, 4, 2, 6);
  contents.embeddings[0].vectors = at::full({12, 4}, 0.1F);
  const MetricResult result = make_metric(kEmbeddingMap).evaluate(contents);
  ASSERT_EQ(result.maps.size(), 1U);
  EXPECT_EQ(map(result, "fingerprint, PCA").note, "all 12 embeddings are equal");
  EXPECT_EQ(map(result, "fingerprint, PCA").points.abs().max().item<float>(), 0);
  EXPECT_EQ(to_text(find(result, kExplained, "fingerprint", "first 2")), "undefined (all 12 embeddings are equal)");
  EXPECT_EQ(to_text(find(result, kTrust, "fingerprint", "PCA")), "undefined (all 12 embeddings are equal)");
}

TEST(EmbeddingMap, OfOneImageSaysSo) {
  const MetricResult result = make_metric(kEmbeddingMap).evaluate(spread_bones(1, 1, 4, 2, 7));
  EXPECT_TRUE(result.maps.empty());
  EXPECT_EQ(to_text(find(result, kExplained, "fingerprint", "1st component")),
            "undefined (a map needs two images; there is 1)");
}

TEST(EmbeddingMap, OfOneDimensionLiesOnALine) {
  const MetricResult result = make_metric(kEmbeddingMap).evaluate(spread_bones(3, 10, 1, 2, 8));
  EXPECT_NEAR(find(result, kExplained, "fingerprint", "1st component").value, 100, 1e-9);
  EXPECT_EQ(map(result, "fingerprint, PCA").points.select(1, 1).abs().max().item<float>(), 0);
  EXPECT_EQ(map(result, "fingerprint, PCA").points.size(1), 2);
}

TEST(EmbeddingMap, ShowsTheSetsThatAreNamed) {
  Evidence::Contents contents = spread_bones(3, 8, 4, 2, 9);
  contents.embeddings.push_back({"raw pixels", true, contents.embeddings[0].vectors * 2});
  EXPECT_EQ(make_metric(kEmbeddingMap).evaluate(contents).maps.size(), 2U) << "the trained network's";
  const MetricResult result =
      make_metric(kEmbeddingMap, {{"sets", std::vector<std::string>{"raw pixels"}}}).evaluate(contents);
  ASSERT_EQ(result.maps.size(), 2U);
  EXPECT_EQ(result.maps[0].title, "raw pixels, PCA");
  EXPECT_TRUE(find(result, kExplained, "raw pixels", "first 2").is_baseline);
  try {
    (void)make_metric(kEmbeddingMap, {{"sets", std::vector<std::string>{"pixels"}}}).evaluate(contents);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "metric/embedding_map: sets: there are no embeddings named \"pixels\"; this run has "
                 "\"fingerprint\", \"raw pixels\"");
  }
}

TEST(EmbeddingMap, IsTheSameForTheSameSeed) {
  const Evidence::Contents contents = spread_bones(3, 20, 6, 2, 10);
  const auto points = [&](const Evidence::Contents& of) {
    return map(make_metric(kEmbeddingMap, {{"points", std::int64_t{30}}}).evaluate(of), "fingerprint, t-SNE").points;
  };
  EXPECT_TRUE(at::equal(points(contents), points(contents)));
  Evidence::Contents other = contents;
  other.seed = 11;
  EXPECT_FALSE(at::equal(points(contents), points(other))) << "other images are drawn";
}

}  // namespace
}  // namespace osteon
