// Head, first weights, state and embedding.

#include "training/accuracy.hpp"
#include "training/fixtures.hpp"

#include <torch/torch.h>

namespace osteon::training {
namespace {

using test::Values;

std::shared_ptr<FingerprintNetwork> small_network(const Values& head = {}, std::int64_t seed = 1) {
  const auto backbone = test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}});
  Values values{{"dimensions", std::int64_t{32}}};
  for (const auto& [name, value] : head) values[name] = value;
  return make_network(backbone, test::head_parameters(values), test::training_parameters({{"seed", seed}}), 32, 32);
}

TEST(Head, FallsGeometricallyToTheFingerprint) {
  const auto state = network_state(*small_network({{"dimensions", std::int64_t{8}}, {"pairs", std::int64_t{3}}}));
  EXPECT_EQ(state.at("reductions.0.weight").sizes(), at::IntArrayRef({32, 64}));
  EXPECT_EQ(state.at("reductions.1.weight").sizes(), at::IntArrayRef({16, 32}));
  EXPECT_EQ(state.at("reductions.2.weight").sizes(), at::IntArrayRef({8, 16}));
  EXPECT_FALSE(state.contains("reductions.3.weight"));
}

TEST(Head, EndsOnTheUnitSphere) {
  const auto data = test::made_up_data(3, 4, 32);
  for (const bool inner : {true, false})
    for (const std::int64_t pairs : {1, 2, 3}) {
      const auto network = small_network({{"inner_normalisation", inner}, {"pairs", pairs}});
      const at::Tensor rows = test::embed_all(*network, data.pixels, test::training_parameters({}));
      EXPECT_EQ(rows.sizes(), at::IntArrayRef({12, 32}));
      EXPECT_EQ(rows.scalar_type(), at::kFloat);
      EXPECT_LT((rows.norm(2, {1}) - 1).abs().max().item<double>(), 1e-6);
    }
}

TEST(Head, InnerNormalisationAndPairsChangeTheFingerprint) {
  const auto data = test::made_up_data(2, 2, 32);
  const auto rows = [&](const Values& head) {
    return test::embed_all(*small_network(head), data.pixels,
                           test::training_parameters({{"precision", std::string("fp32")}}));
  };
  // A bias of zero lets inner scales cancel: give it one.
  auto with = small_network(), without = small_network({{"inner_normalisation", false}});
  for (auto* network : {&with, &without})
    for (auto& parameter : (*network)->named_parameters())
      if (parameter.key() == "reductions.1.bias") parameter.value().data().fill_(0.1);
  const Parameters fp32 = test::training_parameters({{"precision", std::string("fp32")}});
  EXPECT_FALSE(at::allclose(test::embed_all(*with, data.pixels, fp32), test::embed_all(*without, data.pixels, fp32)));
  EXPECT_FALSE(at::allclose(rows({}), rows({{"pairs", std::int64_t{2}}})));
}

TEST(Head, WithoutPairsLeavesTheFeaturesAsTheyAre) {
  const auto network = small_network({{"pairs", std::int64_t{0}}});
  EXPECT_EQ(network->embedding_size(), 64);
  EXPECT_FALSE(network->is_normalised());
  const auto data = test::made_up_data(2, 2, 32);
  const Parameters fp32 = test::training_parameters({{"precision", std::string("fp32")}});
  const at::Tensor rows = test::embed_all(*network, data.pixels, fp32);
  const at::NoGradGuard no_graph;
  network->eval();
  const at::Tensor images = data.pixels.gather(every_row(data.pixels)).unsqueeze(1).to(at::kFloat).div(255);
  EXPECT_TRUE(at::allclose(rows, network->backbone().forward(images), 1e-5, 1e-6));
}

TEST(Head, RefusesMoreDimensionsThanFeatures) {
  EXPECT_EQ(test::message_of([] {
              (void)small_network({{"dimensions", std::int64_t{128}}});
            }),
            "head.dimensions = 128 is more than the 64 features of the backbone; lower it, or widen the backbone");
}

TEST(FirstWeights, FollowTheirLaws) {
  const auto backbone = test::make<host::BackboneHandle>("backbone", "resnet");
  const auto state =
      network_state(*make_network(backbone, test::head_parameters(), test::training_parameters({}), 64, 64));
  const at::Tensor convolution = state.at("backbone.layer4.1.conv2.weight");  // 512 outputs × 9
  EXPECT_NEAR(convolution.std().item<double>(), std::sqrt(2.0 / (512 * 9)), 4e-5);
  EXPECT_NEAR(convolution.mean().item<double>(), 0, 1e-4);
  EXPECT_NEAR(state.at("reductions.0.weight").std().item<double>(), std::sqrt(1.0 / 512), 2e-4);
  EXPECT_TRUE(at::equal(state.at("backbone.bn1.weight"), at::ones({64})));
  EXPECT_TRUE(at::equal(state.at("backbone.bn1.bias"), at::zeros({64})));
  EXPECT_TRUE(at::equal(state.at("reductions.0.bias"), at::zeros_like(state.at("reductions.0.bias"))));
}

