#include "training.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <libsvm/svm.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

namespace osteon::svm {

namespace {

using recognition::kPanel;
using recognition::kTileSums;

constexpr double kCacheMegabytes = 64;            ///< of kernel rows, for each thread
constexpr std::int64_t kMostPairNodes = 4 << 20;  ///< of 16 bytes, for each thread: 64 MiB for a pair's kernel matrix

struct ModelDeleter {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};
using Model = std::unique_ptr<svm_model, ModelDeleter>;

void be_silent(const char*) {}

/// Rows in libsvm's form; each ends with index -1.
void write_features(const Rows& rows, const std::vector<std::int32_t>& chosen, std::vector<svm_node>& nodes) {
  const std::int64_t d = rows.dimensions();
  nodes.resize(chosen.size() * static_cast<std::size_t>(d + 1));
  svm_node* node = nodes.data();
  for (const std::int32_t row : chosen) {
    for (std::int64_t j = 0; j < d; ++j) *node++ = {static_cast<int>(j) + 1, rows.row(row)[j]};
    *node++ = {-1, 0};
  }
}

/// The kernel matrix in libsvm's form: each row begins with its number, from 1 on.
void write_kernel(const Rows& rows, const std::vector<std::int32_t>& chosen, Kernel kernel,
                  std::vector<svm_node>& nodes) {
  const recognition::Panels panels = rows.gathered(chosen);
  const std::int64_t m = panels.columns(), count = panels.count(), stride = m + 1;
  nodes.resize(static_cast<std::size_t>(m * stride));
  std::vector<double> squares(static_cast<std::size_t>(m)), sums(static_cast<std::size_t>(count * kTileSums));
  for (std::int64_t i = 0; i < m; ++i) {
    if (i % kPanel == 0) {
      const std::int64_t panel = i / kPanel;
      recognition::sum_over_rows(recognition::SumOf::product, panels, panel, panels, panel, panel + 1, sums);
    }
    squares[static_cast<std::size_t>(i)] = sums[static_cast<std::size_t>(i % kPanel * (kPanel + 1))];
    nodes[static_cast<std::size_t>(i * stride)] = {0, static_cast<double>(i + 1)};
  }
  for (std::int64_t panel = 0; panel < count; ++panel) {
    recognition::sum_over_rows(recognition::SumOf::product, panels, panel, panels, panel, count, sums);
    for (std::int64_t i = panel * kPanel; i < std::min(m, (panel + 1) * kPanel); ++i)
      for (std::int64_t j = i; j < m; ++j) {
        const double product =
            sums[static_cast<std::size_t>((j / kPanel - panel) * kTileSums + i % kPanel * kPanel + j % kPanel)];
        const double squared =
            squares[static_cast<std::size_t>(i)] + squares[static_cast<std::size_t>(j)] - 2 * product;
        const double value = kernel.linear ? product : std::exp(-kernel.gamma * squared);
        nodes[static_cast<std::size_t>(i * stride + j + 1)] = {0, value};
        nodes[static_cast<std::size_t>(j * stride + i + 1)] = {0, value};
      }
  }
}

/// Two classes' rows in libsvm's form, and machines trained on parts of them.
class PairProblem {
 public:
  PairProblem(const Rows& rows, std::vector<std::int32_t> chosen, Kernel kernel, std::vector<svm_node>& buffer)
      : chosen_(std::move(chosen)), kernel_(kernel) {
    const auto m = std::ssize(chosen_);
    precomputed_ = m * (m + 1) <= kMostPairNodes;
    if (precomputed_)
      write_kernel(rows, chosen_, kernel, buffer);
    else
      write_features(rows, chosen_, buffer);
    for (std::int64_t i = 0; i < m; ++i)
      nodes_.push_back(buffer.data() + i * (precomputed_ ? m + 1 : rows.dimensions() + 1));
  }

  /// `first`, `second`: places among the chosen rows.
  [[nodiscard]] PairMachine trained(const std::vector<std::size_t>& first, const std::vector<std::size_t>& second,
                                    double cost) const {
    std::vector<std::size_t> places = first;
    places.insert(places.end(), second.begin(), second.end());
    std::vector<double> classes(places.size(), 1);
    std::fill(classes.begin() + std::ssize(first), classes.end(), 2);
    std::vector<svm_node*> nodes;
    for (const std::size_t place : places) nodes.push_back(nodes_[place]);
    const svm_problem problem{static_cast<int>(nodes.size()), classes.data(), nodes.data()};
    const svm_parameter asked = parameter(cost);
    if (const char* complaint = svm_check_parameter(&problem, &asked))
      throw failure(text("libsvm does not accept this training: ", complaint));
    const Model model(svm_train(&problem, &asked));
    PairMachine result;
    result.rho = model->rho[0];
    for (int i = 0; i < model->l; ++i) {
      result.rows.push_back(chosen_[places[static_cast<std::size_t>(model->sv_indices[i] - 1)]]);
      result.coefficients.push_back(model->sv_coef[0][i]);
    }
    return result;
  }

