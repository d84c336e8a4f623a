// Backbones answer as torchvision's networks (Inception-ResNet-v2: as timm's) with the same weights. The weights and
// the pictures are drawn by a formula that scripts/backbone_fixtures computes too; it keeps what those networks
// answered in fixtures/.

#include "training/fixtures.hpp"

#include <osteon/parallel.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace osteon {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over a name's FNV-1a hash and a counter.
class Words {
 public:
  explicit Words(const std::string& name) {
    for (const char byte : name) key_ = (key_ ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  }
  std::uint64_t operator[](std::int64_t index) const {
    std::uint64_t word = key_ + (static_cast<std::uint64_t>(index) + 1) * 0x9E3779B97F4A7C15;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    return word ^ (word >> 31);
  }

 private:
  std::uint64_t key_ = 0xCBF29CE484222325;
};

void draw(at::Tensor& tensor, const std::string& name, double low, double high) {
  const Words words(name);
  auto* values = tensor.data_ptr<float>();
  parallel_for(0, tensor.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      values[i] = static_cast<float>(low + (high - low) * (static_cast<double>(words[i] >> 40) / (1 << 24)));
  });
}

std::map<std::string, at::Tensor> state_of(const Network& network) {
  std::map<std::string, at::Tensor> state;
  for (const auto& parameter : network.named_parameters()) state[parameter.key()] = parameter.value().detach();
  for (const auto& buffer : network.named_buffers())
    if (!buffer.key().ends_with("num_batches_tracked")) state[buffer.key()] = buffer.value();
  return state;
}

void fill(const Network& network, const nlohmann::json& gains) {
  for (auto& [name, tensor] : state_of(network)) {
    if (tensor.dim() > 1) {
      const double bound = std::sqrt(6.0 / static_cast<double>(tensor.numel() / tensor.size(0)));
      draw(tensor, name, -bound, bound);
    } else if (name.ends_with("running_var")) {
      draw(tensor, name, 0.5, 1.5);
    } else if (name.ends_with("weight")) {
      double gain = 1;
      for (const auto& [ending, factor] : gains.items())
        if (name.ends_with(ending)) gain *= factor.get<double>();
      draw(tensor, name, 0.4 * gain, 1.4 * gain);
    } else {
      draw(tensor, name, -0.2, 0.2);
    }
  }
}

/// One picture of single pixels and one of 8 × 8 squares, in three colours.
at::Tensor pictures(std::int64_t height, std::int64_t width) {
  at::Tensor grey = at::empty({2, 3, height, width});
  auto* value = grey.data_ptr<float>();
  for (const std::int64_t square : {1, 8}) {
    const Words words(square == 1 ? "picture 0" : "picture 1");
    for (std::int64_t channel = 0; channel < 3; ++channel)
      for (std::int64_t row = 0; row < height; ++row)
        for (std::int64_t column = 0; column < width; ++column)
          *value++ = static_cast<float>(words[(channel * height + row / square) * width + column / square] >> 56);
  }
  return grey / 255;
}

/// Mean, deviation and the chosen values agree to 1e-4, and to 1e-4 of the deviation where that is less.
void expect_the_same(const at::Tensor& found, const nlohmann::json& expected, const std::string& name) {
  ASSERT_EQ(found.sizes().vec(), expected.at("shape").get<std::vector<std::int64_t>>()) << name;
  const at::Tensor values = found.contiguous().flatten().to(at::kDouble);
  const double deviation = expected.at("deviation").get<double>(), tolerance = 1e-4 * std::min(1.0, deviation);
  EXPECT_NEAR(values.mean().item<double>(), expected.at("mean").get<double>(), tolerance) << name;
  EXPECT_NEAR(values.std(false).item<double>(), deviation, tolerance) << name;
  const Words words(name);
  std::int64_t index = 0;
  for (const auto& each : expected.at("values")) {
    const auto at = static_cast<std::int64_t>(words[index++] % static_cast<std::uint64_t>(values.numel()));
    EXPECT_NEAR(values[at].item<double>(), each.get<double>(), tolerance) << name << " " << at;
  }
}

test::Values values_of(const nlohmann::json& parameters) {
  test::Values values;
  for (const auto& [name, value] : parameters.items()) {
    if (value.is_boolean()) values[name] = value.get<bool>();
    if (value.is_number_integer()) values[name] = value.get<std::int64_t>();
    if (value.is_string()) values[name] = value.get<std::string>();
  }
  values["channels"] = std::int64_t{3};
  return values;
}

class Parity : public testing::TestWithParam<const char*> {};

TEST_P(Parity, GivesThePublishedNetworksMapsAndFeatures) {
  std::ifstream file(std::string(OSTEON_SOURCE_DIR "/tests/backbone/fixtures/") + GetParam() + ".json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_FALSE(cases.empty());
  const at::NoGradGuard no_graph;
  for (const auto& each : cases) {
    SCOPED_TRACE(each.at("parameters").dump());
    const auto height = each.at("size").at(0).get<std::int64_t>(), width = each.at("size").at(1).get<std::int64_t>();
    const auto network = test::make<host::BackboneHandle>("backbone", GetParam(), values_of(each.at("parameters")))
                             .make(3, height, width);
    network->eval();
    fill(*network, each.at("gains"));
    EXPECT_EQ(state_of(*network).size(), each.at("entries").get<std::size_t>());
    std::int64_t weights = 0;
    for (const at::Tensor& parameter : network->parameters()) weights += parameter.numel();
    EXPECT_EQ(weights, each.at("weights").get<std::int64_t>());
    const at::Tensor maps = network->maps(pictures(height, width));
    expect_the_same(maps, each.at("maps"), "maps");
    expect_the_same(network->pool(maps), each.at("features"), "features");
  }
}

INSTANTIATE_TEST_SUITE_P(Backbones, Parity, testing::Values("vgg", "resnet", "inception"),
                         [](const auto& backbone) { return std::string(backbone.param); });

}  // namespace
}  // namespace osteon
