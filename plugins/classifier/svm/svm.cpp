// classifier/svm: support vector machines, one for each pair of classes (Cortes and Vapnik, "Support-vector networks",
// Mach. Learn. 20, 1995; Chang and Lin, "LIBSVM", ACM TIST 2, 2011). The study's second classifier.
//
//     [classifier.svm]
//     kernel       = "rbf"        # or "linear"
//     c            = 0.0          # cost of an image on the wrong side; 0 chooses it by cross-validation
//     gamma        = 0.0          # rbf: exp(-gamma |x - y|²); 0 chooses it by cross-validation
//     scale        = "common"     # or "none", "each"
//     folds        = 5            # of the cross-validation
//     seed         = 1            # of the folds
//     reject_below = 0.0          # e.g. 0.5: answer "unknown" below this decision value
//
// Cross-validation sees the gallery alone. The images of each class are dealt to the folds in random order; the grid is
// C = 2^-1, 2^1, …, 2^7 and gamma = 2^-5, 2^-3, …, 2^3; of equal accuracies the smaller C wins, then the smaller gamma.
// Where no class has two images there is nothing to validate on, and what is chosen is 1 for both.
//
// scale = "common" shifts every dimension by the gallery's mean and divides all of them by one number, the root mean
// square distance to that mean: what the network's dimensions weigh against each other is kept, and gamma = 1 has the
// same meaning for any network. "each" maps each dimension of the gallery to 0 … 1, as libsvm's guide recommends for
// features of unlike units; a constant dimension becomes 0. "none" takes the embeddings as they are.
//
// The answer is libsvm's: most pairwise decisions won, of equal counts the class that comes first in
// the gallery. Score: the smallest decision
// value by which the answered class wins over another one, negative if it loses to one. 1 is the margin that training
// asks for. Probabilities are not used: libsvm's need random numbers of a global generator.

#include "recognition/embeddings.hpp"

#include <osteon/classifier.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <libsvm/svm.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace osteon {
namespace {

constexpr std::int64_t kMostNodes = 64 << 20;  ///< of 16 bytes: 1 GiB of features
constexpr double kCacheMegabytes = 64;         ///< of kernel rows, for each thread

struct ModelDeleter {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};
using Model = std::unique_ptr<svm_model, ModelDeleter>;

struct Setting {
  double c, gamma;
};

/// Embeddings in libsvm's form; each row ends with index -1.
class Features {
 public:
  Features() = default;
  Features(const at::Tensor& embeddings, const std::vector<double>& shift, const std::vector<double>& factor) {
    const std::int64_t n = embeddings.size(0), d = embeddings.size(1);
    const at::Tensor rows = embeddings.contiguous();
    nodes_.resize(static_cast<std::size_t>(n * (d + 1)));
    for (std::int64_t i = 0; i < n; ++i) {
      svm_node* node = nodes_.data() + i * (d + 1);
      rows_.push_back(node);
      for (std::int64_t j = 0; j < d; ++j) {
        const auto dimension = static_cast<std::size_t>(j);
        node[j] = {static_cast<int>(j) + 1, (rows.data_ptr<float>()[i * d + j] - shift[dimension]) * factor[dimension]};
      }
      node[d] = {-1, 0};
    }
  }
  [[nodiscard]] svm_node* row(std::size_t i) const { return rows_[i]; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  std::vector<svm_node> nodes_;
  std::vector<svm_node*> rows_;
};

void be_silent(const char*) {}

Model trained(std::vector<svm_node*>& rows, std::vector<double>& classes, const svm_parameter& parameter) {
  svm_problem problem{static_cast<int>(rows.size()), classes.data(), rows.data()};
  if (const char* complaint = svm_check_parameter(&problem, &parameter))
    throw failure(text("libsvm does not accept this training: ", complaint));
  return Model(svm_train(&problem, &parameter));
}

class SupportVectors final : public Classifier {
 public:
  static Schema schema() {
    return {
        "Support vector machines for each pair of classes (Cortes and Vapnik 1995, by libsvm).",
        {Parameter::text("kernel", "rbf", "Straight borders between classes, or curved ones.")
             .one_of(std::vector<std::string>{"rbf", "linear"}),
         Parameter::real("c", 0.0, "Cost of an image on the wrong side; 0: cross-validation on the gallery.")
             .at_least(0),
         Parameter::real("gamma", 0.0, "rbf: exp(-gamma |x - y|²); 0: cross-validation on the gallery.").at_least(0),
         Parameter::text("scale", "common", "One factor for all dimensions, 0 … 1 for each, or none.")
             .one_of(std::vector<std::string>{"common", "each", "none"}),
         Parameter::integer("folds", 5, "Parts of the cross-validation.").at_least(2).at_most(100),
         Parameter::integer("seed", 1, "Deals the gallery to the folds.").at_least(0),
         Parameter::real("reject_below", 0.0,
                         "Answer \"unknown\" when the smallest decision value of the answer is lower; 0 never does.")
             .at_least(0)}};
  }

