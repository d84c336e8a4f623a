// The two losses with the most conventions of their own against numbers made in Python after the source of
// pytorch-metric-learning (scripts/loss_references prints them), and those that LibTorch knows itself.

#include "loss/cases.hpp"

#include <torch/torch.h>

namespace osteon::test {
namespace {

/// The script's batch: ten images of four bones, five numbers each.
naive::Problem reference_problem() {
  naive::Problem problem = random_problem(1);
  for (std::size_t i = 0; i < problem.x.size(); ++i)
    for (std::size_t k = 0; k < kDimensions; ++k) {
      const auto row = static_cast<double>(i), column = static_cast<double>(k);
      problem.x[i][k] = std::sin(1 + 3.1 * row + 1.7 * column + 0.9 * row * column);
    }
  return problem;
}

LossValue reference_value(const std::string& name, const Values& values, at::ScalarType type = at::kDouble) {
  const naive::Problem problem = reference_problem();
  return make_loss(name, values).compute(tensor_of(problem.x).to(type), labels_of(problem.labels), tuples_of(problem));
}

TEST(LossReferences, CircleFollowsThePythonLibrarysConventions) {
  const auto value = [](double margin, double gamma) {
    return reference_value("circle", {{"margin", margin}, {"gamma", gamma}}).value.item<double>();
  };
  EXPECT_NEAR(value(0.4, 80), 210.50933167979, 1e-9);
  EXPECT_NEAR(value(0.25, 64), 179.252539732303, 1e-9);
  EXPECT_NEAR(value(0.25, 2), 7.4730692879625, 1e-12);
  // The publication's setting for faces, with which the script's plain exponentials overflow.
  const Values faces{{"margin", 0.25}, {"gamma", 256.0}};
  EXPECT_TRUE(std::isfinite(reference_value("circle", faces, at::kFloat).value.item<double>()));
}

TEST(LossReferences, MultiSimilarityFollowsThePythonLibrarysConventions) {
  struct Reference {
    double alpha, beta, lambda, epsilon, value, kept;
  };
  for (const Reference& expected :
       {Reference{2, 50, 1, 0.1, 1.78798224794988, 16 + 56}, Reference{2, 50, 0.5, 0.1, 1.32653584493674, 16 + 56},
        Reference{2, 40, 0.5, 0, 1.32707950368124, 16 + 55}, Reference{1, 5, 0.5, 3, 1.90133697820908, 20 + 61}}) {
    const LossValue loss = reference_value("multi_similarity", {{"alpha", expected.alpha},
                                                                {"beta", expected.beta},
                                                                {"lambda", expected.lambda},
                                                                {"epsilon", expected.epsilon}});
    EXPECT_NEAR(loss.value.item<double>(), expected.value, 1e-12);
    EXPECT_NEAR(loss.statistics.at("active pairs"), expected.kept / (20 + 61), 1e-12);
  }
}

TEST(LossReferences, SoftmaxEqualsLibTorchs) {
  for (const double smoothing : {0.0, 0.1, 0.5}) {
    naive::Problem problem = reference_problem();
    const host::LossHandle loss = make_loss("softmax", {{"label_smoothing", smoothing}});
    draw_state(loss, problem, 2);
    const at::Tensor x = tensor_of(problem.x), labels = labels_of(problem.labels);
    const at::Tensor expected = torch::nn::functional::cross_entropy(
        loss.class_scores(x), labels, torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(smoothing));
    EXPECT_NEAR(loss.compute(x, labels, {}).value.item<double>(), expected.item<double>(), 1e-13);
  }
}

TEST(LossReferences, TripletEqualsLibTorchsWithAndWithoutTheTertiaryDistance) {
  const naive::Problem problem = reference_problem();
  const Tuples tuples = tuples_of(problem);
  const at::Tensor x = tensor_of(problem.x);
  for (const bool swap : {false, true}) {
    const at::Tensor expected = torch::nn::functional::triplet_margin_loss(
        x.index_select(0, tuples.anchor), x.index_select(0, tuples.positive), x.index_select(0, tuples.negative),
        torch::nn::functional::TripletMarginLossFuncOptions().margin(0.7).eps(0).swap(swap));
    const LossValue loss = reference_value("triplet", {{"margin", 0.7},
                                                       {"squared", false},
                                                       {"tertiary_distance", std::string(swap ? "least" : "unused")},
                                                       {"reduction", std::string("mean")}});
    EXPECT_NEAR(loss.value.item<double>(), expected.item<double>(), 1e-12);
  }
}

}  // namespace
}  // namespace osteon::test