 private:
  [[nodiscard]] svm_parameter parameter(double cost) const {
    svm_parameter p{};
    p.svm_type = C_SVC;
    p.kernel_type = precomputed_ ? PRECOMPUTED : kernel_.linear ? LINEAR : RBF;
    p.gamma = kernel_.gamma;
    p.C = cost;
    p.cache_size = kCacheMegabytes;
    p.eps = 1e-3;
    p.shrinking = 1;
    return p;
  }

  std::vector<std::int32_t> chosen_;
  Kernel kernel_;
  bool precomputed_ = false;
  std::vector<svm_node*> nodes_;
};

/// The classes of one training set as they come first in it; `place[class]` is where, or `kInEverySet` for none.
struct Order {
  std::vector<std::size_t> classes, place;
};

Order order_of(const Membership& membership, std::size_t set, std::size_t classes) {
  Order result{{}, std::vector<std::size_t>(classes, kInEverySet)};
  for (std::size_t i = 0; i < membership.classes.size(); ++i) {
    const std::size_t own = membership.classes[i];
    if (membership.left_out_of[i] == set || result.place[own] != kInEverySet) continue;
    result.place[own] = result.classes.size();
    result.classes.push_back(own);
  }
  return result;
}

/// Trains one pair of classes for all sets and costs.
class PairTraining {
 public:
  PairTraining(const Rows& rows, const Membership& membership, Kernel kernel, const std::vector<double>& costs)
      : rows_(rows), membership_(membership), kernel_(kernel), costs_(costs) {
    for (std::size_t i = 0; i < membership.classes.size(); ++i) {
      members_.resize(std::max(members_.size(), membership.classes[i] + 1));
      members_[membership.classes[i]].push_back(static_cast<std::int32_t>(i));
    }
    for (std::size_t set = 0; set < membership.sets; ++set)
      orders_.push_back(order_of(membership, set, members_.size()));
    committees_.resize(membership.sets * costs.size());
    for (std::size_t i = 0; i < committees_.size(); ++i) {
      committees_[i].order = orders_[i / costs.size()].classes;
      const std::size_t classes = committees_[i].order.size();
      committees_[i].machines.resize(classes * (classes - std::min<std::size_t>(classes, 1)) / 2);
    }
  }

  [[nodiscard]] std::size_t classes() const { return members_.size(); }
  [[nodiscard]] std::vector<Committee>& committees() { return committees_; }

  void run(std::size_t a, std::size_t b, std::vector<svm_node>& buffer) {
    std::vector<std::int32_t> chosen = members_[a];
    chosen.insert(chosen.end(), members_[b].begin(), members_[b].end());
    const PairProblem problem(rows_, chosen, kernel_, buffer);
    for (std::size_t set = 0; set < membership_.sets; ++set) {
      std::vector<std::size_t> sides[2];
      for (std::size_t i = 0; i < chosen.size(); ++i)
        if (membership_.left_out_of[static_cast<std::size_t>(chosen[i])] != set)
          sides[i < members_[a].size() ? 0 : 1].push_back(i);
      if (sides[0].empty() || sides[1].empty()) continue;
      std::size_t first = orders_[set].place[a], second = orders_[set].place[b];
      if (first > second) {
        std::swap(first, second);
        std::swap(sides[0], sides[1]);
      }
      for (std::size_t c = 0; c < costs_.size(); ++c) {
        throw_if_stopped();
        committees_[set * costs_.size() + c].machines[pair_place(first, second, orders_[set].classes.size())] =
            problem.trained(sides[0], sides[1], costs_[c]);
      }
    }
  }

 private:
  const Rows& rows_;
  const Membership& membership_;
  Kernel kernel_;
  const std::vector<double>& costs_;
  std::vector<std::vector<std::int32_t>> members_;
  std::vector<Order> orders_;
  std::vector<Committee> committees_;
};

}  // namespace

std::vector<Committee> train(const Rows& rows, const Membership& membership, Kernel kernel,
                             const std::vector<double>& costs) {
  svm_set_print_string_function(be_silent);
  PairTraining training(rows, membership, kernel, costs);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t a = 0; a < training.classes(); ++a)
    for (std::size_t b = a + 1; b < training.classes(); ++b) pairs.emplace_back(a, b);
  // Hard pairs take several times as long as easy ones: each thread takes the next when it is done.
  std::atomic<std::size_t> next = 0;
  parallel_for(0, thread_count(), 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<svm_node> buffer;
    for (std::int64_t worker = first; worker < last; ++worker)
      for (std::size_t i = next++; i < pairs.size(); i = next++) training.run(pairs[i].first, pairs[i].second, buffer);
  });
  return std::move(training.committees());
}

}  // namespace osteon::svm
