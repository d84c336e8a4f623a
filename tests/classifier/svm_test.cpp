// classifier/svm against libsvm's own programs and against cases that can be solved by hand.

#include "cases.hpp"
#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;
using Labels = std::vector<std::int64_t>;

host::ClassifierHandle make_svm(const Given& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "svm");
  return {plugin, Parameters(plugin.schema, given)};
}

/// Four overlapping clouds of `d` dimensions, of unequal spread from dimension to dimension; labels 3, 5, 7, 9.
std::pair<at::Tensor, at::Tensor> clouds(std::int64_t count, std::int64_t d, std::uint64_t index, double spread) {
  Random centres(5, "svm centres"), random(6, "svm clouds", index);
  const at::Tensor rows = at::empty({count, d}), labels = at::empty({count}, at::kLong);
  std::vector<double> middle(static_cast<std::size_t>(4 * d));
  for (double& x : middle) x = centres.normal();
  for (std::int64_t i = 0; i < count; ++i) {
    labels.data_ptr<std::int64_t>()[i] = 3 + 2 * (i % 4);
    for (std::int64_t j = 0; j < d; ++j)
      rows.data_ptr<float>()[i * d + j] =
          static_cast<float>((middle[static_cast<std::size_t>(i % 4 * d + j)] + random.normal(0, spread)) /
                             static_cast<double>(1 + j * j));
  }
  return {rows, labels};
}

void write_libsvm(const std::string& path, const at::Tensor& rows, const at::Tensor& labels) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    std::fprintf(file, "%ld", static_cast<long>(labels.data_ptr<std::int64_t>()[i]));
    for (std::int64_t j = 0; j < rows.size(1); ++j)
      std::fprintf(file, " %d:%.17g", static_cast<int>(j) + 1,
                   static_cast<double>(rows.data_ptr<float>()[i * rows.size(1) + j]));
    std::fprintf(file, "\n");
  }
  std::fclose(file);
}

TEST(Svm, AnswersAsLibsvmsOwnPrograms) {
  if (std::system("command -v svm-train >/dev/null && command -v svm-predict >/dev/null") != 0)
    GTEST_SKIP() << "libsvm's programs are missing (Debian: libsvm-tools)";
  const auto [rows, labels] = clouds(200, 6, 0, 1.2);
  const auto [queries, truth] = clouds(120, 6, 1, 1.2);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("osteon-svm-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string f = folder.string();
  write_libsvm(f + "/train", rows, labels);
  write_libsvm(f + "/test", queries, truth);
  for (const bool linear : {false, true}) {
    ASSERT_EQ(std::system(("svm-train -q -t " + std::string(linear ? "0" : "2 -g 0.7") + " -c 3 " + f + "/train " + f +
                           "/model && svm-predict " + f + "/test " + f + "/model " + f + "/answers >/dev/null")
                              .c_str()),
              0);
    const auto svm = make_svm({{"kernel", std::string(linear ? "linear" : "rbf")},
                               {"c", 3.0},
                               {"gamma", 0.7},
                               {"scale", std::string("none")}});
    svm.fit(rows, labels);
    const Prediction ours = svm.predict(queries);
    std::ifstream answers(f + "/answers");
    std::int64_t wrong = 0, theirs = 0;
    for (std::int64_t q = 0; q < queries.size(0); ++q) {
      ASSERT_TRUE(answers >> theirs);
      EXPECT_EQ(ours.labels[q].item<std::int64_t>(), theirs) << "query " << q;
      wrong += theirs != truth[q].item<std::int64_t>();
    }
    EXPECT_GT(wrong, 0) << "too easy a case to tell two machines apart";
  }
  std::filesystem::remove_all(folder);
}

TEST(Svm, DecisionValuesAreThoseOfTheWidestStreet) {
  // Between -1 and 1 the widest street has its edges at both points: decision value x.
  const auto svm = make_svm({{"kernel", std::string("linear")}, {"c", 100.0}, {"scale", std::string("none")}});
  svm.fit(matrix({-1, 1, -3, 3}, 1), at::tensor(Labels{4, 8, 4, 8}));
  const Prediction answer = svm.predict(matrix({0.25F, -0.5F, 2}, 1));
  EXPECT_TRUE(answer.labels.equal(at::tensor(Labels{8, 4, 8})));
  EXPECT_TRUE(at::allclose(answer.scores, at::tensor(std::vector<float>{0.25F, 0.5F, 2}), 0, 2e-3));
  const auto careful = make_svm(
      {{"kernel", std::string("linear")}, {"c", 100.0}, {"scale", std::string("none")}, {"reject_below", 0.4}});
  careful.fit(matrix({-1, 1, -3, 3}, 1), at::tensor(Labels{4, 8, 4, 8}));
  EXPECT_TRUE(careful.predict(matrix({0.25F, -0.5F, 2}, 1)).labels.equal(at::tensor(Labels{-1, 4, 8})));
}

TEST(Svm, ARingAroundAPointNeedsTheCurvedKernel) {
  at::Tensor rows = at::empty({40, 2}), labels = at::empty({40}, at::kLong);
  for (std::int64_t i = 0; i < 40; ++i) {
    const double radius = i % 2 == 0 ? 0.3 : 2, angle = 0.7 * static_cast<double>(i);
    rows[i][0] = radius * std::cos(angle);
    rows[i][1] = radius * std::sin(angle);
    labels[i] = i % 2;
  }
  const auto curved = make_svm(), straight = make_svm({{"kernel", std::string("linear")}});
  curved.fit(rows, labels);
  straight.fit(rows, labels);
  EXPECT_TRUE(curved.predict(rows).labels.equal(labels));
  EXPECT_FALSE(straight.predict(rows).labels.equal(labels));
}

TEST(Svm, EveryParameterChangesTheAnswer) {
  const auto [rows, labels] = clouds(60, 5, 2, 2.0);
  const auto [queries, truth] = clouds(60, 5, 3, 2.0);
  const auto scores = [&, r = rows, l = labels, q = queries](const Given& given) {
    const auto svm = make_svm(given);
    svm.fit(r, l);
    return svm.predict(q).scores;
  };
  const Given given{{"c", 1.0}, {"gamma", 1.0}};
  const at::Tensor standard = scores(given);
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, ParameterValue>>{{"kernel", std::string("linear")},
                                                           {"c", 4.0},
                                                           {"gamma", 0.1},
                                                           {"scale", std::string("each")},
                                                           {"scale", std::string("none")}}) {
    Given changed = given;
    changed[name] = value;
    EXPECT_FALSE(scores(changed).equal(standard)) << name;
  }
  // What cross-validation chooses depends on the folds.
  const at::Tensor chosen = scores({});
  bool by_seed = false, by_folds = false;
  for (std::int64_t i = 2; i < 8; ++i) {
    by_seed = by_seed || !scores({{"seed", i}}).equal(chosen);
    by_folds = by_folds || !scores({{"folds", i}}).equal(chosen);
  }
  EXPECT_TRUE(by_seed);
  EXPECT_TRUE(by_folds);
}

