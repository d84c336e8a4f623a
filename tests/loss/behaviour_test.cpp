// What holds for every loss whatever its formula: order, state, class scores, parameters that matter, and batches that
// have little or nothing in them.

#include "loss/cases.hpp"

#include <torch/torch.h>

namespace osteon::test {
namespace {

class EveryLoss : public testing::TestWithParam<LossCase> {
 protected:
  /// Value and gradient with the loss's default parameters and a drawn state.
  struct Outcome {
    double value = 0;
    at::Tensor gradient;
    std::map<std::string, double> statistics;
  };
  static Outcome outcome_of(const host::LossHandle& loss, const naive::Problem& problem,
                            at::ScalarType type = at::kDouble) {
    const at::Tensor embeddings = tensor_of(problem.x).to(type).set_requires_grad(true);
    const LossValue loss_value = loss.compute(embeddings, labels_of(problem.labels), tuples_of(problem));
    loss_value.value.backward();
    return {loss_value.value.item<double>(), embeddings.grad(), loss_value.statistics};
  }
  static Outcome outcome_of(const std::string& plugin, const Values& values, naive::Problem problem,
                            at::ScalarType type = at::kDouble) {
    const host::LossHandle loss = make_loss(plugin, values);
    draw_state(loss, problem, 1);
    return outcome_of(loss, problem, type);
  }
};

TEST_P(EveryLoss, DoesNotDependOnTheOrderOfTheBatch) {
  const naive::Problem problem = random_problem(5, 0.3);
  naive::Problem shuffled = problem;
  const std::vector<std::int64_t> order = Random(5, "order").permutation(problem.rows());
  for (std::size_t i = 0; i < order.size(); ++i) {
    shuffled.x[static_cast<std::size_t>(order[i])] = problem.x[i];
    shuffled.labels[static_cast<std::size_t>(order[i])] = problem.labels[i];
  }
  for (auto& triplet : shuffled.triplets)
    for (int& index : triplet) index = static_cast<int>(order[static_cast<std::size_t>(index)]);
  const Outcome a = outcome_of(GetParam().plugin, {}, problem), b = outcome_of(GetParam().plugin, {}, shuffled);
  EXPECT_NEAR(a.value, b.value, 1e-12 * std::max(1.0, std::abs(a.value)));
}

TEST_P(EveryLoss, IsACountedZeroWithAGraphWhenNothingWasChosen) {
  naive::Problem problem = random_problem(1);
  const host::LossHandle loss = make_loss(GetParam().plugin);
  draw_state(loss, problem, 1);
  const Outcome full = outcome_of(loss, problem);
  EXPECT_GT(full.value, 0);
  problem.triplets.clear();
  const Outcome outcome = outcome_of(loss, problem);
  if (!loss.uses_tuples()) {  // it compares images with classes
    EXPECT_EQ(outcome.value, full.value);
    EXPECT_EQ(full.statistics.count("empty batches"), 0);
    return;
  }
  EXPECT_EQ(full.statistics.at("empty batches"), 0);
  EXPECT_EQ(outcome.value, 0);
  EXPECT_EQ(outcome.gradient.abs().max().item<double>(), 0);
  EXPECT_EQ(outcome.statistics, (std::map<std::string, double>{{"empty batches", 1}}));
}

/// Batches in which something is divided by zero unless care is taken.
std::map<std::string, naive::Problem> hard_problems() {
  std::map<std::string, naive::Problem> problems;
  naive::Problem equal = random_problem(1), zero = equal, copies = equal, opposite = equal;
  for (naive::Row& row : equal.x) row = equal.x[0];
  for (naive::Row& row : zero.x) row.assign(kDimensions, 0);
  copies.x[3] = copies.x[1], copies.x[4] = copies.x[0], copies.x[9] = copies.x[2];
  for (std::size_t k = 0; k < kDimensions; ++k) opposite.x[3][k] = -opposite.x[1][k];
  problems = {{"equal rows", equal}, {"rows of zeros", zero}, {"copies", copies}, {"opposite rows", opposite}};
  problems["one class"] = random_problem(2, 1, {1, 1, 1, 1});
  problems["one positive"] = random_problem(3, 0, {0, 0, 1});
  problems["two images"] = random_problem(4, 1, {0, 1});
  problems["one image"] = random_problem(4, 1, {0});
  return problems;
}

TEST_P(EveryLoss, HasFiniteGradientsInHardBatches) {
  for (const auto& [name, problem] : hard_problems())
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      SCOPED_TRACE(name);
      naive::Problem with_state = problem;
      const host::LossHandle loss = make_loss(GetParam().plugin);
      draw_state(loss, with_state, 1);
      if (name == "equal rows")  // an image in its class's very direction, and one opposite
        for (auto [key, tensor] : loss.state())
          if (tensor.dim() == 2) {
            const at::NoGradGuard no_graph;
            tensor[2].copy_(tensor_of(problem.x)[0]);
            tensor[0].copy_(-tensor_of(problem.x)[0]);
          }
      const Outcome outcome = outcome_of(loss, with_state, type);
      EXPECT_TRUE(std::isfinite(outcome.value));
      EXPECT_GE(outcome.value, 0);
      EXPECT_TRUE(at::isfinite(outcome.gradient).all().item<bool>());
      for (const auto& [key, value] : outcome.statistics) EXPECT_TRUE(std::isfinite(value)) << key;
      for (const auto& [key, tensor] : loss.state()) EXPECT_TRUE(at::isfinite(tensor.grad()).all().item<bool>()) << key;
    }
}

TEST_P(EveryLoss, GivesTheSameValueOnceItsStateIsCopiedBack) {
  naive::Problem problem = random_problem(7);
  const host::LossHandle loss = make_loss(GetParam().plugin), restored = make_loss(GetParam().plugin);
  draw_state(loss, problem, 1);
  EXPECT_EQ(loss.state().empty(), loss.uses_tuples());
  const double value = outcome_of(loss, problem).value;
  restored.prepare(problem.classes, static_cast<std::int64_t>(kDimensions));
  const at::NoGradGuard no_graph;
  std::map<std::string, at::Tensor> saved;
  for (const auto& [name, tensor] : loss.state()) saved[name] = tensor.clone();
  for (auto [name, tensor] : restored.state()) {
    EXPECT_TRUE(tensor.requires_grad());
    EXPECT_EQ(tensor.sizes(), saved.at(name).sizes());
    tensor.copy_(saved.at(name));  // single precision, as a stored model's
  }
  const at::Tensor x = tensor_of(problem.x), labels = labels_of(problem.labels);
  EXPECT_NEAR(restored.compute(x, labels, tuples_of(problem)).value.item<double>(), value,
              1e-5 * std::max(1.0, std::abs(value)));
}

TEST_P(EveryLoss, ScoresHighestTheClassForWhichItIsSmallest) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    naive::Problem problem = random_problem(seed, 1, {0});
    const host::LossHandle loss = make_loss(GetParam().plugin);
    draw_state(loss, problem, seed);
    const at::Tensor x = tensor_of(problem.x).set_requires_grad(true), scores = loss.class_scores(x);
    EXPECT_EQ(scores.defined(), !loss.uses_tuples());
    if (!scores.defined()) return;
    EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{1, kClasses}));
    EXPECT_TRUE(scores.requires_grad());
    naive::Row values;
    for (int label = 0; label < kClasses; ++label)
      values.push_back(loss.compute(x, labels_of({label}), {}).value.item<double>());
    EXPECT_EQ(scores.argmax().item<std::int64_t>(), std::min_element(values.begin(), values.end()) - values.begin());
  }
}

