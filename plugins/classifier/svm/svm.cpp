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
// The answer is libsvm's, bit for bit: most pairwise decisions won, of equal counts the class that comes first in the
// gallery. Score: the smallest decision value by which the answered class wins over another one, negative if it loses
// to one. 1 is the margin that training asks for. Probabilities are not used: libsvm's need random numbers of a global generator.

#include "votes.hpp"

#include "recognition/embeddings.hpp"

#include <osteon/classifier.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace osteon {
namespace {

constexpr std::int64_t kMostValues = 64 << 20;  ///< 512 MiB of scaled embeddings

struct Setting {
  double c, gamma;
};

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
        scaling_(parameters.text("scale")),
        folds_(parameters.integer("folds")),
        seed_(static_cast<std::uint64_t>(parameters.integer("seed"))),
        reject_below_(parameters.real("reject_below")) {}

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    recognition::check_gallery(embeddings, labels, "a support vector machine needs");
    const std::int64_t count = embeddings.size(0), d = embeddings.size(1);
    if (count > kMostValues / std::max<std::int64_t>(d, 1))
      throw Error(text("the gallery's ", count, " embeddings of ", d, " dimensions are too many for a support vector ",
                       "machine (at most ", kMostValues / d, "); use the knn classifier"));
    dimensions_ = -1;
    number_classes(labels);
    if (labels_.size() < 2)
      throw Error(text("the gallery has one class only (label ", labels_[0],
                       "), but a support vector machine separates at least two; enrol another bone or use the knn ",
                       "classifier with reject_above"));
    choose_scale(embeddings);
    const svm::Rows rows(embeddings, scale_);
    const Setting setting = chosen_setting(rows);
    const svm::Membership all{classes_, std::vector<std::size_t>(classes_.size(), svm::kInEverySet), 1};
    votes_ = {rows, svm::train(rows, all, kernel(setting.gamma), {setting.c}), kernel(setting.gamma)};
    dimensions_ = d;
  }

  [[nodiscard]] Prediction predict(const at::Tensor& queries) const override {
    if (dimensions_ < 0) throw failure("predict was called before fit: there is no gallery to compare with");
    recognition::check_queries(queries, dimensions_);
    Prediction answer{at::empty({queries.size(0)}, at::kLong), at::empty({queries.size(0)}, at::kFloat)};
    parallel_for(0, queries.size(0), svm::kTogether, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t first = begin; first < end; first += svm::kTogether) {
        throw_if_stopped();
        const std::int64_t count = std::min(svm::kTogether, end - first);
        const svm::Rows rows(queries.narrow(0, first, count), scale_);
        std::vector<std::int32_t> all(static_cast<std::size_t>(count));
        std::iota(all.begin(), all.end(), 0);
        const auto verdicts = votes_.judge(rows.gathered(all)).front();
        for (std::int64_t q = 0; q < count; ++q) {
          const svm::Verdict& verdict = verdicts[static_cast<std::size_t>(q)];
          const bool is_unknown = reject_below_ > 0 && verdict.least < reject_below_;
          answer.labels.data_ptr<std::int64_t>()[first + q] = is_unknown ? -1 : labels_[verdict.winner];
          answer.scores.data_ptr<float>()[first + q] = static_cast<float>(verdict.least);
        }
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
    for (std::int64_t i = 0; i < list.size(0); ++i) classes_.push_back(number[given[i]]);
  }

  void choose_scale(const at::Tensor& embeddings) {
    const auto d = static_cast<std::size_t>(embeddings.size(1));
    auto& [shift, factor] = scale_;
    shift.assign(d, 0);
    factor.assign(d, 1);
    if (scaling_ == "none") return;
    const at::Tensor rows = embeddings.contiguous();
    const auto n = static_cast<std::size_t>(rows.size(0));
    const float* values = rows.data_ptr<float>();
    if (scaling_ == "each") {
      std::vector<double> low(d, INFINITY), high(d, -INFINITY);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < d; ++j) {
          low[j] = std::min<double>(low[j], values[i * d + j]);
          high[j] = std::max<double>(high[j], values[i * d + j]);
        }
      for (std::size_t j = 0; j < d; ++j) factor[j] = high[j] > low[j] ? 1 / (high[j] - low[j]) : 0;
      shift = low;
      return;
    }
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < d; ++j) shift[j] += values[i * d + j] / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < d; ++j) squares += (values[i * d + j] - shift[j]) * (values[i * d + j] - shift[j]);
    if (squares > 0) factor.assign(d, std::sqrt(static_cast<double>(n) / squares));
  }

  [[nodiscard]] svm::Kernel kernel(double gamma) const { return {linear_, gamma}; }

  /// What the file says, and where it says 0 the best of the grid.
  [[nodiscard]] Setting chosen_setting(const svm::Rows& rows) const {
    const std::vector<double> costs = c_ > 0 ? std::vector<double>{c_} : std::vector<double>{0.5, 2, 8, 32, 128};
    const std::vector<double> gammas = gamma_ > 0 || linear_ ? std::vector<double>{linear_ ? 1 : gamma_}
                                                             : std::vector<double>{0.03125, 0.125, 0.5, 2, 8};
    if (costs.size() * gammas.size() == 1) return {costs.front(), gammas.front()};
    const svm::Membership folds{classes_, dealt(), static_cast<std::size_t>(folds_)};
    if (folds.left_out_of.empty()) return {c_ > 0 ? c_ : 1, gamma_ > 0 ? gamma_ : 1};
    std::vector<std::vector<std::int64_t>> right;  // [gamma][cost]
    for (const double gamma : gammas) right.push_back(right_answers(rows, folds, gamma, costs));
    Setting best{};
    std::int64_t most = -1;
    for (std::size_t c = 0; c < costs.size(); ++c)
      for (std::size_t g = 0; g < gammas.size(); ++g)
        if (right[g][c] > most) {
          most = right[g][c];
          best = {costs[c], gammas[g]};
        }
    return best;
  }

  /// The fold of each gallery image; empty where no class has two images.
  [[nodiscard]] std::vector<std::size_t> dealt() const {
    std::vector<std::vector<std::size_t>> members(labels_.size());
    for (std::size_t i = 0; i < classes_.size(); ++i) members[classes_[i]].push_back(i);
    if (std::all_of(members.begin(), members.end(), [](const auto& list) { return list.size() < 2; })) return {};
    std::vector<std::size_t> fold(classes_.size());
    for (std::size_t c = 0; c < members.size(); ++c) {
      const auto order = Random(seed_, "svm folds", c).permutation(static_cast<std::int64_t>(members[c].size()));
      for (std::size_t i = 0; i < order.size(); ++i)
        fold[members[c][static_cast<std::size_t>(order[i])]] = (i + c) % static_cast<std::size_t>(folds_);
    }
    return fold;
  }

  /// For each cost, how many images machines that were trained on the other folds name rightly.
  [[nodiscard]] std::vector<std::int64_t> right_answers(const svm::Rows& rows, const svm::Membership& folds,
                                                        double gamma, const std::vector<double>& costs) const {
    std::vector<svm::Committee> committees = svm::train(rows, folds, kernel(gamma), costs);
    std::vector<std::atomic<std::int64_t>> right(costs.size());
    for (std::size_t fold = 0; fold < folds.sets; ++fold) {
      const auto from = std::make_move_iterator(committees.begin() + static_cast<std::ptrdiff_t>(fold * costs.size()));
      const svm::Votes votes(rows, {from, from + std::ssize(costs)}, kernel(gamma));
      std::vector<std::int32_t> left_out;
      for (std::size_t i = 0; i < classes_.size(); ++i)
        if (folds.left_out_of[i] == fold) left_out.push_back(static_cast<std::int32_t>(i));
      parallel_for(0, std::ssize(left_out), svm::kTogether, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin; first < end; first += svm::kTogether) {
          throw_if_stopped();
          const std::span some(left_out.data() + first,
                               static_cast<std::size_t>(std::min(svm::kTogether, end - first)));
          const auto verdicts = votes.judge(rows.gathered(some));
          for (std::size_t c = 0; c < costs.size(); ++c)
            for (std::size_t i = 0; i < some.size(); ++i)
              right[c] += verdicts[c][i].winner == classes_[static_cast<std::size_t>(some[i])] ? 1 : 0;
        }
      });
    }
    return {right.begin(), right.end()};
  }

  bool linear_;
  double c_, gamma_;
  std::string scaling_;
  std::int64_t folds_;
  std::uint64_t seed_;
  double reject_below_;
  std::vector<std::int64_t> labels_;
  std::vector<std::size_t> classes_;
  svm::Scale scale_;
  svm::Votes votes_;
  std::int64_t dimensions_ = -1;  ///< of the gallery, once there is one
};

}  // namespace

OSTEON_PLUGIN(classifier, svm, "0.2.0", SupportVectors)

}  // namespace osteon
