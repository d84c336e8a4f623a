// Backbones: torchvision's names and shapes (lists typed from its published models), features, sizes and errors.

#include "training/fixtures.hpp"

#include <torch/torch.h>

namespace osteon {
namespace {

using test::Values;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

std::shared_ptr<Network> make(const std::string& name, const Values& values, std::int64_t size = 64) {
  return test::make<host::BackboneHandle>("backbone", name, values).make(1, size, size);
}

Shapes shapes(const Network& network) {
  Shapes result;
  for (const auto& parameter : network.named_parameters()) result[parameter.key()] = parameter.value().sizes().vec();
  return result;
}

std::int64_t count(const Network& network) {
  std::int64_t sum = 0;
  for (const at::Tensor& parameter : network.parameters()) sum += parameter.numel();
  return sum;
}

void add_norm(Shapes& list, const std::string& name, std::int64_t channels) {
  list[name + ".weight"] = list[name + ".bias"] = {channels};
}

TEST(ResNet, Has18LayersWithTorchvisionsNamesAndShapes) {
  Shapes expected;
  expected["conv1.weight"] = {64, 3, 7, 7};
  add_norm(expected, "bn1", 64);
  std::int64_t in = 64;
  for (const std::int64_t stage : {1, 2, 3, 4}) {
    const std::int64_t out = 32 << stage;
    for (const std::int64_t block : {0, 1}) {
      const std::string name = text("layer", stage, ".", block, ".");
      expected[name + "conv1.weight"] = {out, block == 0 ? in : out, 3, 3};
      expected[name + "conv2.weight"] = {out, out, 3, 3};
      add_norm(expected, name + "bn1", out);
      add_norm(expected, name + "bn2", out);
      if (stage > 1 && block == 0) {
        expected[name + "downsample.0.weight"] = {out, in, 1, 1};
        add_norm(expected, name + "downsample.1", out);
      }
    }
    in = out;
  }
  const auto network = make("resnet", {{"channels", std::int64_t{3}}});
  EXPECT_EQ(shapes(*network), expected);
  EXPECT_EQ(expected.size(), 60U);
  EXPECT_EQ(network->buffers().size(), 60U);  // mean, variance, count of 20 normalisations
  EXPECT_EQ(network->named_buffers()["layer2.0.downsample.1.running_var"].sizes(), at::IntArrayRef({128}));
}

TEST(ResNet, HasTorchvisionsNumberOfWeights) {
  const auto weights = [](std::int64_t depth) {
    return count(*make("resnet", {{"depth", depth}, {"channels", std::int64_t{3}}}));
  };
  EXPECT_EQ(weights(18), 11176512);
  EXPECT_EQ(weights(34), 21284672);
  EXPECT_EQ(weights(50), 23508032);
}

TEST(ResNet, Has50LayersWithTheStrideInTheirMiddle) {
  const auto network = make("resnet", {{"depth", std::int64_t{50}}, {"width", 0.125}});
  const Shapes found = shapes(*network);
  EXPECT_EQ(found.at("layer3.5.conv3.weight"), (std::vector<std::int64_t>{128, 32, 1, 1}));
  EXPECT_EQ(found.at("layer1.0.downsample.0.weight"), (std::vector<std::int64_t>{32, 8, 1, 1}));
  EXPECT_EQ(found.size(), 159U);
  const auto modules = network->named_modules();
  EXPECT_EQ(modules["layer2.0.conv1"]->as<torch::nn::Conv2d>()->options.stride()->at(0), 1);
  EXPECT_EQ(modules["layer2.0.conv2"]->as<torch::nn::Conv2d>()->options.stride()->at(0), 2);
}

TEST(Vgg, Has11LayersWithTorchvisionsNamesAndShapes) {
  Shapes expected;
  std::int64_t in = 3;
  for (const auto& [index, out] : std::vector<std::pair<int, std::int64_t>>{
           {0, 64}, {3, 128}, {6, 256}, {8, 256}, {11, 512}, {13, 512}, {16, 512}, {18, 512}}) {
    expected[text("features.", index, ".weight")] = {out, in, 3, 3};
    expected[text("features.", index, ".bias")] = {out};
    in = out;
  }
  const auto network =
      make("vgg", {{"depth", std::int64_t{11}}, {"channels", std::int64_t{3}}, {"features", std::string("pooled")}});
  EXPECT_EQ(shapes(*network), expected);
  EXPECT_EQ(count(*network), 9220480);
  EXPECT_EQ(network->features(), 512);
  EXPECT_EQ(network->last_convolution(), "features.18");
}

TEST(Vgg, Has16LayersUpToItsLastFullyConnectedOne) {
  const auto network = make("vgg", {{"channels", std::int64_t{3}}});
  EXPECT_EQ(count(*network), 134260544);
  EXPECT_EQ(network->features(), 4096);
  const Shapes found = shapes(*network);
  EXPECT_EQ(found.at("classifier.0.weight"), (std::vector<std::int64_t>{4096, 25088}));
  EXPECT_EQ(found.at("classifier.3.weight"), (std::vector<std::int64_t>{4096, 4096}));
  EXPECT_EQ(found.at("features.28.weight"), (std::vector<std::int64_t>{512, 512, 3, 3}));
  EXPECT_EQ(found.size(), 30U);
}

TEST(Vgg, WithBatchNormKeepsTorchvisionsIndices) {
  const Shapes found =
      shapes(*make("vgg", {{"batch_norm", true}, {"width", 0.125}, {"features", std::string("pooled")}}));
  for (const int index : {0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40}) {
    EXPECT_TRUE(found.contains(text("features.", index, ".weight"))) << index;
    EXPECT_EQ(found.at(text("features.", index + 1, ".weight")).size(), 1U) << index;
  }
  EXPECT_EQ(found.size(), 52U);
}

struct Case {
  const char* name;
  Values values;
};

std::vector<Case> small_networks() {
  const auto integer = [](std::int64_t value) { return ParameterValue(value); };
  return {{"resnet", {{"width", 0.125}}},
          {"resnet", {{"width", 0.125}, {"depth", integer(34)}}},
          {"resnet", {{"width", 0.125}, {"depth", integer(50)}, {"channels", integer(3)}}},
          {"vgg", {{"width", 0.125}, {"depth", integer(11)}}},
          {"vgg", {{"width", 0.125}, {"features", std::string("pooled")}, {"batch_norm", true}}},
          {"vgg", {{"width", 0.125}, {"depth", integer(11)}, {"channels", integer(3)}}}};
}

TEST(Backbones, MakeTheFeaturesThatTheyPromiseFromImagesOfAnyShape) {
  for (const Case& each : small_networks()) {
    const auto backbone = test::make<host::BackboneHandle>("backbone", each.name, each.values);
    for (const auto& [height, width] : {std::pair<std::int64_t, std::int64_t>{32, 32}, {48, 80}}) {
      const auto network = backbone.make(1, height, width);
      network->eval();
      const at::Tensor images = at::linspace(0, 1, 2 * height * width).view({2, 1, height, width});
      EXPECT_EQ(network->forward(images).sizes(), at::IntArrayRef({2, network->features()}));
    }
  }
}

TEST(Backbones, NameLayerGroupsAndLastConvolutionThatExist) {
  for (const Case& each : small_networks()) {
    const auto network = make(each.name, each.values);
    const auto modules = network->named_modules("", false);
    EXPECT_TRUE(modules.contains(network->last_convolution())) << network->last_convolution();
    std::size_t covered = 0;
    for (const std::string& group : network->layer_groups()) {
      EXPECT_TRUE(modules.contains(group)) << group;
      for (const auto& parameter : network->named_parameters())
        covered += parameter.key().starts_with(group + ".") ? 1 : 0;
    }
    EXPECT_EQ(covered, network->parameters().size()) << each.name;
  }
}

TEST(Backbones, PassGradientsToEveryWeight) {
  for (const Case& each : small_networks()) {
    const auto network = make(each.name, each.values);
    const at::Tensor images = at::linspace(0, 1, 4 * 64 * 64).view({4, 1, 64, 64}).sin().abs();
    network->forward(images).square().sum().backward();
    for (const auto& parameter : network->named_parameters())
      EXPECT_TRUE(parameter.value().grad().defined()) << each.name << " " << parameter.key();
  }
}

TEST(Backbones, RepeatTheGreyImageForAStemOfThreeChannels) {
  const auto network = make("resnet", {{"width", 0.125}, {"channels", std::int64_t{3}}});
  network->eval();
  const at::Tensor grey = at::linspace(0, 1, 64 * 64).view({1, 1, 64, 64});
  EXPECT_TRUE(at::allclose(network->forward(grey), network->forward(grey.expand({1, 3, 64, 64}))));
}

TEST(Backbones, RefuseImagesThatAreTooSmallOrHaveOtherChannels) {
  const auto resnet = test::make<host::BackboneHandle>("backbone", "resnet");
  EXPECT_EQ(test::message_of([&] { (void)resnet.make(1, 24, 64); }),
            "backbone/resnet: images of 64 × 24 pixels are too small for ResNet-18, which needs at least 32 × 32; make "
            "larger images");
  EXPECT_EQ(
      test::message_of([&] { (void)resnet.make(3, 64, 64); }),
      "backbone/resnet: the images have 3 channels; ResNet-18 takes 1 or as many as its parameter channels = 1 says");
  const auto vgg = test::make<host::BackboneHandle>("backbone", "vgg", {{"depth", std::int64_t{11}}});
  EXPECT_EQ(
      test::message_of([&] { (void)vgg.make(1, 31, 31); }),
      "backbone/vgg: images of 31 × 31 pixels are too small for VGG-11, which needs at least 32 × 32; make larger "
      "images");
}

TEST(Backbones, ReadEveryParameterTheyDeclare) {
  for (const Case& each : small_networks())
    EXPECT_EQ(test::make<host::BackboneHandle>("backbone", each.name, each.values).parameters().unread(),
              std::vector<std::string>{});
}

}  // namespace
}  // namespace osteon