/// Another value than the default, for every parameter of every loss.
const std::map<std::string, Values> kOther = {
    {"arcface", {{"scale", 30.0}, {"margin", 0.2}, {"easy_margin", true}}},
    {"circle", {{"margin", 0.25}, {"gamma", 64.0}, {"constant_weights", false}}},
    {"contrastive", {{"positive_margin", 0.3}, {"negative_margin", 0.7}, {"reduction", std::string("sum")}}},
    {"magnet", {{"alpha", 2.0}, {"clusters", std::int64_t{2}}}},
    {"multi_similarity", {{"alpha", 3.0}, {"beta", 40.0}, {"lambda", 0.5}, {"epsilon", 0.5}}},
    {"ntxent", {{"temperature", 0.5}}},
    {"proxy_anchor", {{"alpha", 16.0}, {"margin", 0.2}}},
    {"softmax", {{"label_smoothing", 0.1}}},
    {"supcon", {{"temperature", 0.5}}},
    {"triplet",
     {{"margin", 0.3},
      {"squared", false},
      {"form", std::string("soft_margin")},
      {"tertiary_distance", std::string("least")},
      {"reduction", std::string("sum")}}}};

TEST_P(EveryLoss, ChangesWithEachOfItsParameters) {
  const naive::Problem problem = random_problem(3);
  const Outcome standard = outcome_of(GetParam().plugin, {}, problem);
  for (const Parameter& parameter : plugin("loss", GetParam().plugin).schema.parameters) {
    SCOPED_TRACE(parameter.name);
    const ParameterValue other = kOther.at(GetParam().plugin).at(parameter.name);
    const Outcome changed = outcome_of(GetParam().plugin, {{parameter.name, other}}, problem);
    // The weights of the circle loss being constant or not is about the gradient alone.
    EXPECT_EQ(changed.value == standard.value, parameter.name == "constant_weights");
    EXPECT_TRUE(changed.value != standard.value || !changed.gradient.equal(standard.gradient));
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryLoss, testing::ValuesIn(one_case_each()),
                         [](const auto& test) { return test.param.plugin; });

/// Two bones in the plane: images 0 and 1 of one, 90° apart; image 2 of the other, opposite to image 0.
naive::Problem right_angles() {
  naive::Problem problem;
  problem.x = {{1, 0}, {0, 1}, {-1, 0}};
  problem.labels = {0, 0, 1};
  problem.classes = 2;
  problem.triplets = {{0, 1, 2}, {1, 0, 2}};
  return problem;
}

TEST(LossStatistics, DescribeThePairs) {
  const naive::Problem problem = right_angles();
  const auto statistics = [&](const std::string& name, const Values& values) {
    return make_loss(name, values)
        .compute(tensor_of(problem.x), labels_of(problem.labels), tuples_of(problem))
        .statistics;
  };
  // Pairs 0 → 1 and 1 → 0 are √2 apart, 0 → 2 is 2 and 1 → 2 is √2; only image 0 has its own bone nearest.
  for (const char* name : {"supcon", "ntxent", "circle", "multi_similarity"}) {
    SCOPED_TRACE(name);
    const auto found = statistics(name, {});
    EXPECT_NEAR(found.at("positive distance"), 2, 1e-12);
    EXPECT_NEAR(found.at("negative distance"), 3, 1e-12);
    EXPECT_EQ(found.at("nearest is positive"), 0.5);
  }
  const auto contrastive = statistics("contrastive", {{"negative_margin", 1.5}});
  EXPECT_NEAR(contrastive.at("positive distance"), std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(contrastive.at("negative distance"), 1 + std::sqrt(0.5), 1e-12);
  EXPECT_EQ(contrastive.at("active pairs"), 0.75);
  // Image 0's negative has the cosine −1, less than 0 − ε: the pairs of image 0 tell nothing.
  EXPECT_EQ(statistics("multi_similarity", {}).at("active pairs"), 0.5);
  const auto triplet = statistics("triplet", {{"squared", true}, {"margin", 0.1}});
  EXPECT_EQ(triplet.at("active triplets"), 0.5);
  EXPECT_NEAR(triplet.at("negative distance"), 3, 1e-12);
}

TEST(LossStatistics, DescribeTheClasses) {
  const naive::Problem problem = right_angles();
  for (const std::string name : {"softmax", "arcface", "proxy_anchor"}) {
    SCOPED_TRACE(name);
    const host::LossHandle loss = make_loss(name);
    loss.prepare(2, 2);
    for (auto [key, tensor] : loss.state())
      tensor.set_data(tensor.dim() == 1 ? at::zeros({2}) : tensor_of(naive::Matrix{{1, 0.5}, {0, 1}}).to(at::kFloat));
    const auto found = loss.compute(tensor_of(problem.x), labels_of(problem.labels), {}).statistics;
    EXPECT_NEAR(found.at("training accuracy"), 2.0 / 3, 1e-12);  // image 1 lies nearer to the other class
    if (name == "softmax") continue;
    EXPECT_NEAR(found.at("positive distance"), 2 - 2 * (2 / std::sqrt(5) + 1 / std::sqrt(5) + 0) / 3, 1e-6);
    EXPECT_NEAR(found.at("negative distance"), 2 - 2 * (0 + 1 - 2 / std::sqrt(5)) / 3, 1e-6);
  }
}

}  // namespace
}  // namespace osteon::test
