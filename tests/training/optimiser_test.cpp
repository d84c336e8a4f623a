// Step sizes over time and by layer, frozen layers, the collapse detector.

#include "training/optimiser.hpp"
#include "training/fixtures.hpp"
#include "training/monitor.hpp"

#include <torch/torch.h>

namespace osteon::training {
namespace {

using test::Values;

Schedule schedule(const std::string& name, double warmup, Values values = {}) {
  values["schedule"] = name;
  values["warmup"] = warmup;
  return {test::training_parameters(values), 10, 100};
}

TEST(Schedule, RisesThenFallsAlongACosine) {
  const Schedule cosine = schedule("cosine", 0.1);
  EXPECT_DOUBLE_EQ(cosine.factor(0), 0.1);
  EXPECT_DOUBLE_EQ(cosine.factor(4), 0.5);
  EXPECT_DOUBLE_EQ(cosine.factor(10), 1);
  EXPECT_NEAR(cosine.factor(55), 0.5, 1e-12);
  EXPECT_LT(cosine.factor(99), 0.001);
  EXPECT_DOUBLE_EQ(schedule("cosine", 0).factor(0), 1);
}

TEST(Schedule, StaysOrFallsInSteps) {
  EXPECT_DOUBLE_EQ(schedule("constant", 0.1).factor(99), 1);
  const Schedule steps = schedule("step", 0, {{"step_epochs", std::int64_t{3}}, {"step_factor", 0.5}});
  EXPECT_DOUBLE_EQ(steps.factor(29), 1);
  EXPECT_DOUBLE_EQ(steps.factor(30), 0.5);
  EXPECT_DOUBLE_EQ(steps.factor(60), 0.25);
}

TEST(Schedule, OneCycleIsThatOfPyTorch) {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=101, pct_start=0.3) peaks at step 30 - 1; ours at 30.
  const Schedule cycle = schedule("one_cycle", 0.3);
  EXPECT_NEAR(cycle.factor(0), 1.0 / 25, 1e-12);
  EXPECT_NEAR(cycle.factor(15), (1 + 1.0 / 25) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(cycle.factor(30), 1);
  EXPECT_NEAR(cycle.factor(65), 0.5, 1e-5);
  EXPECT_NEAR(cycle.factor(99), 1.0 / 250000, 6e-4);
}

std::shared_ptr<FingerprintNetwork> network() {
  return make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                      test::head_parameters({{"dimensions", std::int64_t{32}}}), test::training_parameters({}), 32, 32);
}

LayerRates rates(FingerprintNetwork& of, const Values& values) {
  return {of.backbone(), test::training_parameters(values)};
}

TEST(LayerRates, FallTowardsTheImageOrAreGivenOneByOne) {
  const auto net = network();  // conv1, bn1, layer1 … layer4
  const LayerRates decaying = rates(*net, {{"layer_decay", 0.5}});
  EXPECT_DOUBLE_EQ(decaying.of("reductions.0.weight"), 1);
  EXPECT_DOUBLE_EQ(decaying.of("backbone.layer4.1.bn2.weight"), 0.5);
  EXPECT_DOUBLE_EQ(decaying.of("backbone.conv1.weight"), std::pow(0.5, 6));
  const LayerRates given = rates(*net, {{"layer_rates", std::vector<double>{0, 0, 0.1, 0.2, 0.5, 1}}});
  EXPECT_DOUBLE_EQ(given.of("backbone.layer2.0.conv1.weight"), 0.2);
  EXPECT_TRUE(given.is_frozen("backbone.bn1"));
  EXPECT_FALSE(given.is_frozen("backbone.layer1.0.bn1"));
}

TEST(LayerRates, RefuseGroupsThatAreNotThere) {
  const auto net = network();
  const std::string groups = "conv1, bn1, layer1, layer2, layer3, layer4";
  EXPECT_EQ(
      test::message_of([&] {
        rates(*net, {{"layer_rates", std::vector<double>{1, 2}}});
      }),
      "training.layer_rates has 2 entries and the backbone 6 layer groups: " + groups + "; give one for each, or none");
  EXPECT_EQ(
      test::message_of([&] {
        rates(*net, {{"frozen", std::vector<std::string>{"layer7"}}});
      }),
      "training.frozen: the backbone has no layer group \"layer7\"; expected \"backbone\" (all of it) or some of " +
          groups);
}

TEST(Frozen, LayersAndTheirNormalisationKeepTheirState) {
  const auto net = network();
  const LayerRates frozen = rates(*net, {{"frozen", std::vector<std::string>{"conv1", "bn1"}}});
  begin_training(*net, frozen, false);
  const auto modules = net->named_modules(std::string(), false);
  EXPECT_FALSE(modules["backbone.bn1"]->is_training());
  EXPECT_TRUE(modules["backbone.layer1.0.bn1"]->is_training());
  begin_training(*net, rates(*net, {}), true);
  EXPECT_FALSE(modules["backbone.layer1.0.bn1"]->is_training());
  EXPECT_TRUE(modules["backbone.layer1.0"]->is_training());
}

TEST(Frozen, SaysWhenNothingIsLeftToTrain) {
  const auto net =
      make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                   test::head_parameters({{"pairs", std::int64_t{0}}}), test::training_parameters({}), 32, 32);
  const Parameters training = test::training_parameters({{"frozen", std::vector<std::string>{"backbone"}}});
  EXPECT_EQ(test::message_of([&] {
              Optimiser(*net, {}, LayerRates(net->backbone(), training), training, Schedule(training, 1, 1));
            }),
            "nothing is left to train: training.frozen freezes the whole network and the loss has no weights");
}