TEST(Svm, IsTheSameEachTimeAndForEveryNumberOfThreads) {
  const auto [rows, labels] = clouds(80, 5, 4, 1.5);
  const int threads = at::get_num_threads();
  std::vector<Prediction> answers;
  for (const int count : {1, 3, 1}) {
    at::set_num_threads(count);
    const auto svm = make_svm();
    svm.fit(rows, labels);
    answers.push_back(svm.predict(rows));
  }
  at::set_num_threads(threads);
  for (const Prediction& one : answers)
    EXPECT_TRUE(one.labels.equal(answers[0].labels) && one.scores.equal(answers[0].scores));
}

TEST(Svm, PrintsNothing) {
  const auto [rows, labels] = clouds(40, 3, 5, 1.0);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto svm = make_svm();
  svm.fit(rows, labels);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Svm, SaysWhatIsWrong) {
  const auto svm = make_svm();
  EXPECT_EQ(message_of([&] {
              (void)svm.predict(at::zeros({1, 2}));
            }),
            "classifier/svm: predict was called before fit: there is no gallery to compare with");
  EXPECT_EQ(message_of([&] {
              svm.fit(at::rand({4, 2}), at::full({4}, 6, at::kLong));
            }),
            "classifier/svm: the gallery has one class only (label 6), but a support vector machine separates at least "
            "two; enrol another bone or use the knn classifier with reject_above");
  at::Tensor bad = at::zeros({2, 2});
  bad[1][0] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(message_of([&] { svm.fit(bad, at::arange(2, at::kLong)); }),
            "classifier/svm: the gallery embedding 1 is not a finite number in dimension 0; training has probably "
            "diverged: look at its loss and lower the learning rate");
}

TEST(Svm, OneImageAClassAndCopiesAreFine) {
  const auto svm = make_svm();
  svm.fit(matrix({0, 0, 1, 0, 0, 1}, 2), at::arange(3, at::kLong));
  EXPECT_TRUE(svm.predict(matrix({0, 0, 1, 0, 0, 1}, 2)).labels.equal(at::arange(3, at::kLong)));
  svm.fit(at::ones({6, 2}), at::arange(6, at::kLong).remainder(2));
  EXPECT_EQ(svm.predict(at::ones({1, 2})).labels.size(0), 1);
}

}  // namespace
}  // namespace osteon
