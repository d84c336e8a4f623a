// Backbones: torchvision's names and shapes (lists typed from its published models), features, sizes and errors.

#include "training/fixtures.hpp"
#include "training/runtime.hpp"

#include <torch/torch.h>

namespace osteon {
namespace {

using test::Values;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

std::shared_ptr<Network> make(const std::string& name, const Values& values, std::int64_t size = 96) {
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

TEST(RawPixels, AreTheMeansOfBlocks) {
  const auto network =
      test::make<host::BackboneHandle>("backbone", "raw_pixels", {{"rows", std::int64_t{2}}}).make(1, 4, 6);
  EXPECT_TRUE(network->parameters().empty());
  const at::Tensor image = at::arange(24, at::kFloat).view({1, 1, 4, 6});
  // Blocks of 2 × 2 pixels, row after row.
  EXPECT_TRUE(network->forward(image).equal(at::tensor({3.5F, 5.5F, 7.5F, 15.5F, 17.5F, 19.5F}).view({1, 6})));
}

TEST(RawPixels, RefuseMoreRowsThanAnImageHas) {
  EXPECT_EQ(test::message_of([] {
              make("raw_pixels", {{"rows", std::int64_t{97}}});
            }),
            "backbone/raw_pixels: rows: 97 blocks along images of 96 × 96 pixels; lower it, or raise views.height");
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
  EXPECT_EQ(weights(101), 42500160);
  EXPECT_EQ(weights(152), 58143808);
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
  EXPECT_EQ(network->last_convolution(), "features.19");
}

TEST(Vgg, HasTorchvisionsNumberOfWeights) {
  const auto weights = [](std::int64_t depth, bool batch_norm) {
    return count(*make("vgg", {{"depth", depth},
                               {"batch_norm", batch_norm},
                               {"channels", std::int64_t{3}},
                               {"features", std::string("pooled")}}));
  };
  EXPECT_EQ(weights(11, true), 9225984);
  EXPECT_EQ(weights(13, false), 9404992);
  EXPECT_EQ(weights(13, true), 9410880);
  EXPECT_EQ(weights(16, false), 14714688);
  EXPECT_EQ(weights(16, true), 14723136);
  EXPECT_EQ(weights(19, false), 20024384);
  EXPECT_EQ(weights(19, true), 20035392);
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

TEST(Inception, V3HasTorchvisionsNamesAndNumberOfWeights) {
  const auto network = make("inception", {{"channels", std::int64_t{3}}});
  EXPECT_EQ(count(*network), 21785568);
  EXPECT_EQ(network->features(), 2048);
  EXPECT_EQ(network->last_convolution(), "Mixed_7c");
  EXPECT_EQ(network->left_out_layers(), (std::vector<std::string>{"fc", "AuxLogits"}));
  const Shapes found = shapes(*network);
  EXPECT_EQ(found.size(), 282U);  // 94 convolutions, each with its normalisation
  EXPECT_EQ(found.at("Conv2d_4a_3x3.conv.weight"), (std::vector<std::int64_t>{192, 80, 3, 3}));
  EXPECT_EQ(found.at("Mixed_6c.branch7x7dbl_4.conv.weight"), (std::vector<std::int64_t>{160, 160, 7, 1}));
  EXPECT_EQ(found.at("Mixed_7c.branch3x3dbl_3b.bn.bias"), (std::vector<std::int64_t>{384}));
}

TEST(Inception, ResNetV2HasTimmsNamesAndNumberOfWeights) {
  const auto network = make("inception", {{"version", std::string("resnet_v2")}, {"channels", std::int64_t{3}}});
  EXPECT_EQ(count(*network), 54306464);
  EXPECT_EQ(network->features(), 1536);
  EXPECT_EQ(network->last_convolution(), "conv2d_7b");
  EXPECT_EQ(network->left_out_layers(), (std::vector<std::string>{"classif", "last_linear"}));
  const Shapes found = shapes(*network);
  EXPECT_EQ(found.size(), 692U);
  EXPECT_EQ(found.at("mixed_5b.branch3.1.conv.weight"), (std::vector<std::int64_t>{64, 192, 1, 1}));
  EXPECT_EQ(found.at("repeat_1.19.branch1.1.conv.weight"), (std::vector<std::int64_t>{160, 128, 1, 7}));
  EXPECT_EQ(found.at("block8.conv2d.bias"), (std::vector<std::int64_t>{2080}));
}

TEST(Inception, GroupsOneModuleEach) {
  EXPECT_EQ(make("inception", {{"width", 0.125}})->layer_groups(),
            (std::vector<std::string>{"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1",
                                      "Conv2d_4a_3x3", "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b",
                                      "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c"}));
  const auto groups = make("inception", {{"version", std::string("resnet_v2")}, {"width", 0.125}})->layer_groups();
  EXPECT_EQ(groups.size(), 5U + 1 + 10 + 1 + 20 + 1 + 9 + 1 + 1);
  EXPECT_EQ(groups.at(6), "repeat.0");
  EXPECT_EQ(groups.at(17), "repeat_1.0");
  EXPECT_EQ(groups.back(), "conv2d_7b");
}

struct Case {
  const char* name;
  Values values;
  std::int64_t least = 32;  ///< side of the smallest images
};

std::vector<Case> small_networks() {
  const auto integer = [](std::int64_t value) { return ParameterValue(value); };
  return {{"resnet", {{"width", 0.125}}},
          {"resnet", {{"width", 0.125}, {"depth", integer(34)}}},
          {"resnet", {{"width", 0.125}, {"depth", integer(50)}, {"channels", integer(3)}}},
          {"vgg", {{"width", 0.125}, {"depth", integer(11)}}},
          {"vgg", {{"width", 0.125}, {"features", std::string("pooled")}, {"batch_norm", true}}},
          {"vgg", {{"width", 0.125}, {"depth", integer(11)}, {"channels", integer(3)}}},
          {"inception", {{"width", 0.125}}, 75},
          {"inception", {{"width", 0.125}, {"channels", integer(3)}}, 75},
          {"inception", {{"width", 0.125}, {"version", std::string("resnet_v2")}}, 75}};
}

TEST(Backbones, MakeTheFeaturesThatTheyPromiseFromImagesOfAnyShape) {
  for (const Case& each : small_networks()) {
    const auto backbone = test::make<host::BackboneHandle>("backbone", each.name, each.values);
    for (const auto& [height, width] : {std::pair(each.least, each.least), {each.least + 13, each.least + 48}}) {
      const auto network = backbone.make(1, height, width);
      network->eval();
      const at::Tensor images = at::linspace(0, 1, 2 * height * width).view({2, 1, height, width});
      const at::Tensor maps = network->maps(images);
      EXPECT_EQ(network->pool(maps).sizes(), at::IntArrayRef({2, network->features()}));
      EXPECT_GE(maps.min().item<float>(), 0) << each.name << ": maps come after the non-linearity";
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
    const at::Tensor images = at::linspace(0, 1, 4 * 96 * 96).view({4, 1, 96, 96}).sin().abs();
    network->forward(images).square().sum().backward();
    for (const auto& parameter : network->named_parameters())
      EXPECT_TRUE(parameter.value().grad().defined()) << each.name << " " << parameter.key();
  }
}

TEST(Backbones, PassGradientsFromFeaturesToMaps) {
  for (const Case& each : small_networks()) {
    const auto network = make(each.name, each.values);
    network->eval();
    const at::Tensor maps = network->maps(at::linspace(0, 9, 96 * 96).view({1, 1, 96, 96}).sin().abs());
    const auto gradient = torch::autograd::grad({network->pool(maps).sum()}, {maps});
    EXPECT_EQ(gradient[0].sizes(), maps.sizes()) << each.name;
    EXPECT_GT(gradient[0].abs().max().item<float>(), 0) << each.name;
  }
}

TEST(Backbones, LearnInBfloat16) {
  for (const Case& each : small_networks()) {
    const auto network = make(each.name, each.values);
    const at::Tensor images = at::linspace(0, 9, 4 * 96 * 96).view({4, 1, 96, 96}).sin().abs();
    at::Tensor features;
    {
      const training::AutocastScope autocast(at::kCPU, true);
      features = network->forward(images);
    }
    features.to(at::kFloat).square().sum().backward();
    for (const auto& parameter : network->named_parameters()) {
      EXPECT_EQ(parameter.value().grad().scalar_type(), at::kFloat) << each.name << " " << parameter.key();
      EXPECT_TRUE(parameter.value().grad().isfinite().all().item<bool>()) << each.name << " " << parameter.key();
    }
  }
}

TEST(Backbones, RepeatTheGreyImageForAStemOfThreeChannels) {
  const auto network = make("resnet", {{"width", 0.125}, {"channels", std::int64_t{3}}});
  network->eval();
  const at::Tensor grey = at::linspace(0, 1, 64 * 64).view({1, 1, 64, 64});
  EXPECT_TRUE(at::allclose(network->forward(grey), network->forward(grey.expand({1, 3, 64, 64}))));
}

TEST(Backbones, SeeTheSameMapsHoweverTheirWeightsLie) {
  for (const Case& each : small_networks()) {
    const auto network = make(each.name, each.values);
    network->eval();
    const at::Tensor images = at::linspace(0, 9, 2 * 96 * 96).view({2, 1, 96, 96}).sin().abs();
    const at::Tensor rows_first = network->forward(images);
    for (at::Tensor& parameter : network->parameters())
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    const at::Tensor maps = network->maps(images);
    EXPECT_TRUE(maps.is_contiguous(at::MemoryFormat::ChannelsLast)) << each.name;
    const double size = rows_first.abs().max().item<double>();
    EXPECT_LT((network->pool(maps) - rows_first).abs().max().item<double>(), 1e-5 * size) << each.name;
  }
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
  const auto inception =
      test::make<host::BackboneHandle>("backbone", "inception", {{"version", std::string("resnet_v2")}});
  EXPECT_EQ(
      test::message_of([&] { (void)inception.make(1, 75, 74); }),
      "backbone/inception: images of 74 × 75 pixels are too small for Inception-ResNet-v2, which needs at least 75 "
      "× 75; make larger images");
  EXPECT_EQ(
      test::message_of([&] { (void)test::make<host::BackboneHandle>("backbone", "inception").make(2, 75, 75); }),
      "backbone/inception: the images have 2 channels; Inception-v3 takes 1 or as many as its parameter channels = "
      "1 says");
}

TEST(Backbones, ReadEveryParameterTheyDeclare) {
  for (const Case& each : small_networks())
    EXPECT_EQ(test::make<host::BackboneHandle>("backbone", each.name, each.values).parameters().unread(),
              std::vector<std::string>{});
}

}  // namespace
}  // namespace osteon