  explicit SupportVectors(const Parameters& parameters)
      : linear_(parameters.text("kernel") == "linear"),
        c_(parameters.real("c")),
        gamma_(parameters.real("gamma")),
        scale_(parameters.text("scale")),
        folds_(parameters.integer("folds")),
        seed_(static_cast<std::uint64_t>(parameters.integer("seed"))),
        reject_below_(parameters.real("reject_below")) {
    svm_set_print_string_function(be_silent);
  }

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    recognition::check_gallery(embeddings, labels, "a support vector machine needs");
    const std::int64_t count = embeddings.size(0), d = embeddings.size(1);
    if (count > kMostNodes / (d + 1))
      throw Error(text("the gallery's ", count, " embeddings of ", d, " dimensions are too many for a support vector ",
                       "machine (at most ", kMostNodes / (d + 1), "); use the knn classifier"));
    model_.reset();
    number_classes(labels);
    if (labels_.size() < 2)
      throw Error(text("the gallery has one class only (label ", labels_[0],
                       "), but a support vector machine separates at least two; enrol another bone or use the knn ",
                       "classifier with reject_above"));
    choose_scale(embeddings);
    features_ = Features(embeddings, shift_, factor_);
    const Setting setting = chosen_setting();
    std::vector<svm_node*> rows;
    for (std::size_t i = 0; i < features_.size(); ++i) rows.push_back(features_.row(i));
    model_ = trained(rows, classes_, parameter(setting));
    dimensions_ = d;
  }

  [[nodiscard]] Prediction predict(const at::Tensor& queries) const override {
    if (!model_) throw failure("predict was called before fit: there is no gallery to compare with");
    recognition::check_queries(queries, dimensions_);
    Prediction answer{at::empty({queries.size(0)}, at::kLong), at::empty({queries.size(0)}, at::kFloat)};
    parallel_for(0, queries.size(0), 8, [&](std::int64_t first, std::int64_t last) {
      const Features features(queries.narrow(0, first, last - first), shift_, factor_);
      std::vector<double> decisions(labels_.size() * (labels_.size() - 1) / 2);
      for (std::int64_t q = first; q < last; ++q) {
        throw_if_stopped();
        const svm_node* row = features.row(static_cast<std::size_t>(q - first));
        const auto winner = static_cast<std::size_t>(svm_predict_values(model_.get(), row, decisions.data()));
        const double score = least_decision(winner, decisions);
        answer.labels.data_ptr<std::int64_t>()[q] = reject_below_ > 0 && score < reject_below_ ? -1 : labels_[winner];
        answer.scores.data_ptr<float>()[q] = static_cast<float>(score);
      }
    });
    return answer;
  }

 private:
  /// Classes 0, 1, … in order of label.
  void number_classes(const at::Tensor& labels) {
    const at::Tensor list = labels.contiguous();
    const auto* given = list.data_ptr<std::int64_t>();
    std::map<std::int64_t, std::size_t> number;
    for (std::int64_t i = 0; i < list.size(0); ++i) number[given[i]] = 0;
    labels_.clear();
    for (auto& [label, place] : number) {
      place = labels_.size();
      labels_.push_back(label);
    }
    classes_.clear();
    for (std::int64_t i = 0; i < list.size(0); ++i) classes_.push_back(static_cast<double>(number[given[i]]));
  }