TEST(FirstWeights, DependOnSeedAndNameOnly) {
  const auto first = network_state(*small_network()), again = network_state(*small_network());
  const auto other = network_state(*small_network({}, 2));
  const auto deeper = network_state(*make_network(
      test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}, {"depth", std::int64_t{34}}}),
      test::head_parameters({{"dimensions", std::int64_t{32}}}),
      test::training_parameters({{"threads", std::int64_t{1}}}), 64, 32));
  for (const auto& [name, tensor] : first) {
    EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
    EXPECT_TRUE(tensor.is_contiguous()) << name;
    if (tensor.dim() > 1) {
      EXPECT_FALSE(at::equal(tensor, other.at(name))) << name;
      EXPECT_TRUE(at::equal(tensor, deeper.at(name))) << name;
    }
  }
  EXPECT_FALSE(at::equal(first.at("backbone.layer1.0.conv1.weight"), first.at("backbone.layer1.0.conv2.weight")));
}

TEST(NetworkState, ComesBackBitForBit) {
  const auto data = test::made_up_data(2, 3, 32);
  const auto source = small_network({}, 1), target = small_network({}, 2);
  for (auto& buffer : source->named_buffers())
    if (buffer.key().ends_with("running_mean")) buffer.value().fill_(0.1);
  load_network_state(*target, network_state(*source));
  const Parameters training = test::training_parameters({});
  EXPECT_TRUE(
      at::equal(test::embed_all(*source, data.pixels, training), test::embed_all(*target, data.pixels, training)));
  const auto state = network_state(*target);
  EXPECT_EQ(state.at("backbone.bn1.num_batches_tracked").scalar_type(), at::kLong);
  EXPECT_EQ(state.at("backbone.conv1.weight").scalar_type(), at::kFloat);
}

TEST(NetworkState, RefusesThatOfAnotherNetwork) {
  const auto network = small_network();
  auto state = network_state(*network);
  const auto message = [&] { return test::message_of([&] { load_network_state(*network, state); }); };
  state["backbone.conv1.weight"] = at::zeros({8, 3, 7, 7});
  EXPECT_EQ(
      message(),
      "weights: \"backbone.conv1.weight\" is 8 × 3 × 7 × 7 and the network's is 8 × 1 × 7 × 7; they belong to another "
      "network");
  state.erase("backbone.conv1.weight");
  EXPECT_EQ(message(), "weights: \"backbone.conv1.weight\" is missing; they belong to another network");
  state["fc.weight"] = at::zeros({2, 2});
  EXPECT_EQ(message(), "weights: the network has no \"fc.weight\"; they belong to another one");
}

TEST(Embed, DoesNotDependOnWhatElseIsEmbedded) {
  const auto data = test::made_up_data(10, 15, 32);  // 150 images: three chunks
  const auto network = small_network();
  for (const std::string precision : {"fp32", "bf16"}) {
    const Parameters training = test::training_parameters({{"precision", precision}});
    std::vector<std::int64_t> done;
    const at::Tensor together = embed(*network, data.pixels, every_row(data.pixels), training,
                                      [&](std::int64_t now, std::int64_t) { done.push_back(now); });
    EXPECT_EQ(done, (std::vector<std::int64_t>{64, 128, 150}));
    const std::vector<std::int64_t> some = {100, 101, 102, 103, 104, 105, 106};
    const at::Tensor alone = embed(*network, data.pixels, some, training, {});
    EXPECT_TRUE(at::allclose(together.slice(0, 100, 107), alone, 0, precision == "fp32" ? 1e-5 : 1e-2));
  }
}

TEST(Embed, LeavesTheNetworkAndThreadCountAsTheyWere) {
  const auto data = test::made_up_data(2, 2, 32);
  const auto network = small_network();
  network->train();
  const int threads = at::get_num_threads();
  const auto before = network_state(*network);
  (void)test::embed_all(*network, data.pixels, test::training_parameters({{"threads", std::int64_t{2}}}));
  EXPECT_TRUE(network->is_training());
  EXPECT_EQ(at::get_num_threads(), threads);
  for (const auto& [name, tensor] : network_state(*network)) EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  EXPECT_EQ(embed(*network, data.pixels, {}, test::training_parameters({}), {}).size(0), 0);
}

TEST(TripletAccuracy, MatchesALoop) {
  Random random(1, "embeddings");
  at::Tensor rows = at::empty({300, 3}, at::kFloat), labels = at::empty({300}, at::kLong);
  for (std::int64_t i = 0; i < 900; ++i) rows.data_ptr<float>()[i] = static_cast<float>(random.normal());
  for (std::int64_t i = 0; i < 300; ++i)
    labels.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(7));
  const at::Tensor exact = rows.to(at::kDouble);
  const at::Tensor distances = (exact.unsqueeze(0) - exact.unsqueeze(1)).square().sum(2);
  const auto d = distances.accessor<double, 2>();
  const auto* label = labels.data_ptr<std::int64_t>();
  for (const double margin : {0.0, 0.5}) {
    double right = 0, all = 0;
    for (std::int64_t a = 0; a < 300; ++a)
      for (std::int64_t p = 0; p < 300; ++p)
        for (std::int64_t n = 0; n < 300; ++n)
          if (a != p && label[a] == label[p] && label[a] != label[n]) {
            ++all;
            right += d[a][p] + margin < d[a][n] ? 1 : 0;
          }
    EXPECT_NEAR(triplet_accuracy(rows, labels, margin).value(), right / all, 1e-5);
  }
  EXPECT_FALSE(triplet_accuracy(rows, at::zeros({300}, at::kLong), 0).has_value());
}

}  // namespace
}  // namespace osteon::training
