// classifier/svm against libsvm called in the plainest way: one training of all classes with each embedding as a list
// of nodes, one for each fold and setting. Every bit of the scores is the same.

#ifdef OSTEON_HAS_LIBSVM

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <libsvm/svm.h>

#include <cmath>
#include <numeric>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

/// Overlapping clouds of unequal sizes, in random order: the class that comes first is not the one of the smallest
/// label.
struct Cloud {
  at::Tensor rows, labels;
};

Cloud cloud(std::int64_t count, std::int64_t d, std::int64_t classes, std::uint64_t index) {
  Random centres(3, "libsvm centres"), random(4, "libsvm cloud", index);
  std::vector<double> middle(static_cast<std::size_t>(classes * d));
  for (double& x : middle) x = centres.normal();
  Cloud result{at::empty({count, d}), at::empty({count}, at::kLong)};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t own = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(classes)));
    result.labels.data_ptr<std::int64_t>()[i] = 10 - own;
    for (std::int64_t j = 0; j < d; ++j)
      result.rows.data_ptr<float>()[i * d + j] =
          static_cast<float>(middle[static_cast<std::size_t>(own * d + j)] + random.normal(0, 1.5));
  }
  return result;
}

class PlainLibsvm {
 public:
  PlainLibsvm(const at::Tensor& rows, bool linear) : d_(rows.size(1)), linear_(linear) {
    for (std::int64_t i = 0; i < rows.size(0); ++i) features_.push_back(nodes(rows, i));
    svm_set_print_string_function([](const char*) {});
  }
  ~PlainLibsvm() { forget(); }

  void train(const std::vector<std::size_t>& chosen, const at::Tensor& labels, double c, double gamma) {
    forget();
    nodes_.clear();
    classes_.clear();
    for (const std::size_t i : chosen) {
      nodes_.push_back(features_[i].data());
      classes_.push_back(static_cast<double>(labels.data_ptr<std::int64_t>()[i]));
    }
    const svm_problem problem{static_cast<int>(nodes_.size()), classes_.data(), nodes_.data()};
    svm_parameter parameter{};
    parameter.svm_type = C_SVC;
    parameter.kernel_type = linear_ ? LINEAR : RBF;
    parameter.gamma = gamma;
    parameter.C = c;
    parameter.cache_size = 64;
    parameter.eps = 1e-3;
    parameter.shrinking = 1;
    model_ = svm_train(&problem, &parameter);
  }

  /// The label, and the least decision value by which it wins.
  std::pair<std::int64_t, float> answer(const std::vector<svm_node>& query) const {
    const auto classes = static_cast<std::size_t>(model_->nr_class);
    std::vector<double> decisions(std::max<std::size_t>(1, classes * (classes - 1) / 2));
    const int label = static_cast<int>(svm_predict_values(model_, query.data(), decisions.data()));
    double least = INFINITY;
    for (std::size_t i = 0, pair = 0; i < classes; ++i)
      for (std::size_t j = i + 1; j < classes; ++j, ++pair) {
        if (model_->label[i] == label) least = std::min(least, decisions[pair]);
        if (model_->label[j] == label) least = std::min(least, -decisions[pair]);
      }
    return {label, static_cast<float>(least)};
  }

  [[nodiscard]] const std::vector<svm_node>& row(std::size_t i) const { return features_[i]; }

  [[nodiscard]] std::vector<svm_node> nodes(const at::Tensor& rows, std::int64_t i) const {
    std::vector<svm_node> result;
    for (std::int64_t j = 0; j < d_; ++j)
      result.push_back({static_cast<int>(j) + 1, static_cast<double>(rows.data_ptr<float>()[i * d_ + j])});
    result.push_back({-1, 0});
    return result;
  }

 private:
  void forget() {
    if (model_) svm_free_and_destroy_model(&model_);
  }

  std::int64_t d_;
  bool linear_;
  std::vector<std::vector<svm_node>> features_;
  std::vector<svm_node*> nodes_;
  std::vector<double> classes_;
  svm_model* model_ = nullptr;
};

