// What no classifier may take, and what every one must: the same for all members of the kind and their rules.

#include "cases.hpp"
#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

struct Way {
  const char* plugin;
  Given given;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all = {{"knn", {}},
                                       {"knn", {{"k", std::int64_t{3}}, {"weighting", std::string("distance")}}},
                                       {"knn", {{"search", std::string("faiss")}}},
                                       {"svm", {}},
                                       {"svm", {{"kernel", std::string("linear")}, {"scale", std::string("each")}}},
                                       {"threshold", {}},
                                       {"threshold", {{"rule", std::string("class")}}}};
  return all;
}

class AnyClassifier : public testing::TestWithParam<std::size_t> {
 protected:
  static host::ClassifierHandle make() {
    static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    const Way& way = ways().at(GetParam());
    const host::LoadedPlugin& plugin = registry.find("classifier", way.plugin);
    return {plugin, Parameters(plugin.schema, way.given)};
  }
  /// What an error of this classifier begins with.
  static std::string named(const std::string& message) {
    return std::string("classifier/") + ways().at(GetParam()).plugin + ": " + message;
  }
};

/// 24 rows of three bones, 5, 7 and 9, well apart.
at::Tensor rows() {
  at::Tensor result = at::empty({24, 4});
  Random random(21, "bad input");
  for (std::int64_t i = 0; i < 24; ++i)
    for (std::int64_t j = 0; j < 4; ++j)
      result.data_ptr<float>()[4 * i + j] = static_cast<float>((j == i % 3 ? 3 : 0) + 0.1 * random.normal());
  return result;
}
at::Tensor labels() { return at::arange(24, at::kLong).remainder(3).mul(2).add(5); }

const std::string kDiverged = "; training has probably diverged: look at its loss and lower the learning rate";

TEST_P(AnyClassifier, NamesTheRowThatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    at::Tensor broken = rows();
    broken[17][2] = bad;
    broken[20][0] = bad;
    const auto classifier = make();
    EXPECT_EQ(message_of([&] { classifier.fit(broken, labels()); }),
              named("the gallery embedding 17 is not a finite number in dimension 2" + kDiverged));
    classifier.fit(rows(), labels());
    EXPECT_EQ(message_of([&] { (void)classifier.predict(broken); }),
              named("the query embedding 17 is not a finite number in dimension 2" + kDiverged));
  }
}

TEST_P(AnyClassifier, RefusesLabelsAndShapesThatDoNotFit) {
  const auto classifier = make();
  EXPECT_EQ(message_of([&] { classifier.fit(rows(), labels().slice(0, 1)); }),
            named("the gallery's labels must be an int64 tensor [24], one for each embedding"));
  EXPECT_EQ(message_of([&] { classifier.fit(rows(), labels().sub(6)); }),
            named("the gallery has a negative label; -1 means unknown"));
  EXPECT_EQ(message_of([&] { classifier.fit(rows()[0], labels()); }),
            named("the gallery embeddings must be a float32 tensor [N, d] on the CPU"));
  EXPECT_EQ(message_of([&] { classifier.fit(rows().to(at::kDouble), labels()); }),
            named("the gallery embeddings must be a float32 tensor [N, d] on the CPU"));
  EXPECT_EQ(message_of([&] {
              classifier.fit(at::empty({24, 0}), labels());
            }),
            named("the gallery embeddings have no dimension; a network's head must have at least one"));
  EXPECT_EQ(message_of([&] { (void)classifier.predict(rows()); }),
            named("predict was called before fit: there is no gallery to compare with"))
      << "a gallery that was refused is none";
  classifier.fit(rows(), labels());
  EXPECT_EQ(
      message_of([&] { (void)classifier.predict(rows().slice(1, 0, 3)); }),
      named("the query embeddings have 3 dimensions, the gallery's have 4; both must come from the same network"));
}

TEST_P(AnyClassifier, TellsWellSeparatedBonesApart) {
  const auto classifier = make();
  classifier.fit(rows(), labels());
  const Prediction answer = classifier.predict(rows() * 1.01);
  EXPECT_TRUE(answer.labels.equal(labels()));
  EXPECT_TRUE(answer.scores.isfinite().all().item<bool>());
  EXPECT_EQ(classifier.predict(at::empty({0, 4})).labels.size(0), 0);
}

TEST_P(AnyClassifier, AnswersForEmbeddingsOfLengthZero) {
  // The third bone's images are all black: every one of its embeddings is zero.
  at::Tensor gallery = rows();
  gallery.index_put_({labels().eq(9)}, 0);
  const auto classifier = make();
  classifier.fit(gallery, labels());
  const Prediction answer = classifier.predict(at::zeros({2, 4}));
  EXPECT_TRUE(answer.scores.isfinite().all().item<bool>());
  // A class without any spread reaches nothing by the rule of deviations, and the other two tie.
  const bool by_class = ways().at(GetParam()).given.contains("rule");
  EXPECT_EQ(answer.labels[0].item<std::int64_t>(), by_class ? -1 : 9);
  EXPECT_EQ(answer.labels[1].item<std::int64_t>(), answer.labels[0].item<std::int64_t>());
}

TEST_P(AnyClassifier, CopiesUnderTwoNamesGiveOneOfThem) {
  const at::Tensor gallery = at::cat({rows(), rows()});
  const at::Tensor names = at::cat({labels(), labels().add(1)});  // 5 and 6 are the same images
  const auto classifier = make();
  classifier.fit(gallery, names);
  const Prediction answer = classifier.predict(rows());
  EXPECT_TRUE(answer.scores.isfinite().all().item<bool>());
  for (std::int64_t q = 0; q < 24; ++q) {
    const std::int64_t given = answer.labels[q].item<std::int64_t>(), own = labels()[q].item<std::int64_t>();
    // Two class means that are one tie, which is unknown.
    const bool by_class = ways().at(GetParam()).given.contains("rule");
    EXPECT_TRUE(by_class ? given == -1 : given == own || given == own + 1) << given << " for " << own;
  }
  const Prediction again = classifier.predict(rows());
  EXPECT_TRUE(again.labels.equal(answer.labels) && again.scores.equal(answer.scores));
}

TEST_P(AnyClassifier, OfOneClassAnswersOrSaysThatItCannot) {
  const auto classifier = make();
  const at::Tensor gallery = rows().index({labels().eq(5)}), names = at::full({8}, 5, at::kLong);
  const std::string message = message_of([&] { classifier.fit(gallery, names); });
  if (std::string(ways().at(GetParam()).plugin) == "svm") {
    EXPECT_EQ(message,
              named("the gallery has one class only (label 5), but a support vector machine separates at least "
                    "two; enrol another bone or use the knn classifier with reject_above"));
    return;
  }
  EXPECT_EQ(message, "nothing was thrown");
  EXPECT_TRUE(classifier.predict(gallery).labels.eq(5).all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(All, AnyClassifier, testing::Range<std::size_t>(0, ways().size()), [](const auto& way) {
  return std::string(ways().at(way.param).plugin) + std::to_string(way.param);
});

TEST(BadInput, KLargerThanTheGalleryIsRefusedHoweverItSearches) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "knn");
  for (const char* search : {"exact", "faiss"}) {
    const host::ClassifierHandle knn(
        plugin, Parameters(plugin.schema, {{"k", std::int64_t{25}}, {"search", std::string(search)}}));
    EXPECT_EQ(
        message_of([&] { knn.fit(rows(), labels()); }),
        "classifier/knn: k is 25, but the gallery holds 24 embeddings; set k to at most 24 or put more images into "
        "the gallery");
  }
}

}  // namespace
}  // namespace osteon
