#pragma once

// The losses with the settings that the tests try, each beside its naive loop, and batches for them.

#include "loss/oracles.hpp"
#include "training/fixtures.hpp"

#include <ATen/ATen.h>

#include <functional>

namespace osteon::test {

struct LossCase {
  std::string plugin;
  Values values;  ///< all of its parameters
  double (*naive)(const naive::Problem&, const Values&);
};

/// The table. Values are chosen so that terms on both sides of each hinge occur.
inline std::vector<LossCase> loss_cases() {
  std::vector<LossCase> cases;
  using std::string;
  for (const bool squared : {true, false})
    for (const char* form : {"hinge", "soft_margin"})
      for (const char* tertiary : {"unused", "mean", "least"})
        for (const char* reduction : {"sum", "mean", "active_mean"})
          cases.push_back({"triplet",
                           {{"margin", squared ? 0.1 : 0.7},
                            {"squared", squared},
                            {"form", string(form)},
                            {"tertiary_distance", string(tertiary)},
                            {"reduction", string(reduction)}},
                           naive::triplet});
  for (const double positive_margin : {0.0, 0.8})
    for (const char* reduction : {"sum", "mean", "active_mean"})
      cases.push_back({"contrastive",
                       {{"positive_margin", positive_margin},
                        {"negative_margin", 1.0 + positive_margin},
                        {"reduction", string(reduction)}},
                       naive::contrastive});
  for (const double smoothing : {0.0, 0.1})
    cases.push_back({"softmax", {{"label_smoothing", smoothing}}, naive::softmax});
  for (const double margin : {0.0, 0.5, 1.2})
    for (const bool easy : {false, true})
      cases.push_back({"arcface",
                       {{"scale", margin > 1 ? 10.0 : 64.0}, {"margin", margin}, {"easy_margin", easy}},
                       naive::arcface});
  for (const double margin : {0.1, 0.4})
    for (const double alpha : {32.0, 4.0})
      cases.push_back({"proxy_anchor", {{"alpha", alpha}, {"margin", margin}}, naive::proxy_anchor});
  for (const double temperature : {0.1, 0.05, 1.0}) {
    cases.push_back({"supcon", {{"temperature", temperature}}, naive::supcon});
    cases.push_back({"ntxent", {{"temperature", temperature}}, naive::ntxent});
  }
  for (const double epsilon : {0.1, 0.0, 3.0})
    for (const double lambda : {1.0, 0.5})
      cases.push_back({"multi_similarity",
                       {{"alpha", 2.0}, {"beta", lambda == 1 ? 50.0 : 40.0}, {"lambda", lambda}, {"epsilon", epsilon}},
                       naive::multi_similarity});
  for (const double margin : {0.4, 0.25})
    for (const bool constant : {true, false})
      cases.push_back({"circle", {{"margin", margin}, {"gamma", 80.0}, {"constant_weights", constant}}, naive::circle});
  for (const std::int64_t clusters : {1, 2, 3})
    for (const double alpha : {1.0, 0.0})
      cases.push_back({"magnet", {{"alpha", alpha}, {"clusters", clusters}}, naive::magnet});
  return cases;
}

inline std::string name_of(const LossCase& one) {
  std::string name = one.plugin;
  for (const auto& [key, value] : one.values) name.append("_").append(to_text(value));
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

/// The first case of each plugin.
inline std::vector<LossCase> one_case_each() {
  std::map<std::string, LossCase> first;
  for (const LossCase& one : loss_cases()) first.emplace(one.plugin, one);
  std::vector<LossCase> cases;
  for (const auto& [name, one] : first) cases.push_back(one);
  return cases;
}

inline host::LossHandle make_loss(const std::string& plugin, const Values& values = {}) {
  return make<host::LossHandle>("loss", plugin, values);
}

inline at::Tensor tensor_of(const naive::Matrix& rows) {
  at::Tensor result =
      at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.front().size())}, at::kDouble);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy(rows[i].begin(), rows[i].end(), result[static_cast<std::int64_t>(i)].data_ptr<double>());
  return result;
}

inline at::Tensor labels_of(const std::vector<int>& labels) { return at::tensor(labels, at::kInt).to(at::kLong); }

/// Rows of random direction, 0.5 to 1.2 long: losses on angles must not count on unit length.
inline naive::Matrix random_rows(std::size_t rows, std::size_t columns, Random& random) {
  naive::Matrix result(rows, naive::Row(columns));
  for (naive::Row& row : result) {
    for (double& value : row) value = random.normal();
    const double length = std::sqrt(naive::dot(row, row)) / random.uniform(0.5, 1.2);
    for (double& value : row) value /= length;
  }
  return result;
}

inline Tuples tuples_of(const naive::Problem& problem) {
  std::array<std::vector<std::int64_t>, 3> indices;
  for (const auto& triplet : problem.triplets)
    for (std::size_t k = 0; k < 3; ++k) indices[k].push_back(triplet[k]);
  const auto tensor = [](const std::vector<std::int64_t>& list) {
    return at::tensor(at::ArrayRef<std::int64_t>(list), at::kLong);
  };
  return make_tuples(tensor(indices[0]), tensor(indices[1]), tensor(indices[2]), problem.rows());
}

/// All valid triplets of the problem's labels, or each with some chance; never none where there is one.
inline void choose_triplets(naive::Problem& problem, double chance, Random& random) {
  problem.triplets.clear();
  std::array<int, 3> last{};
  bool any = false;
  for (int a = 0; a < problem.rows(); ++a)
    for (int p = 0; p < problem.rows(); ++p)
      for (int n = 0; n < problem.rows(); ++n)
        if (a != p && problem.label(a) == problem.label(p) && problem.label(a) != problem.label(n)) {
          last = {a, p, n};
          any = true;
          if (random.uniform(0, 1) < chance) problem.triplets.push_back(last);
        }
  if (any && problem.triplets.empty()) problem.triplets.push_back(last);
}

constexpr std::size_t kDimensions = 5;
constexpr int kClasses = 5;  ///< of which the batches show four, and one of those in one image

inline naive::Problem random_problem(std::uint64_t seed, double chance = 1,
                                     const std::vector<int>& labels = {2, 0, 1, 0, 2, 1, 3, 2, 0, 2}) {
  Random random(seed, "a batch for the losses");
  naive::Problem problem;
  problem.labels = labels;
  problem.classes = kClasses;
  problem.x = random_rows(labels.size(), kDimensions, random);
  choose_triplets(problem, chance, random);
  return problem;
}

/// Prepares the loss and fills its state, in double precision, with random numbers, which it notes in the problem too.
inline void draw_state(const host::LossHandle& loss, naive::Problem& problem, std::uint64_t seed) {
  loss.prepare(problem.classes, static_cast<std::int64_t>(problem.x.front().size()));
  for (auto [name, tensor] : loss.state()) {
    Random random(seed, "state " + name);
    const bool vector = tensor.dim() == 1;
    const auto rows = static_cast<std::size_t>(vector ? 1 : tensor.size(0));
    problem.state[name] = random_rows(rows, static_cast<std::size_t>(tensor.size(-1)), random);
    const at::Tensor drawn = tensor_of(problem.state[name]);
    tensor.set_data(vector ? drawn.flatten() : drawn);
  }
}

}  // namespace osteon::test