TEST(CollapseDetector, NamesSymptomAndRemediesOnceWhileItLasts) {
  CollapseDetector detector(0.1, 0, true);
  EXPECT_EQ(detector.look(1, {0.05, 1.7}), std::nullopt);
  const auto told = detector.look(2, {0.1001, 0.0002});
  ASSERT_TRUE(told.has_value());
  EXPECT_TRUE(told->starts_with(
      "training has collapsed in epoch 2: images of different bones lie only 0.0002 apart (squared; unrelated ones 2): "
      "distances go to 0 and the loss stands at its margin, 0.1; usual remedies: a smaller training.learning_rate"))
      << *told;
  EXPECT_EQ(detector.look(3, {0.1, 0.0001}), std::nullopt);
  EXPECT_EQ(detector.look(4, {0.02, 1.0}), std::nullopt);
  EXPECT_TRUE(detector.look(5, {0.1, 0.0001}).has_value());
}

TEST(CollapseDetector, KnowsABlindGuessAndLossesWithoutAMargin) {
  CollapseDetector classes(-1, 20, false);
  EXPECT_EQ(classes.look(1, {std::log(20.0), std::nullopt}), std::nullopt);  // everyone starts there
  EXPECT_TRUE(
      classes.look(2, {std::log(20.0), std::nullopt})
          ->starts_with("training has collapsed in epoch 2: the loss stands at that of a blind guess, ln 20 = 3"));
  CollapseDetector free(-1, 0, true);
  EXPECT_EQ(free.look(3, {4.2, 0.5}), std::nullopt);
  EXPECT_TRUE(free.look(4, {4.2, 1e-5}).has_value());
}

TEST(CollapseDetector, MeansOverPairsOfDifferentClasses) {
  const at::Tensor distances = at::tensor({0.F, 1.F, 4.F, 1.F, 0.F, 2.F, 4.F, 2.F, 0.F}).view({3, 3});
  EXPECT_DOUBLE_EQ(mean_between(distances, at::tensor({0, 0, 1}, at::kLong)).value(), 3);
  EXPECT_EQ(mean_between(distances, at::tensor({1, 1, 1}, at::kLong)), std::nullopt);
}

}  // namespace
}  // namespace osteon::training
