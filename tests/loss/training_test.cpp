// Every loss trains a small network: made-up bones that it has seen are told apart in images that it has not.

#include "loss/cases.hpp"

namespace osteon::test {
namespace {

class EveryLossTrains : public testing::TestWithParam<LossCase> {};

TEST_P(EveryLossTrains, TellsMadeUpBonesApart) {
  const TemporaryFolder work;
  const training::Data data = made_up_data(6, 20, 32);
  const Parameters settings = training_parameters({{"epochs", std::int64_t{10}},
                                                   {"classes_per_batch", std::int64_t{6}},
                                                   {"images_per_class", std::int64_t{4}},
                                                   {"mining", std::string("batch_all")},
                                                   {"learning_rate", 2e-3},
                                                   {"threads", std::int64_t{1}}});
  const auto network = training::make_network(make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                                              head_parameters({{"dimensions", std::int64_t{32}}}), settings, 32, 32);
  const host::LossHandle loss = make_loss(GetParam().plugin);
  std::vector<double> values, accuracy;
  const Parameters augment(training::augment_schema(), {});
  for (const auto& point : training::train(*network, loss, data, settings, augment, work.path(), {}).curves) {
    if (point.curve == "loss") values.push_back(point.value);
    if (point.curve == "triplet accuracy (validation)") accuracy.push_back(point.value);
  }
  ASSERT_FALSE(accuracy.empty());
  EXPECT_LT(values.back(), values.front());
  EXPECT_GT(accuracy.back(), 0.8);
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryLossTrains, testing::ValuesIn(one_case_each()),
                         [](const auto& test) { return test.param.plugin; });

}  // namespace
}  // namespace osteon::test