  void choose_scale(const at::Tensor& embeddings) {
    const auto d = static_cast<std::size_t>(embeddings.size(1));
    shift_.assign(d, 0);
    factor_.assign(d, 1);
    if (scale_ == "none") return;
    const at::Tensor rows = embeddings.contiguous();
    const auto n = static_cast<std::size_t>(rows.size(0));
    const float* values = rows.data_ptr<float>();
    if (scale_ == "each") {
      for (std::size_t j = 0; j < d; ++j) {
        double low = INFINITY, high = -INFINITY;
        for (std::size_t i = 0; i < n; ++i) {
          low = std::min<double>(low, values[i * d + j]);
          high = std::max<double>(high, values[i * d + j]);
        }
        shift_[j] = low;
        factor_[j] = high > low ? 1 / (high - low) : 0;
      }
      return;
    }
    double squares = 0;
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t i = 0; i < n; ++i) shift_[j] += values[i * d + j] / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i) squares += std::pow(values[i * d + j] - shift_[j], 2);
    }
    if (squares > 0) factor_.assign(d, std::sqrt(static_cast<double>(n) / squares));
  }

  [[nodiscard]] svm_parameter parameter(Setting setting) const {
    svm_parameter p{};
    p.svm_type = C_SVC;
    p.kernel_type = linear_ ? LINEAR : RBF;
    p.gamma = setting.gamma;
    p.C = setting.c;
    p.cache_size = kCacheMegabytes;
    p.eps = 1e-3;
    p.shrinking = 1;
    return p;
  }

  /// What the file says, and where it says 0 the best of the grid.
  [[nodiscard]] Setting chosen_setting() const {
    const std::vector<std::size_t> fold = dealt();
    std::vector<Setting> grid;
    for (const double c : c_ > 0 ? std::vector<double>{c_} : std::vector<double>{0.5, 2, 8, 32, 128})
      for (const double gamma : gamma_ > 0 || linear_ ? std::vector<double>{linear_ ? 1 : gamma_}
                                                      : std::vector<double>{0.03125, 0.125, 0.5, 2, 8})
        grid.push_back({c, gamma});
    if (grid.size() == 1) return grid.front();
    if (fold.empty()) return {c_ > 0 ? c_ : 1, gamma_ > 0 ? gamma_ : 1};
    const auto folds = static_cast<std::size_t>(folds_);
    std::vector<std::int64_t> right(grid.size() * folds);
    parallel_for(0, static_cast<std::int64_t>(right.size()), 1, [&](std::int64_t first, std::int64_t last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        throw_if_stopped();
        right[i] = right_in_fold(grid[i / folds], fold, i % folds);
      }
    });
    std::size_t best = 0;
    std::int64_t most = -1;
    for (std::size_t g = 0; g < grid.size(); ++g) {
      std::int64_t sum = 0;
      for (std::size_t f = 0; f < folds; ++f) sum += right[g * folds + f];
      if (sum > most) {
        most = sum;
        best = g;
      }
    }
    return grid[best];
  }

  /// The fold of each gallery image; empty where no class has two images.
  [[nodiscard]] std::vector<std::size_t> dealt() const {
    std::vector<std::vector<std::size_t>> members(labels_.size());
    for (std::size_t i = 0; i < classes_.size(); ++i) members[static_cast<std::size_t>(classes_[i])].push_back(i);
    if (std::all_of(members.begin(), members.end(), [](const auto& list) { return list.size() < 2; })) return {};
    std::vector<std::size_t> fold(classes_.size());
    for (std::size_t c = 0; c < members.size(); ++c) {
      const auto order = Random(seed_, "svm folds", c).permutation(static_cast<std::int64_t>(members[c].size()));
      for (std::size_t i = 0; i < order.size(); ++i)
        fold[members[c][static_cast<std::size_t>(order[i])]] = (i + c) % static_cast<std::size_t>(folds_);
    }
    return fold;
  }

  /// Images of one fold that a machine trained on the others names rightly.
  [[nodiscard]] std::int64_t right_in_fold(Setting setting, const std::vector<std::size_t>& fold,
                                           std::size_t left_out) const {
    std::vector<svm_node*> rows;
    std::vector<double> classes;
    for (std::size_t i = 0; i < fold.size(); ++i)
      if (fold[i] != left_out) {
        rows.push_back(features_.row(i));
        classes.push_back(classes_[i]);
      }
    if (rows.empty()) return 0;
    const Model model = trained(rows, classes, parameter(setting));
    std::int64_t right = 0;
    for (std::size_t i = 0; i < fold.size(); ++i)
      if (fold[i] == left_out) right += svm_predict(model.get(), features_.row(i)) == classes_[i];
    return right;
  }

  [[nodiscard]] double least_decision(std::size_t winner, const std::vector<double>& decisions) const {
    double least = INFINITY;
    std::size_t pair = 0;
    for (int i = 0; i < model_->nr_class; ++i)
      for (int j = i + 1; j < model_->nr_class; ++j, ++pair) {
        if (static_cast<std::size_t>(model_->label[i]) == winner) least = std::min(least, decisions[pair]);
        if (static_cast<std::size_t>(model_->label[j]) == winner) least = std::min(least, -decisions[pair]);
      }
    return least;
  }

  bool linear_;
  double c_, gamma_;
  std::string scale_;
  std::int64_t folds_;
  std::uint64_t seed_;
  double reject_below_;
  std::vector<std::int64_t> labels_;
  std::vector<double> classes_, shift_, factor_;
  Features features_;
  Model model_;  ///< points into `features_`
  std::int64_t dimensions_ = 0;
};

}  // namespace

OSTEON_PLUGIN(classifier, svm, "0.1.0", SupportVectors)

}  // namespace osteon
