// classifier/knn against a naive loop in float64.

#include "cases.hpp"
#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <vector>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

host::ClassifierHandle make_knn(const Given& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "knn");
  return {plugin, Parameters(plugin.schema, given)};
}

at::Tensor random_rows(std::int64_t rows, std::int64_t d, std::uint64_t index, double offset = 0, double spread = 1) {
  Random random(11, "knn test", index);
  at::Tensor result = at::empty({rows, d});
  for (std::int64_t i = 0; i < result.numel(); ++i)
    result.data_ptr<float>()[i] = static_cast<float>(offset + spread * random.normal());
  return result;
}

at::Tensor random_labels(std::int64_t rows, std::uint64_t classes) {
  Random random(12, "knn labels");
  at::Tensor result = at::empty({rows}, at::kLong);
  for (std::int64_t i = 0; i < rows; ++i)
    result.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(classes));
  return result;
}

at::Tensor integers(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

double naive_distance(const float* a, const float* b, std::int64_t d, bool cosine) {
  double squares = 0, aa = 0, bb = 0, ab = 0;
  for (std::int64_t i = 0; i < d; ++i) {
    const double x = a[i], y = b[i];
    squares += (x - y) * (x - y);
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  return cosine ? 1 - ab / std::sqrt(aa * bb) : std::sqrt(squares);
}

/// The definition: sort everything, let k vote.
std::pair<std::int64_t, double> naive(const at::Tensor& gallery, const at::Tensor& labels, const float* query,
                                      std::size_t k, bool weighted, bool cosine) {
  std::vector<std::pair<double, std::int64_t>> order;
  for (std::int64_t i = 0; i < gallery.size(0); ++i)
    order.emplace_back(naive_distance(query, gallery.data_ptr<float>() + i * gallery.size(1), gallery.size(1), cosine),
                       i);
  std::sort(order.begin(), order.end());
  std::map<std::int64_t, std::pair<double, double>> votes;  // weight, minus the nearest distance
  for (std::size_t i = 0; i < k; ++i) {
    auto& vote = votes.try_emplace(labels.data_ptr<std::int64_t>()[order[i].second], 0, -order[i].first).first->second;
    vote.first += weighted ? 1 / order[i].first : 1;
  }
  const auto best =
      std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return {best->first, best->second.second};
}

void expect_like_naive(const at::Tensor& gallery, const at::Tensor& queries, std::int64_t k, bool weighted,
                       bool cosine) {
  const at::Tensor labels = random_labels(gallery.size(0), 7);
  const auto knn = make_knn({{"k", k},
                             {"weighting", std::string(weighted ? "distance" : "uniform")},
                             {"distance", std::string(cosine ? "cosine" : "euclidean")}});
  knn.fit(gallery, labels);
  const Prediction answer = knn.predict(queries);
  for (std::int64_t q = 0; q < queries.size(0); ++q) {
    const auto [label, score] = naive(gallery, labels, queries.data_ptr<float>() + q * queries.size(1),
                                      static_cast<std::size_t>(k), weighted, cosine);
    ASSERT_EQ(answer.labels[q].item<std::int64_t>(), label) << "query " << q << ", k " << k;
    ASSERT_NEAR(answer.scores[q].item<double>(), score, 1e-6 * std::max(1.0, std::abs(score)));
  }
}

TEST(Knn, AgreesWithANaiveLoopInFloat64) {
  const at::Tensor gallery = random_rows(300, 16, 0), queries = random_rows(80, 16, 1);
  for (const std::int64_t k : {1, 3, 10, 300})
    for (const bool weighted : {false, true})
      for (const bool cosine : {false, true}) expect_like_naive(gallery, queries, k, weighted, cosine);
}

TEST(Knn, FarFromTheOriginCancellationDecidesNothing) {
  // In float32, |q|² + |g|² - 2 q·g is wrong by about 1 here, where neighbours differ by less than 0.001.
  const at::Tensor gallery = random_rows(400, 12, 2, 1000, 0.05), queries = random_rows(60, 12, 3, 1000, 0.05);
  for (const std::int64_t k : {1, 5}) {
    expect_like_naive(gallery, queries, k, false, false);
    expect_like_naive(gallery, queries, k, true, false);
    expect_like_naive(gallery, queries, k, false, true);
  }
}

TEST(Knn, VeryLargeAndVerySmallEmbeddingsAreComparedToo) {
  expect_like_naive(random_rows(50, 6, 4, 0, 1e25), random_rows(20, 6, 5, 0, 1e25), 3, false, false);
  const auto knn = make_knn();
  const at::Tensor gallery = random_rows(50, 6, 6, 0, 1e-25);
  knn.fit(gallery, at::arange(50, at::kLong));
  EXPECT_TRUE(at::equal(knn.predict(gallery).labels, at::arange(50, at::kLong)));
}

TEST(Knn, FindsEachGalleryImageItselfAtDistanceZero) {
  const at::Tensor gallery = random_rows(500, 32, 7, 3);
  const auto knn = make_knn();
  knn.fit(gallery, at::arange(500, at::kLong));
  const Prediction answer = knn.predict(gallery);
  EXPECT_TRUE(at::equal(answer.labels, at::arange(500, at::kLong)));
  EXPECT_EQ(answer.scores.abs().max().item<float>(), 0);
}

TEST(Knn, OfEqualNeighboursTheSmallerIndexIsNearer) {
  const auto knn = make_knn();
  knn.fit(matrix({1, 0, -1, 0, 0, 1, 0, -1}, 2), integers({5, 2, 9, 0}));
  EXPECT_EQ(knn.predict(matrix({0, 0}, 2)).labels[0].item<std::int64_t>(), 5);
  // The same for a hundred copies of one embedding.
  knn.fit(at::ones({100, 33}) * 0.1, at::arange(100, at::kLong).flip(0).contiguous());
  EXPECT_EQ(knn.predict(at::ones({1, 33}) * 0.3).labels[0].item<std::int64_t>(), 99);
}

TEST(Knn, EqualVotesGoToTheNearerLabelThenToTheSmaller) {
  const auto knn = make_knn({{"k", std::int64_t{4}}});
  knn.fit(matrix({1, 3, 2, 2}, 1), integers({8, 8, 1, 1}));
  EXPECT_EQ(knn.predict(matrix({0}, 1)).labels[0].item<std::int64_t>(), 8);
  const auto pair = make_knn({{"k", std::int64_t{2}}});
  pair.fit(matrix({1, -1}, 1), integers({8, 3}));
  EXPECT_EQ(pair.predict(matrix({0}, 1)).labels[0].item<std::int64_t>(), 3);
}

TEST(Knn, WeightingByDistanceLetsTheNearOneWin) {
  const at::Tensor gallery = matrix({1, 5, 6}, 1), labels = integers({0, 1, 1}), query = matrix({0}, 1);
  const auto uniform = make_knn({{"k", std::int64_t{3}}});
  uniform.fit(gallery, labels);
  EXPECT_EQ(uniform.predict(query).labels[0].item<std::int64_t>(), 1);
  const auto weighted = make_knn({{"k", std::int64_t{3}}, {"weighting", std::string("distance")}});
  weighted.fit(gallery, labels);
  EXPECT_EQ(weighted.predict(query).labels[0].item<std::int64_t>(), 0);
}

TEST(Knn, WeightedByDistanceCopiesOfTheQueryAloneVote) {
  const auto knn = make_knn({{"k", std::int64_t{4}}, {"weighting", std::string("distance")}});
  knn.fit(matrix({0, 1e-20F, 1e-20F, 1}, 1), integers({4, 1, 1, 1}));
  EXPECT_EQ(knn.predict(matrix({0}, 1)).labels[0].item<std::int64_t>(), 4);
}

TEST(Knn, AnswersUnknownBeyondTheThreshold) {
  const auto knn = make_knn({{"reject_above", 0.5}});
  knn.fit(matrix({0, 10}, 1), integers({3, 4}));
  const Prediction answer = knn.predict(matrix({0.5F, 0.75F, 10}, 1));
  EXPECT_EQ(answer.labels[0].item<std::int64_t>(), 3);
  EXPECT_EQ(answer.labels[1].item<std::int64_t>(), -1);
  EXPECT_EQ(answer.labels[2].item<std::int64_t>(), 4);
  EXPECT_FLOAT_EQ(answer.scores[1].item<float>(), -0.75F);
}

TEST(Knn, OneClassIsFineAndNoQueryGivesNoAnswer) {
  const auto knn = make_knn();
  knn.fit(random_rows(4, 3, 8), at::zeros({4}, at::kLong));
  EXPECT_EQ(knn.predict(random_rows(9, 3, 9)).labels.max().item<std::int64_t>(), 0);
  EXPECT_EQ(knn.predict(at::empty({0, 3})).labels.size(0), 0);
}

TEST(Knn, ChunksOfQueriesGiveWhatOneQueryGives) {
  const at::Tensor gallery = random_rows(20000, 4, 10), queries = random_rows(1500, 4, 11);  // two chunks
  const auto knn = make_knn();
  knn.fit(gallery, at::arange(20000, at::kLong));
  const Prediction all = knn.predict(queries);
  for (const std::int64_t q : {0, 837, 838, 839, 840, 1499}) {
    const Prediction one = knn.predict(queries.narrow(0, q, 1));
    EXPECT_EQ(all.labels[q].item<std::int64_t>(), one.labels[0].item<std::int64_t>());
    EXPECT_EQ(all.scores[q].item<float>(), one.scores[0].item<float>());
  }
}

TEST(Knn, GalleriesTooLargeForCodesAreSearchedInFloat) {
  const at::Tensor gallery = random_rows(530000, 128, 20).mul_(0.1), queries = random_rows(2, 128, 21).mul_(0.1);
  const auto knn = make_knn({{"k", std::int64_t{1}}});
  const at::Tensor labels = at::arange(530000, at::kLong);
  knn.fit(gallery, labels);
  const Prediction answer = knn.predict(queries);
  for (std::int64_t q = 0; q < 2; ++q) {
    const auto [label, score] = naive(gallery, labels, queries.data_ptr<float>() + q * 128, 1, false, false);
    EXPECT_EQ(answer.labels[q].item<std::int64_t>(), label);
    EXPECT_NEAR(answer.scores[q].item<double>(), score, 1e-6);
  }
}

TEST(Knn, AnOutlierOrAFarQueryCostsTimeNotTheRightAnswer) {
  at::Tensor gallery = random_rows(700, 20, 22), queries = random_rows(40, 20, 23);
  gallery[3] *= 1e6;
  queries[5] *= 1e4;
  queries[6] += 50;
  for (const bool cosine : {false, true}) expect_like_naive(gallery, queries, 3, false, cosine);
}

TEST(Knn, ManyThreadsAnswerAsOne) {
  const at::Tensor gallery = random_rows(5000, 24, 24), queries = random_rows(100, 24, 25);
  const auto knn = make_knn({{"k", std::int64_t{5}}, {"weighting", std::string("distance")}});
  knn.fit(gallery, random_labels(5000, 9));
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Prediction one = knn.predict(queries), one_alone = knn.predict(queries.narrow(0, 0, 1));
  at::set_num_threads(3);
  const Prediction three = knn.predict(queries), three_alone = knn.predict(queries.narrow(0, 0, 1));
  at::set_num_threads(threads);
  EXPECT_TRUE(one.labels.equal(three.labels) && one.scores.equal(three.scores));
  EXPECT_TRUE(one_alone.labels.equal(three_alone.labels) && one_alone.scores.equal(three_alone.scores));
}

TEST(Knn, ThreadsThatShareALargeGalleryAnswerAsOne) {
  const at::Tensor gallery = at::empty({2100, 8192}), queries = random_rows(2, 8192, 28);  // parts for two threads
  Random random(29, "large gallery");
  for (std::int64_t i = 0; i < gallery.numel(); ++i)
    gallery.data_ptr<float>()[i] = static_cast<float>(random.uniform());
  gallery[2099] = gallery[7];  // equally far, one in each part
  const auto knn = make_knn({{"k", std::int64_t{3}}});
  knn.fit(gallery, at::arange(2100, at::kLong));
  const int threads = at::get_num_threads();
  std::vector<Prediction> answers;
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    answers.push_back(knn.predict(queries));
    answers.push_back(knn.predict(gallery.narrow(0, 2099, 1)));
  }
  at::set_num_threads(threads);
  EXPECT_EQ(answers[1].labels[0].item<std::int64_t>(), 7);
  for (const std::size_t i : {0, 1})
    EXPECT_TRUE(answers[i].labels.equal(answers[i + 2].labels) && answers[i].scores.equal(answers[i + 2].scores));
}

TEST(Knn, AnswersTheSameOnProcessorsWithoutWideVectors) {
  if (std::getenv("OSTEON_KERNELS")) return;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const char* kernels : {"portable", "avx2"})
    EXPECT_EQ(std::system((std::string("OSTEON_KERNELS=") + kernels + " " + self +
                           " --gtest_filter='Knn.*-*TooLarge*' >/dev/null")
                              .c_str()),
              0)
        << kernels;
}

