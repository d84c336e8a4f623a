// Inception-ResNet-v2 (Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the impact of residual
// connections on learning", AAAI 2017) as its authors released it, with the names of timm's inception_resnet_v2 and of
// Cadene's pretrained-models.

#include "networks.hpp"
#include "stem.hpp"

#include "convnet/convnet.hpp"

#include <osteon/error.hpp>

#include <torch/nn/modules/container/sequential.h>

namespace osteon::inception {

namespace {

Branches mixed_5b() {
  return {{{{"branch0", 96}}},
          {{{"branch1.0", 48}, {"branch1.1", 64, 5, 5}}},
          {{{"branch2.0", 64}, {"branch2.1", 96, 3, 3}, {"branch2.2", 96, 3, 3}}},
          {{{"branch3.1", 64}}, Pooling::mean_of_inside}};
}

/// Inception-ResNet-A.
Branches block_35() {
  return {{{{"branch0", 32}}},
          {{{"branch1.0", 32}, {"branch1.1", 32, 3, 3}}},
          {{{"branch2.0", 32}, {"branch2.1", 48, 3, 3}, {"branch2.2", 64, 3, 3}}}};
}

Branches mixed_6a() {
  return {{{{"branch0", 384, 3, 3, 2}}},
          {{{"branch1.0", 256}, {"branch1.1", 256, 3, 3}, {"branch1.2", 384, 3, 3, 2}}},
          {{}, Pooling::maximum}};
}

/// Inception-ResNet-B.
Branches block_17() {
  return {{{{"branch0", 192}}}, {{{"branch1.0", 128}, {"branch1.1", 160, 1, 7}, {"branch1.2", 192, 7, 1}}}};
}

Branches mixed_7a() {
  return {{{{"branch0.0", 256}, {"branch0.1", 384, 3, 3, 2}}},
          {{{"branch1.0", 256}, {"branch1.1", 288, 3, 3, 2}}},
          {{{"branch2.0", 256}, {"branch2.1", 288, 3, 3}, {"branch2.2", 320, 3, 3, 2}}},
          {{}, Pooling::maximum}};
}

/// Inception-ResNet-C.
Branches block_8() {
  return {{{{"branch0", 192}}}, {{{"branch1.0", 192}, {"branch1.1", 224, 1, 3}, {"branch1.2", 256, 3, 1}}}};
}

class ResNetV2 : public Network {
 public:
  ResNetV2(double width, std::int64_t stem_channels)
      : stem_channels_(stem_channels),
        groups_{"conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a"},
        stem_(*this, {groups_[0], groups_[1], groups_[2], groups_[3], groups_[4]}, stem_channels, width),
        width_(width) {
    std::int64_t channels = add(Mixed(stem_.channels(), mixed_5b(), width), "mixed_5b");
    add_blocks(channels, block_35(), 10, 0.17, "repeat");
    channels = add(Mixed(channels, mixed_6a(), width), "mixed_6a");
    add_blocks(channels, block_17(), 20, 0.1, "repeat_1");
    channels = add(Mixed(channels, mixed_7a(), width), "mixed_7a");
    add_blocks(channels, block_8(), 9, 0.2, "repeat_2");
    blocks_->push_back(register_module("block8", Residual(channels, block_8(), 1.0, width, true)));
    groups_.emplace_back("block8");
    features_ = add(UnitModule(channels, Unit{"conv2d_7b", 1536}, width), "conv2d_7b");
  }

  torch::Tensor maps(const torch::Tensor& images) override {
    return blocks_->forward(stem_.forward(convnet::stem_input(images, stem_channels_, convnet::kToMinusOneAndOne)));
  }
  torch::Tensor pool(const torch::Tensor& maps) override { return maps.mean({2, 3}); }

  [[nodiscard]] std::int64_t features() const override { return features_; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override { return groups_; }
  [[nodiscard]] std::string last_convolution() const override { return groups_.back(); }
  /// timm's name of the class layer, and Cadene's.
  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {"classif", "last_linear"}; }

 private:
  template <class Block>
  std::int64_t add(Block block, const std::string& name) {
    blocks_->push_back(register_module(name, block));
    groups_.push_back(name);
    return block->channels();
  }

  void add_blocks(std::int64_t channels, const Branches& branches, int count, double scale, const std::string& name) {
    nn::Sequential row;
    for (int block = 0; block < count; ++block) {
      row->push_back(Residual(channels, branches, scale, width_));
      groups_.push_back(text(name, ".", block));
    }
    blocks_->extend(*register_module(name, row));
  }

  std::int64_t stem_channels_;
  std::vector<std::string> groups_;
  Stem stem_;
  double width_;
  nn::Sequential blocks_;  ///< in order; not registered itself, what stands in it is
  std::int64_t features_ = 0;
};

}  // namespace

std::shared_ptr<Network> make_resnet_v2(double width, std::int64_t stem_channels) {
  return std::make_shared<ResNetV2>(width, stem_channels);
}

}  // namespace osteon::inception
