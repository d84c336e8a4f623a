// backbone/plugin_name: a small convolutional network. Each stage is a convolution of 3 × 3 pixels and stride 2, batch
// normalisation (Ioffe and Szegedy 2015) and ReLU; the first has `width` channels, each further one twice as many as
// the one before. The features are the last stage's maps, averaged.
//
//     [backbone]
//     plugin = "plugin_name"
//     stages = 4
//     width  = 16

#include <osteon/backbone.hpp>

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

namespace osteon {
namespace {

namespace nn = torch::nn;

class SmallNetwork final : public Network {
 public:
  SmallNetwork(std::int64_t channels, std::int64_t stages, std::int64_t width) {
    std::int64_t in = channels, out = width;
    for (std::int64_t stage = 1; stage <= stages; ++stage) {
      // No bias: batch normalisation takes away what it would add.
      const auto convolution = nn::Conv2dOptions(in, out, 3).stride(2).padding(1).bias(false);
      stages_.push_back(register_module(text("stage", stage),
                                        nn::Sequential(nn::Conv2d(convolution), nn::BatchNorm2d(out), nn::ReLU())));
      in = out;
      out *= 2;
    }
    features_ = in;
  }

  torch::Tensor maps(const torch::Tensor& images) override {
    torch::Tensor maps = images;
    for (nn::Sequential& stage : stages_) maps = stage->forward(maps);
    return maps;
  }

  torch::Tensor pool(const torch::Tensor& maps) override { return maps.mean({2, 3}); }

  [[nodiscard]] std::int64_t features() const override { return features_; }

  [[nodiscard]] std::vector<std::string> layer_groups() const override {
    std::vector<std::string> names;
    for (std::size_t stage = 1; stage <= stages_.size(); ++stage) names.push_back(text("stage", stage));
    return names;
  }

  [[nodiscard]] std::string last_convolution() const override { return layer_groups().back(); }

  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {"fc"}; }

 private:
  std::vector<nn::Sequential> stages_;
  std::int64_t features_ = 0;
};

class PluginName final : public Backbone {
 public:
  static Schema schema() {
    return {
        "A small convolutional network: stages of stride 2 that double their channels.",
        {Parameter::integer("stages", 4, "Convolutions, each of which halves the image.").at_least(1).at_most(8),
         Parameter::integer("width", 16, "Channels of the first stage.").unit("channels").at_least(1).at_most(256)}};
  }

  explicit PluginName(const Parameters& parameters)
      : stages_(parameters.integer("stages")), width_(parameters.integer("width")) {}

  [[nodiscard]] std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height,
                                              std::int64_t width) const override {
    if (const std::int64_t least = std::int64_t{1} << stages_; height < least || width < least)
      throw Error(text("stages: ", stages_, " stages need images of at least ", least, " × ", least, " pixels, not ",
                       height, " × ", width, "; lower it, or raise views.height"));
    return std::make_shared<SmallNetwork>(channels, stages_, width_);
  }

 private:
  std::int64_t stages_, width_;
};

}  // namespace

OSTEON_PLUGIN(backbone, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
