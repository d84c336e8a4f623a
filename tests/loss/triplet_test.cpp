// loss/triplet against a plain loop in double precision, and its gradient against finite differences.

#include "training/fixtures.hpp"
#include "training/miner.hpp"

#include <torch/torch.h>

namespace osteon {
namespace {

using test::Values;

at::Tensor unit_rows(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  at::Tensor result = at::empty({rows, columns}, at::kDouble);
  Random random(seed, "embeddings");
  for (std::int64_t i = 0; i < rows * columns; ++i) result.data_ptr<double>()[i] = random.normal();
  return result / result.norm(2, {1}, true);
}

struct Batch {
  at::Tensor embeddings, labels;
  Tuples triplets;
};

Batch make_batch(std::uint64_t seed) {
  Batch batch{unit_rows(12, 8, seed), at::tensor({0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3}, at::kLong), {}};
  Random random(seed, "mining");
  batch.triplets =
      training::mine(training::Mining::batch_all, training::squared_distances(batch.embeddings),
                     {batch.labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(batch.labels.numel())}, random);
  return batch;
}

struct Expected {
  double value = 0, active = 0;
};

Expected naive(const Batch& batch, double margin, bool squared, const std::string& reduction) {
  const auto x = batch.embeddings.accessor<double, 2>();
  const auto distance = [&](std::int64_t a, std::int64_t b) {
    double sum = 0;
    for (std::int64_t k = 0; k < batch.embeddings.size(1); ++k) sum += (x[a][k] - x[b][k]) * (x[a][k] - x[b][k]);
    return squared ? sum : std::sqrt(sum);
  };
  const std::int64_t count = batch.triplets.anchor.numel();
  Expected expected;
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t a = batch.triplets.anchor[t].item<std::int64_t>();
    const double term = distance(a, batch.triplets.positive[t].item<std::int64_t>()) -
                        distance(a, batch.triplets.negative[t].item<std::int64_t>()) + margin;
    if (term > 0) expected = {expected.value + term, expected.active + 1};
  }
  if (reduction == "mean") expected.value /= static_cast<double>(count);
  if (reduction == "active_mean") expected.value /= std::max(1.0, expected.active);
  expected.active /= static_cast<double>(count);
  return expected;
}

host::LossHandle triplet(double margin, bool squared, const std::string& reduction) {
  return test::make<host::LossHandle>("loss", "triplet",
                                      {{"margin", margin}, {"squared", squared}, {"reduction", reduction}});
}

class TripletForms : public testing::TestWithParam<std::tuple<bool, const char*>> {};

TEST_P(TripletForms, MatchANaiveLoop) {
  const auto [squared, reduction] = GetParam();
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    const Batch batch = make_batch(seed);
    const double margin = 0.05 + 0.1 * static_cast<double>(seed);
    const Expected expected = naive(batch, margin, squared, reduction);
    const host::LossHandle loss = triplet(margin, squared, reduction);
    const LossValue exact = loss.compute(batch.embeddings, batch.labels, batch.triplets);
    EXPECT_NEAR(exact.value.item<double>(), expected.value, 1e-9 * std::max(1.0, expected.value));
    EXPECT_DOUBLE_EQ(exact.statistics.at("active triplets"), expected.active);
    const LossValue single = loss.compute(batch.embeddings.to(at::kFloat), batch.labels, batch.triplets);
    EXPECT_NEAR(single.value.item<double>(), expected.value, 2e-5 * std::max(1.0, expected.value));
  }
}

TEST_P(TripletForms, GradientMatchesFiniteDifferences) {
  const auto [squared, reduction] = GetParam();
  const Batch batch = make_batch(3);
  const host::LossHandle loss = triplet(0.3, squared, reduction);
  const at::Tensor embeddings = batch.embeddings.clone().set_requires_grad(true);
  loss.compute(embeddings, batch.labels, batch.triplets).value.backward();
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < embeddings.numel(); ++i) {
    const auto value_at = [&](double change) {
      at::Tensor moved = batch.embeddings.clone();
      moved.data_ptr<double>()[i] += change;
      return loss.compute(moved, batch.labels, batch.triplets).value.item<double>();
    };
    const double expected = (value_at(kStep) - value_at(-kStep)) / (2 * kStep);
    EXPECT_NEAR(embeddings.grad().data_ptr<double>()[i], expected, 1e-5 * std::max(1.0, std::abs(expected)));
  }
}

INSTANTIATE_TEST_SUITE_P(Triplet, TripletForms,
                         testing::Combine(testing::Bool(), testing::Values("sum", "mean", "active_mean")));

TEST(TripletLoss, IsAZeroWithAGraphWithoutTriplets) {
  const at::Tensor none = at::empty({0}, at::kLong);
  const at::Tensor embeddings = unit_rows(4, 8, 1).to(at::kFloat).set_requires_grad(true);
  const LossValue loss =
      triplet(0.1, true, "active_mean").compute(embeddings, at::zeros({4}, at::kLong), {none, none, none});
  EXPECT_EQ(loss.value.item<double>(), 0);
  loss.value.backward();
  EXPECT_EQ(embeddings.grad().abs().max().item<double>(), 0);
}

TEST(TripletLoss, HasFiniteGradientsWhenAllEmbeddingsAreEqual) {
  const Batch batch = make_batch(1);
  const at::Tensor embeddings = at::full({12, 8}, std::sqrt(1.0 / 8), at::kFloat).set_requires_grad(true);
  const LossValue loss = triplet(0.1, false, "mean").compute(embeddings, batch.labels, batch.triplets);
  EXPECT_NEAR(loss.value.item<double>(), 0.1, 1e-6);
  loss.value.backward();
  EXPECT_TRUE(at::isfinite(embeddings.grad()).all().item<bool>());
}

TEST(TripletLoss, NamesItsMarginAndNoState) {
  const host::LossHandle loss = triplet(0.25, true, "sum");
  EXPECT_EQ(loss.margin(), 0.25);
  EXPECT_TRUE(loss.state().empty());
}

TEST(TripletLoss, RefusesAMarginOutsideItsRange) {
  const auto with_margin = [](double margin) {
    return test::message_of([&] { test::make<host::LossHandle>("loss", "triplet", {{"margin", margin}}); });
  };
  EXPECT_EQ(with_margin(0), "parameter \"margin\": 0 is not above 0");
  EXPECT_EQ(with_margin(5), "parameter \"margin\": 5 is not at most 4");
}

}  // namespace
}  // namespace osteon
