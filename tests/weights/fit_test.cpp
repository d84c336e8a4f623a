// Weights into a backbone: by name, whatever prefix, with one error for all that does not fit.

#include "training/weights_fit.hpp"
#include "weights/support.hpp"

#include <osteon/digest.hpp>

namespace osteon::training {
namespace {

using Tensors = std::map<std::string, at::Tensor>;
using test::Values;

std::shared_ptr<Network> backbone(const Values& values = {{"width", 0.125}}, const std::string& name = "resnet") {
  const auto network = test::make<host::BackboneHandle>("backbone", name, values).make(1, 64, 64);
  network->eval();
  return network;
}

/// Every parameter and buffer drawn anew, so that two networks never agree by chance.
Tensors state_of(Network& network, std::uint64_t seed = 1) {
  Tensors state;
  for (const auto& item : network.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : network.named_buffers()) state[item.key()] = item.value();
  for (auto& [name, tensor] : state) {
    torch::manual_seed(static_cast<std::int64_t>(seed++));
    tensor = tensor.scalar_type() == at::kLong ? at::full_like(tensor, 3) : at::rand_like(tensor) * 0.1 + 0.01;
    tensor = tensor.detach();
  }
  return state;
}

class FitWeights : public testing::Test {
 protected:
  StateDict saved(const Tensors& tensors, const std::string& prefix = "", const std::string& file = "w.pth") const {
    std::vector<WrittenTensor> list;
    for (const auto& [name, tensor] : tensors) list.push_back(written(prefix + name, tensor));
    write_weights(place_.path() / file, list);
    return read_state_dict(place_.path() / file);
  }
  static void expect_holds(Network& network, const Tensors& state) {
    for (const auto& item : network.named_parameters())
      EXPECT_TRUE(at::equal(item.value(), state.at(item.key()))) << item.key();
    for (const auto& item : network.named_buffers())
      EXPECT_TRUE(at::equal(item.value(), state.at(item.key()))) << item.key();
  }

