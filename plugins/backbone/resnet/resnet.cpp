// backbone/resnet: residual networks (He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016)
// of 18, 34, 50, 101 or 152 layers, up to and with the global average pooling; the study (Čavojská et al. 2020) used
// ResNet-50.
//
// Parameters and buffers bear torchvision's names and shapes (conv1, bn1, layer1.0.conv1, …, layer4.1.bn2; no fc), so
// that its weights fit when width = 1 and channels = 3, and give its features. As there, the networks of 50 layers and
// more stride in the 3×3 convolution ("version 1.5"), not in the 1×1 one before it as published. Features: 512 × width
// (18, 34) or 2048 × width. Images of at least 32 × 32 pixels of any shape.
//
//     [backbone]
//     plugin = "resnet"
//     depth  = 18
//     width  = 0.5
//
// For weights that were trained on ImageNet, which expect colours:
//
//     [backbone]
//     plugin   = "resnet"
//     depth    = 50
//     channels = 3

#include "convnet/convnet.hpp"

#include <osteon/backbone.hpp>

#include <torch/nn/functional/pooling.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <array>

namespace osteon {
namespace {

namespace nn = torch::nn;

nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// What a block adds its result to: its input, or a 1×1 projection where size or channels change.
nn::Sequential projection(nn::Module& block, std::int64_t in, std::int64_t out, std::int64_t stride) {
  if (stride == 1 && in == out) return nullptr;
  return block.register_module("downsample", nn::Sequential(convolution(in, out, 1, stride), nn::BatchNorm2d(out)));
}

class BasicBlockImpl : public nn::Module {
 public:
  BasicBlockImpl(std::int64_t in, std::int64_t channels, std::int64_t stride)
      : conv1_(register_module("conv1", convolution(in, channels, 3, stride))),
        bn1_(register_module("bn1", nn::BatchNorm2d(channels))),
        conv2_(register_module("conv2", convolution(channels, channels, 3, 1))),
        bn2_(register_module("bn2", nn::BatchNorm2d(channels))),
        downsample_(projection(*this, in, channels, stride)) {}

  torch::Tensor forward(const torch::Tensor& input) {
    const torch::Tensor inner = bn1_(conv1_(input)).relu_();
    return bn2_(conv2_(inner)).add_(downsample_ ? downsample_->forward(input) : input).relu_();
  }

 private:
  nn::Conv2d conv1_;
  nn::BatchNorm2d bn1_;
  nn::Conv2d conv2_;
  nn::BatchNorm2d bn2_;
  nn::Sequential downsample_;
};
TORCH_MODULE(BasicBlock);

class BottleneckImpl : public nn::Module {
 public:
  BottleneckImpl(std::int64_t in, std::int64_t channels, std::int64_t stride)
      : conv1_(register_module("conv1", convolution(in, channels, 1, 1))),
        bn1_(register_module("bn1", nn::BatchNorm2d(channels))),
        conv2_(register_module("conv2", convolution(channels, channels, 3, stride))),
        bn2_(register_module("bn2", nn::BatchNorm2d(channels))),
        conv3_(register_module("conv3", convolution(channels, 4 * channels, 1, 1))),
        bn3_(register_module("bn3", nn::BatchNorm2d(4 * channels))),
        downsample_(projection(*this, in, 4 * channels, stride)) {}

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor inner = bn1_(conv1_(input)).relu_();
    inner = bn2_(conv2_(inner)).relu_();
    return bn3_(conv3_(inner)).add_(downsample_ ? downsample_->forward(input) : input).relu_();
  }

 private:
  nn::Conv2d conv1_;
  nn::BatchNorm2d bn1_;
  nn::Conv2d conv2_;
  nn::BatchNorm2d bn2_;
  nn::Conv2d conv3_;
  nn::BatchNorm2d bn3_;
  nn::Sequential downsample_;
};
TORCH_MODULE(Bottleneck);

struct Shape {
  std::array<int, 4> blocks;
  bool bottleneck;
};

/// Table 1 of the publication.
Shape shape_of(std::int64_t depth) {
  if (depth == 18) return {{2, 2, 2, 2}, false};
  if (depth == 34) return {{3, 4, 6, 3}, false};
  if (depth == 50) return {{3, 4, 6, 3}, true};
  if (depth == 101) return {{3, 4, 23, 3}, true};
  return {{3, 8, 36, 3}, true};
}

class ResNet : public Network {
 public:
  ResNet(const Shape& shape, double width, std::int64_t stem_channels) : stem_channels_(stem_channels) {
    std::int64_t in = convnet::scaled(64, width);
    conv1_ =
        register_module("conv1", nn::Conv2d(nn::Conv2dOptions(stem_channels, in, 7).stride(2).padding(3).bias(false)));
    bn1_ = register_module("bn1", nn::BatchNorm2d(in));
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const std::int64_t channels = convnet::scaled(std::int64_t{64} << stage, width);
      nn::Sequential layer;
      for (int block = 0; block < shape.blocks[stage]; ++block) {
        const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
        if (shape.bottleneck) {
          layer->push_back(Bottleneck(in, channels, stride));
        } else {
          layer->push_back(BasicBlock(in, channels, stride));
        }
        in = shape.bottleneck ? 4 * channels : channels;
      }
      layers_[stage] = register_module("layer" + std::to_string(stage + 1), layer);
    }
    features_ = in;
  }

  torch::Tensor maps(const torch::Tensor& images) override {
    torch::Tensor maps = bn1_(conv1_(convnet::stem_input(images, stem_channels_, convnet::kOfImageNet))).relu_();
    maps = nn::functional::max_pool2d(maps, nn::functional::MaxPool2dFuncOptions(3).stride(2).padding(1));
    for (nn::Sequential& layer : layers_) maps = layer->forward(maps);
    return maps;
  }
  torch::Tensor pool(const torch::Tensor& maps) override { return maps.mean({2, 3}); }

  [[nodiscard]] std::int64_t features() const override { return features_; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override {
    return {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"};
  }
  [[nodiscard]] std::string last_convolution() const override { return "layer4"; }
  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {"fc"}; }

 private:
  std::int64_t stem_channels_;
  std::int64_t features_ = 0;
  nn::Conv2d conv1_{nullptr};
  nn::BatchNorm2d bn1_{nullptr};
  std::array<nn::Sequential, 4> layers_{nullptr, nullptr, nullptr, nullptr};
};

class ResNetBackbone : public Backbone {
 public:
  static Schema schema() {
    return {"Residual network (He et al. 2016) up to its global average pooling, with torchvision's names.",
            {Parameter::integer("depth", 18, "Layers with weights.")
                 .one_of(std::vector<std::int64_t>{18, 34, 50, 101, 152}),
             convnet::width_parameter(), convnet::channels_parameter()}};
  }

  explicit ResNetBackbone(const Parameters& parameters)
      : depth_(parameters.integer("depth")),
        width_(parameters.real("width")),
        channels_(parameters.integer("channels")) {}

  [[nodiscard]] std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height,
                                              std::int64_t width) const override {
    constexpr std::int64_t kLeastSize = 32;  // five halvings leave one pixel
    convnet::check_images(text("ResNet-", depth_), channels_, channels, height, width, kLeastSize);
    return std::make_shared<ResNet>(shape_of(depth_), width_, channels_);
  }

 private:
  std::int64_t depth_;
  double width_;
  std::int64_t channels_;
};

}  // namespace

OSTEON_PLUGIN(backbone, resnet, "0.1.0", ResNetBackbone)

}  // namespace osteon