TEST(Knn, FaissFindsMostNeighboursAndAllOfThemWhenItProbesEveryCluster) {
  const at::Tensor gallery = random_rows(2000, 16, 26), queries = random_rows(100, 16, 27);
  const at::Tensor labels = at::arange(2000, at::kLong);
  for (const char* distance : {"euclidean", "cosine"}) {
    const auto answers = [&](const char* search, std::int64_t probes) {
      const auto knn =
          make_knn({{"search", std::string(search)}, {"probes", probes}, {"distance", std::string(distance)}});
      knn.fit(gallery, labels);
      return knn.predict(queries);
    };
    const Prediction exact = answers("exact", 1), all = answers("faiss", 1000), few = answers("faiss", 2);
    EXPECT_TRUE(exact.labels.equal(all.labels));
    EXPECT_TRUE(exact.scores.equal(all.scores));
    EXPECT_FALSE(exact.labels.equal(few.labels));
    EXPECT_LT(few.scores.sum().item<double>(), exact.scores.sum().item<double>());
  }
}

TEST(Knn, SaysWhatIsWrong) {
  const auto five = make_knn({{"k", std::int64_t{5}}});
  EXPECT_EQ(
      message_of([&] {
        five.fit(at::zeros({3, 2}), at::zeros({3}, at::kLong));
      }),
      "classifier/knn: k is 5, but the gallery holds 3 embeddings; set k to at most 3 or put more images into the "
      "gallery");
  const auto knn = make_knn();
  EXPECT_EQ(message_of([&] {
              (void)knn.predict(at::zeros({3, 2}));
            }),
            "classifier/knn: predict was called before fit: there is no gallery to compare with");
  knn.fit(at::zeros({3, 2}), at::zeros({3}, at::kLong));
  EXPECT_EQ(
      message_of([&] {
        (void)knn.predict(at::zeros({1, 4}));
      }),
      "classifier/knn: the query embeddings have 4 dimensions, the gallery's have 2; both must come from the same "
      "network");
  EXPECT_EQ(message_of([&] {
              knn.fit(at::zeros({3, 2}), integers({0, -1, 1}));
            }),
            "classifier/knn: the gallery has a negative label; -1 means unknown");
  const auto cosine = make_knn({{"distance", std::string("cosine")}});
  EXPECT_EQ(message_of([&] {
              cosine.fit(matrix({1, 0, 0, 0}, 2), integers({0, 1}));
            }),
            "classifier/knn: the gallery embedding 1 has length 0, so it has no direction and no cosine distance; use "
            "distance = \"euclidean\"");
  cosine.fit(matrix({1, 0}, 2), integers({0}));
  EXPECT_EQ(message_of([&] {
              (void)cosine.predict(at::zeros({1, 2}));
            }),
            "classifier/knn: the query embedding 0 has length 0, so it has no direction and no cosine distance; use "
            "distance = \"euclidean\"");
}

TEST(Knn, RefusesEmbeddingsThatAreNotFinite) {
  const auto knn = make_knn();
  at::Tensor rows = at::zeros({3, 2});
  rows[1][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(message_of([&] { knn.fit(rows, at::zeros({3}, at::kLong)); }),
            "classifier/knn: the gallery embedding 1 is not a finite number in dimension 1; training has probably "
            "diverged: look at its loss and lower the learning rate");
  knn.fit(at::zeros({3, 2}), at::zeros({3}, at::kLong));
  rows[1][1] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      message_of([&] { (void)knn.predict(rows); }),
      "classifier/knn: the query embedding 1 is not a finite number in dimension 1; training has probably diverged: "
      "look at its loss and lower the learning rate");
}

TEST(Knn, RefusesAnEmptyGallery) {
  EXPECT_EQ(message_of([] {
              make_knn().fit(at::zeros({0, 2}), at::zeros({0}, at::kLong));
            }),
            "classifier/knn: the gallery is empty: nearest neighbours need at least one embedding with its label");
}

}  // namespace
}  // namespace osteon
