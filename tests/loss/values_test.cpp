// Every loss, with many settings, against its naive loop; its gradient, also that of its trained state, against finite
// differences of that loop.

#include "loss/cases.hpp"

#include <torch/torch.h>

namespace osteon::test {
namespace {

constexpr std::uint64_t kSeeds = 6;

/// Seeds take turns: all triplets, or a random part of them as a miner would choose.
double chance_of(std::uint64_t seed) { return seed % 2 == 0 ? 1 : 0.15; }

class EveryForm : public testing::TestWithParam<LossCase> {};

TEST_P(EveryForm, EqualsANaiveLoop) {
  const LossCase& one = GetParam();
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    naive::Problem problem = random_problem(seed, chance_of(seed));
    const host::LossHandle loss = make_loss(one.plugin, one.values);
    draw_state(loss, problem, seed);
    const double expected = one.naive(problem, one.values);
    const at::Tensor embeddings = tensor_of(problem.x), labels = labels_of(problem.labels);
    const LossValue exact = loss.compute(embeddings, labels, tuples_of(problem));
    EXPECT_EQ(exact.value.scalar_type(), at::kDouble);
    EXPECT_NEAR(exact.value.item<double>(), expected, 1e-10 * std::max(1.0, std::abs(expected)));
    for (const auto& [name, value] : exact.statistics) EXPECT_TRUE(std::isfinite(value)) << name;
    const LossValue single = loss.compute(embeddings.to(at::kFloat), labels, tuples_of(problem));
    EXPECT_EQ(single.value.scalar_type(), at::kFloat);
    EXPECT_NEAR(single.value.item<double>(), expected, 1e-4 * std::max(1.0, std::abs(expected)));
  }
}

/// Central differences of the naive loop in one matrix of the problem.
at::Tensor differences(const LossCase& one, naive::Problem& problem, naive::Matrix& moved) {
  constexpr double kStep = 1e-6;
  naive::Matrix result = moved;
  for (std::size_t i = 0; i < moved.size(); ++i)
    for (std::size_t k = 0; k < moved[i].size(); ++k) {
      const double here = moved[i][k];
      moved[i][k] = here + kStep;
      const double above = one.naive(problem, one.values);
      moved[i][k] = here - kStep;
      result[i][k] = (above - one.naive(problem, one.values)) / (2 * kStep);
      moved[i][k] = here;
    }
  return tensor_of(result);
}

void expect_equal(const at::Tensor& gradient, const at::Tensor& expected) {
  ASSERT_TRUE(gradient.defined());
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LE((gradient.view_as(expected) - expected).abs().max().item<double>(), 1e-6 * scale);
}

TEST_P(EveryForm, GradientEqualsFiniteDifferences) {
  const LossCase& one = GetParam();
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    naive::Problem problem = random_problem(seed, chance_of(seed));
    const host::LossHandle loss = make_loss(one.plugin, one.values);
    draw_state(loss, problem, seed);
    const at::Tensor embeddings = tensor_of(problem.x).set_requires_grad(true);
    loss.compute(embeddings, labels_of(problem.labels), tuples_of(problem)).value.backward();
    const auto constant = one.values.find("constant_weights");
    if (constant != one.values.end() && std::get<bool>(constant->second)) problem.weighed = problem.x;
    expect_equal(embeddings.grad(), differences(one, problem, problem.x));
    for (const auto& [name, tensor] : loss.state()) {
      SCOPED_TRACE(name);
      expect_equal(tensor.grad(), differences(one, problem, problem.state.at(name)));
      EXPECT_GT(tensor.grad().abs().max().item<double>(), 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryForm, testing::ValuesIn(loss_cases()),
                         [](const auto& test) { return name_of(test.param); });

TEST(LossCases, NameEveryLossThatWasBuiltAndAllItsParameters) {
  host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  std::set<std::string> built, tried;
  for (const host::FoundPlugin& plugin : registry.list())
    if (plugin.kind == "loss") built.insert(plugin.name);
  for (const LossCase& one : loss_cases()) {
    tried.insert(one.plugin);
    for (const Parameter& parameter : registry.find("loss", one.plugin).schema.parameters)
      EXPECT_TRUE(one.values.contains(parameter.name)) << one.plugin << "." << parameter.name;
  }
  EXPECT_EQ(tried, built);
}

}  // namespace
}  // namespace osteon::test