std::vector<std::size_t> all_of(const at::Tensor& labels) {
  std::vector<std::size_t> result(static_cast<std::size_t>(labels.size(0)));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

void expect_same(const Given& given, const Cloud& gallery, const Cloud& queries, const PlainLibsvm& plain) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "svm");
  const host::ClassifierHandle ours(plugin, Parameters(plugin.schema, given));
  ours.fit(gallery.rows, gallery.labels);
  const Prediction answer = ours.predict(queries.rows);
  std::int64_t wrong = 0;
  for (std::int64_t q = 0; q < queries.rows.size(0); ++q) {
    const auto [label, least] = plain.answer(plain.nodes(queries.rows, q));
    EXPECT_EQ(answer.labels[q].item<std::int64_t>(), label) << "query " << q;
    EXPECT_EQ(answer.scores[q].item<float>(), least) << "query " << q;
    wrong += label != queries.labels[q].item<std::int64_t>();
  }
  EXPECT_GT(wrong, 0) << "too easy a case to tell two machines apart";
}

TEST(SvmBesideLibsvm, HasItsBits) {
  const Cloud gallery = cloud(301, 9, 6, 0), queries = cloud(77, 9, 6, 1);
  for (const bool linear : {false, true}) {
    PlainLibsvm plain(gallery.rows, linear);
    plain.train(all_of(gallery.labels), gallery.labels, 3, 0.11);
    expect_same({{"kernel", std::string(linear ? "linear" : "rbf")},
                 {"c", 3.0},
                 {"gamma", 0.11},
                 {"scale", std::string("none")}},
                gallery, queries, plain);
  }
}

TEST(SvmBesideLibsvm, HasItsBitsWhereAPairIsTooLargeForItsKernelMatrix) {
  const Cloud gallery = cloud(2300, 3, 2, 2), queries = cloud(50, 3, 2, 3);
  PlainLibsvm plain(gallery.rows, false);
  plain.train(all_of(gallery.labels), gallery.labels, 0.7, 0.4);
  expect_same({{"c", 0.7}, {"gamma", 0.4}, {"scale", std::string("none")}}, gallery, queries, plain);
}

/// The classifier's folds: each class dealt in random order.
std::vector<std::size_t> folds_of(const at::Tensor& labels, std::size_t folds) {
  std::map<std::int64_t, std::vector<std::size_t>> members;
  for (std::int64_t i = 0; i < labels.size(0); ++i)
    members[labels[i].item<std::int64_t>()].push_back(static_cast<std::size_t>(i));
  std::vector<std::size_t> fold(static_cast<std::size_t>(labels.size(0)));
  std::size_t number = 0;
  for (const auto& [label, own] : members) {
    const auto order = Random(1, "svm folds", number).permutation(std::ssize(own));
    for (std::size_t i = 0; i < own.size(); ++i) fold[own[static_cast<std::size_t>(order[i])]] = (i + number) % folds;
    ++number;
  }
  return fold;
}

TEST(SvmBesideLibsvm, ChoosesAsItWouldFoldByFold) {
  Cloud gallery = cloud(60, 4, 4, 4);
  const Cloud queries = cloud(40, 4, 4, 5);
  gallery.labels[17] = 99;  // a class of one image, which is in no training set of its own fold
  PlainLibsvm plain(gallery.rows, false);
  const std::size_t folds = 3;
  const std::vector<std::size_t> fold = folds_of(gallery.labels, folds);
  std::pair<double, double> best;
  std::int64_t most = -1;
  std::set<std::int64_t> counts;
  for (const double c : {0.5, 2.0, 8.0, 32.0, 128.0})
    for (const double gamma : {0.03125, 0.125, 0.5, 2.0, 8.0}) {
      std::int64_t right = 0;
      for (std::size_t f = 0; f < folds; ++f) {
        std::vector<std::size_t> chosen;
        for (std::size_t i = 0; i < fold.size(); ++i)
          if (fold[i] != f) chosen.push_back(i);
        plain.train(chosen, gallery.labels, c, gamma);
        for (std::size_t i = 0; i < fold.size(); ++i)
          if (fold[i] == f) right += plain.answer(plain.row(i)).first == gallery.labels.data_ptr<std::int64_t>()[i];
      }
      counts.insert(right);
      if (right > most) {
        most = right;
        best = {c, gamma};
      }
    }
  EXPECT_GT(counts.size(), 5U) << "too easy a case to tell two settings apart";
  plain.train(all_of(gallery.labels), gallery.labels, best.first, best.second);
  expect_same({{"folds", std::int64_t{3}}, {"scale", std::string("none")}}, gallery, queries, plain);
}

}  // namespace
}  // namespace osteon

#endif
