// classifier/threshold against cases counted by hand.

#include "cases.hpp"
#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

host::ClassifierHandle make_threshold(const Given& given) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "threshold");
  return {plugin, Parameters(plugin.schema, given)};
}

std::vector<std::int64_t> labels_of(const host::ClassifierHandle& classifier, const at::Tensor& queries) {
  const at::Tensor labels = classifier.predict(queries).labels;
  return {labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + labels.numel()};
}

using Labels = std::vector<std::int64_t>;

TEST(Threshold, NamesTheNearestImageUnderTheMarginElseUnknown) {
  const at::Tensor gallery = matrix({0, 4}, 1), labels = at::tensor(Labels{7, 9}), queries = matrix({0.4F, 0.6F, 4}, 1);
  const auto squared = make_threshold({{"threshold", 0.25}});
  squared.fit(gallery, labels);
  EXPECT_EQ(labels_of(squared, queries), (Labels{7, -1, 9}));
  EXPECT_NEAR(squared.predict(queries).scores[1].item<float>(), -0.36, 1e-6);
  // The same decision with √threshold on Euclidean distances, another one with the same number.
  const auto root = make_threshold({{"threshold", 0.5}, {"unit", std::string("euclidean")}});
  root.fit(gallery, labels);
  EXPECT_EQ(labels_of(root, queries), (Labels{7, -1, 9}));
  const auto euclidean = make_threshold({{"threshold", 0.25}, {"unit", std::string("euclidean")}});
  euclidean.fit(gallery, labels);
  EXPECT_EQ(labels_of(euclidean, queries), (Labels{-1, -1, 9}));
  // Under, not at, the threshold.
  EXPECT_EQ(labels_of(root, matrix({0.5F}, 1)), (Labels{-1}));
}

/// Class 2: mean 0, deviation 1 in all three dimensions; class 5: mean 4, deviation 1.
const at::Tensor kTwo = matrix({1, 1, 1, -1, -1, -1, 5, 5, 5, 3, 3, 3}, 3);
const Labels kTwoLabels{2, 2, 5, 5};

TEST(Threshold, NamesTheClassWhoseMeanIsNearInMostDimensions) {
  const auto by_class = make_threshold({{"rule", std::string("class")}, {"factor", 1.5}});
  by_class.fit(kTwo, at::tensor(kTwoLabels));
  const at::Tensor queries = matrix({0, 1, 9, 0, 9, 9, 4, 5, 0, 9, 9, 9}, 3);
  EXPECT_EQ(labels_of(by_class, queries), (Labels{2, -1, 5, -1}));
  EXPECT_NEAR(by_class.predict(queries).scores[0].item<float>(), 2.0 / 3, 1e-6);
  const auto narrow = make_threshold({{"rule", std::string("class")}, {"factor", 0.5}});
  narrow.fit(kTwo, at::tensor(kTwoLabels));
  EXPECT_EQ(labels_of(narrow, queries), (Labels{-1, -1, -1, -1}));
}

TEST(Threshold, OfSeveralClassesTheOneWithMostDimensionsWinsAndATieIsUnknown) {
  const auto wide = make_threshold({{"rule", std::string("class")}, {"factor", 3.0}});
  wide.fit(kTwo, at::tensor(kTwoLabels));
  EXPECT_EQ(labels_of(wide, matrix({2, 2, 0, 2, 2, 5, 2, 2, 2}, 3)), (Labels{2, 5, -1}));
}

TEST(Threshold, DropsDimensionsThatAreAlmostAlwaysZero) {
  // The last two dimensions are zero in all images but one, and say nothing.
  const at::Tensor gallery = matrix({1, 0, 0, 1.2F, 0, 0, 5, 0, 0, 5.2F, 0.5F, 0.5F}, 3);
  const at::Tensor labels = at::tensor(Labels{1, 1, 2, 2}), query = matrix({1.1F, 0.3F, 0.3F}, 3);
  const auto answer = [&](const Given& more) {
    Given given{{"rule", std::string("class")}};
    given.insert(more.begin(), more.end());
    const auto by_class = make_threshold(given);
    by_class.fit(gallery, labels);
    return labels_of(by_class, query)[0];
  };
  EXPECT_EQ(answer({}), 2);
  EXPECT_EQ(answer({{"drop_sparse", true}}), 2);
  EXPECT_EQ(answer({{"drop_sparse", true}, {"sparse_share", 0.7}}), 1);
  EXPECT_EQ(answer({{"drop_sparse", true}, {"zero_below", 0.6}}), 1);
}

TEST(Threshold, SaysWhatIsWrong) {
  const auto threshold = make_threshold({});
  EXPECT_EQ(message_of([&] {
              (void)threshold.predict(at::zeros({1, 2}));
            }),
            "classifier/threshold: predict was called before fit: there is no gallery to compare with");
  EXPECT_EQ(message_of([&] {
              threshold.fit(at::empty({0, 2}), at::empty({0}, at::kLong));
            }),
            "classifier/threshold: the gallery is empty: a threshold needs at least one embedding with its label");
  const auto sparse = make_threshold({{"rule", std::string("class")}, {"drop_sparse", true}});
  EXPECT_EQ(message_of([&] {
              sparse.fit(at::zeros({4, 3}), at::zeros({4}, at::kLong));
            }),
            "classifier/threshold: all 3 dimensions are zero in more than 0.99 of the gallery, so drop_sparse leaves "
            "none; set drop_sparse = false or raise sparse_share");
  at::Tensor bad = at::zeros({2, 2});
  bad[1][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(message_of([&] { threshold.fit(bad, at::zeros({2}, at::kLong)); }),
            "classifier/threshold: the gallery embedding 1 is not a finite number in dimension 0; training has "
            "probably diverged: look at its loss and lower the learning rate");
}

TEST(Threshold, OneClassAndCopiesAreFine) {
  for (const char* rule : {"distance", "class"}) {
    const auto threshold = make_threshold({{"rule", std::string(rule)}});
    threshold.fit(at::ones({5, 3}), at::zeros({5}, at::kLong));
    // Without spread a class mean reaches nothing.
    EXPECT_EQ(labels_of(threshold, at::ones({1, 3})), (Labels{std::string(rule) == "distance" ? 0 : -1}));
  }
}

}  // namespace
}  // namespace osteon