  test::TemporaryFolder place_;
};

TEST_F(FitWeights, CopiesByNameUnderAnyPrefix) {
  for (const std::string prefix : {"", "module.", "backbone.", "model.encoder."}) {
    SCOPED_TRACE(prefix);
    const auto network = backbone();
    const Tensors state = state_of(*network, 5);
    const StateDict weights = saved(state, prefix);
    EXPECT_EQ(fit_weights(*network, weights).prefix, prefix);
    load_backbone_weights(*network, weights);
    expect_holds(*network, state);
  }
}

TEST_F(FitWeights, TakesTheBackboneOutOfAWholeNetwork) {
  const auto network = backbone();
  const Tensors state = state_of(*network);
  Tensors whole = {{"reductions.0.weight", numbers({3, 64})}, {"loss.weight", numbers({2, 3})}};
  for (const auto& [name, tensor] : state) whole["backbone." + name] = tensor;
  const StateDict weights = saved(whole);
  EXPECT_EQ(fit_weights(*network, weights).outside, (std::vector<std::string>{"loss.weight", "reductions.0.weight"}));
  load_backbone_weights(*network, weights);
  expect_holds(*network, state);
}

TEST_F(FitWeights, LeavesOutTheClassLayerAndCounts) {
  const auto network = backbone();
  Tensors state = state_of(*network);
  Tensors published = state;
  published["fc.weight"] = numbers({10, 64});
  published["fc.bias"] = numbers({10});
  for (auto tensor = published.begin(); tensor != published.end();)
    tensor = tensor->first.ends_with("num_batches_tracked") ? published.erase(tensor) : std::next(tensor);
  const StateDict weights = saved(published);
  EXPECT_EQ(fit_weights(*network, weights).left_out, (std::vector<std::string>{"fc.bias", "fc.weight"}));
  load_backbone_weights(*network, weights);
  EXPECT_TRUE(at::equal(network->named_parameters()["conv1.weight"], state.at("conv1.weight")));
}

TEST_F(FitWeights, TurnsHalfPrecisionIntoSingle) {
  const auto network = backbone();
  Tensors state = state_of(*network);
  for (auto& [name, tensor] : state)
    if (tensor.scalar_type() == at::kFloat) tensor = tensor.to(at::kHalf);
  load_backbone_weights(*network, saved(state));
  const at::Tensor weight = network->named_parameters()["conv1.weight"];
  EXPECT_EQ(weight.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(weight, state.at("conv1.weight").to(at::kFloat)));
}

TEST_F(FitWeights, AdvisesThreeChannelsForWeightsOfColourImages) {
  Tensors state = state_of(*backbone({{"width", 0.125}, {"channels", std::int64_t{3}}}));
  const auto network = backbone();
  EXPECT_EQ(message_of([&] { load_backbone_weights(*network, saved(state)); }),
            "w.pth: does not fit the backbone:\n"
            "  of another shape (1): conv1.weight is 8 × 3 × 7 × 7 and the backbone's is 8 × 1 × 7 × 7\n"
            "  the file's network takes images of 3 channels: set backbone.channels = 3");
}

TEST_F(FitWeights, AdvisesAnotherWidth) {
  const auto network = backbone({{"width", 0.25}});
  const std::string message = message_of([&] {
    load_backbone_weights(*network, saved(state_of(*backbone({{"width", 0.5}}))));
  });
  EXPECT_NE(message.find("conv1.weight is 32 × 1 × 7 × 7 and the backbone's is 16 × 1 × 7 × 7"), std::string::npos);
  EXPECT_NE(message.find("\n  of another shape (100): "), std::string::npos) << message;
  EXPECT_NE(message.find(" and 90 more\n"), std::string::npos);
  EXPECT_TRUE(
      message.ends_with("\n  the file's layers are 2 times as wide as the backbone's: multiply backbone.width "
                        "by 2 (published weights need width = 1)"))
      << message;
}

TEST_F(FitWeights, ListsAllThatIsMissingAndUnexpectedInOneError) {
  const auto network = backbone();
  Tensors state = state_of(*network);
  state.erase("layer1.0.bn1.running_var");
  state["layer5.weight"] = state["extra.bias"] = numbers({2});
  state["bn1.weight"] = numbers({9});
  state["conv1.weight"] = numbers({8, 1, 7, 7}, at::kChar);
  EXPECT_EQ(message_of([&] { load_backbone_weights(*network, saved(state)); }),
            "w.pth: does not fit the backbone:\n"
            "  missing (1): layer1.0.bn1.running_var\n"
            "  unexpected (2): extra.bias, layer5.weight\n"
            "  of another shape (2): conv1.weight is int8 and the backbone's is float32, bn1.weight is 9 and the "
            "backbone's is 8\n"
            "  it belongs to a network of another kind or depth: see backbone.plugin and the parameters that osteon "
            "describe lists");
}

TEST_F(FitWeights, SaysThatAFileIsOfAnotherKindOfNetwork) {
  const auto network = backbone();
  const StateDict weights = saved(state_of(*backbone({{"width", 0.125}, {"depth", std::int64_t{11}}}, "vgg")));
  const std::string message = message_of([&] { load_backbone_weights(*network, weights); });
  EXPECT_NE(message.find("\n  missing (100): conv1.weight, bn1.weight, "), std::string::npos) << message;
  EXPECT_NE(message.find("\n  unexpected (20): classifier.0.bias, "), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with(
      "\n  none of its names is the backbone's: it belongs to a network of another kind (backbone.plugin)"))
      << message;
}

TEST_F(FitWeights, RefusesNumbersThatAreNone) {
  const auto network = backbone();
  Tensors state = state_of(*network);
  state["bn1.weight"] = state["bn1.weight"].clone();
  state["bn1.weight"][2] = NAN;
  state["layer1.0.bn1.bias"] = at::full({8}, 1e300, at::kDouble);
  EXPECT_EQ(message_of([&] { load_backbone_weights(*network, saved(state)); }),
            "w.pth: holds numbers that are infinite or no numbers:\n  in (2): bn1.weight, layer1.0.bn1.bias");
}

TEST_F(FitWeights, FollowTheSectionOfTheExperiment) {
  const auto network = backbone();
  const Tensors state = state_of(*network);
  saved(state);
  const Parameters none(weights_schema(), {});
  EXPECT_TRUE(weights_parts(none).empty());
  load_backbone_weights(*network, none);
  const fs::path file = place_.path() / "w.pth";
  const Parameters given(weights_schema(), {{"path", file.string()}});
  EXPECT_EQ(weights_parts(given),
            (std::map<std::string, std::string>{{"weights.content", sha256_of_file(file)}, {"weights.key", ""}}));
  load_backbone_weights(*network, given);
  expect_holds(*network, state);
  const Parameters keyed(weights_schema(), {{"path", file.string()}, {"key", std::string("model")}});
  EXPECT_EQ(keyed.unread().size(), 2U);
  EXPECT_EQ(message_of([&] { load_backbone_weights(*network, keyed); }),
            "w.pth: no key \"model\": its tensors stand in no dictionary of their own; leave key out");
  EXPECT_TRUE(keyed.unread().empty());
}

}  // namespace
}  // namespace osteon::training
