// backbone/vgg: the networks of 3×3 convolutions of Simonyan and Zisserman ("Very deep convolutional networks for
// large-scale image recognition", ICLR 2015) with 11, 13, 16 or 19 layers; VGG-16 is the base network of the study's
// best figures (Čavojská et al. 2020).
//
// "fully_connected" keeps the network up to its last fully connected layer before the classifier, as the study did:
// 4096 × width features, and most of the weights (VGG-16: 134 million). "pooled" ends with the mean of each of the 512
// × width last maps instead (15 million): for small machines. Parameters bear torchvision's names and shapes
// (features.0, …, classifier.0, classifier.3), so that its weights fit when width = 1 and channels = 3; maps of any
// size are pooled to 7 × 7 in front of the classifier, as there. There is no dropout in training, which torchvision has
// after each fully connected layer: its masks would come from a global random generator. In evaluation the features are
// torchvision's. Images of at least 32 × 32 pixels of any shape.
//
//     [backbone]
//     plugin     = "vgg"
//     depth      = 16
//     batch_norm = true
//     features   = "pooled"
//     width      = 0.5
//
// As the study had it, for weights that were trained on ImageNet, which expect colours:
//
//     [backbone]
//     plugin   = "vgg"
//     depth    = 16
//     channels = 3

#include "convnet/convnet.hpp"

#include <osteon/backbone.hpp>

#include <torch/nn/functional/pooling.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/pooling.h>

#include <array>

namespace osteon {
namespace {

namespace nn = torch::nn;

/// Convolutions between poolings (configurations A, B, D and E of the publication).
std::array<int, 5> convolutions(std::int64_t depth) {
  if (depth == 11) return {1, 1, 2, 2, 2};
  if (depth == 13) return {2, 2, 2, 2, 2};
  if (depth == 16) return {2, 2, 3, 3, 3};
  return {2, 2, 4, 4, 4};
}
constexpr std::array<std::int64_t, 5> kChannels{64, 128, 256, 512, 512};

struct Options {
  std::int64_t depth, stem_channels;
  double width;
  bool batch_norm, fully_connected;
};

class Vgg : public Network {
 public:
  explicit Vgg(const Options& options) : stem_channels_(options.stem_channels) {
    std::int64_t in = options.stem_channels;
    const std::array<int, 5> counts = convolutions(options.depth);
    for (std::size_t stage = 0; stage < counts.size(); ++stage) {
      if (stage > 0) maps_->push_back(nn::MaxPool2d(nn::MaxPool2dOptions(2).stride(2)));
      const std::int64_t out = convnet::scaled(kChannels[stage], options.width);
      for (int convolution = 0; convolution < counts[stage]; ++convolution, in = out)
        add_convolution(in, out, options.batch_norm);
    }
    last_convolution_ = text("features.", maps_->size() - 1);
    register_module("features", maps_);
    features_ = in;
    if (options.fully_connected) add_classifier(in, convnet::scaled(4096, options.width));
  }

  torch::Tensor maps(const torch::Tensor& images) override {
    return maps_->forward(convnet::stem_input(images, stem_channels_, convnet::kOfImageNet));
  }
  torch::Tensor pool(const torch::Tensor& maps) override {
    // torchvision's last pooling, which stands behind the last convolution's maps.
    const torch::Tensor halved = nn::functional::max_pool2d(maps, nn::functional::MaxPool2dFuncOptions(2).stride(2));
    if (!classifier_) return halved.mean({2, 3});
    const torch::Tensor pooled =
        nn::functional::adaptive_avg_pool2d(halved, nn::functional::AdaptiveAvgPool2dFuncOptions(kPooled));
    return classifier_->forward(pooled.flatten(1));
  }

  [[nodiscard]] std::int64_t features() const override { return features_; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override { return groups_; }
  [[nodiscard]] std::string last_convolution() const override { return last_convolution_; }
  [[nodiscard]] std::vector<std::string> left_out_layers() const override {
    return classifier_ ? std::vector<std::string>{"classifier.6"} : std::vector<std::string>{"classifier"};
  }

 private:
  static constexpr std::int64_t kPooled = 7;

  static nn::ReLU relu() { return nn::ReLU(nn::ReLUOptions().inplace(true)); }

  void name_group(const char* sequence, std::size_t index) { groups_.push_back(text(sequence, ".", index)); }

  void add_convolution(std::int64_t in, std::int64_t out, bool batch_norm) {
    name_group("features", maps_->size());
    maps_->push_back(nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1)));
    if (batch_norm) {
      name_group("features", maps_->size());
      maps_->push_back(nn::BatchNorm2d(out));
    }
    maps_->push_back(relu());
  }

  void add_classifier(std::int64_t maps, std::int64_t units) {
    // torchvision's indices: 2 is its dropout.
    classifier_ = nn::Sequential(nn::Linear(maps * kPooled * kPooled, units), relu(), nn::Identity(),
                                 nn::Linear(units, units), relu());
    register_module("classifier", classifier_);
    name_group("classifier", 0);
    name_group("classifier", 3);
    features_ = units;
  }

  std::int64_t stem_channels_;
  std::int64_t features_ = 0;
  std::vector<std::string> groups_;
  std::string last_convolution_;
  nn::Sequential maps_;
  nn::Sequential classifier_{nullptr};
};

class VggBackbone : public Backbone {
 public:
  static Schema schema() {
    return {
        "VGG network (Simonyan and Zisserman 2015) up to its last fully connected layer, with torchvision's names.",
        {Parameter::integer("depth", 16, "Layers with weights, the missing classifier included.")
             .one_of(std::vector<std::int64_t>{11, 13, 16, 19}),
         Parameter::text("features", "fully_connected",
                         "Where the network ends: at its last fully connected layer or at the mean of its last maps.")
             .one_of(std::vector<std::string>{"fully_connected", "pooled"}),
         Parameter::flag("batch_norm", false,
                         "Normalise after each convolution (Ioffe and Szegedy 2015); trains from random weights much "
                         "more easily."),
         convnet::width_parameter(), convnet::channels_parameter()}};
  }

  explicit VggBackbone(const Parameters& parameters)
      : options_{parameters.integer("depth"), parameters.integer("channels"), parameters.real("width"),
                 parameters.flag("batch_norm"), parameters.text("features") == "fully_connected"} {}

  [[nodiscard]] std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height,
                                              std::int64_t width) const override {
    constexpr std::int64_t kLeastSize = 32;  // five halvings leave one pixel
    convnet::check_images(text("VGG-", options_.depth), options_.stem_channels, channels, height, width, kLeastSize);
    return std::make_shared<Vgg>(options_);
  }

 private:
  Options options_;
};

}  // namespace

OSTEON_PLUGIN(backbone, vgg, "0.1.0", VggBackbone)

}  // namespace osteon
