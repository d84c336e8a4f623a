// backbone/inception: Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture
// for computer vision", CVPR 2016) and Inception-ResNet-v2 (Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4,
// Inception-ResNet and the impact of residual connections on learning", AAAI 2017), up to and with the global average
// pooling; the study (Čavojská et al. 2020) used both for transfer learning.
//
// Parameters and buffers of "v3" bear the names and shapes of torchvision's inception_v3 (Conv2d_1a_3x3.conv, …,
// Mixed_7c.branch_pool.bn; no fc and no AuxLogits, its second classifier), those of "resnet_v2" the ones of timm's
// inception_resnet_v2 (conv2d_1a.conv, …, repeat.0.branch0.conv, …, conv2d_7b.bn; no classif), so that their weights
// fit when width = 1 and channels = 3, and give their features. A stem of three channels gets the image from -1 to 1,
// as those weights expect. There is no dropout in training, which both have in front of their class layer. Features:
// 2048 × width (v3) or 1536 × width. Images of at least 75 × 75 pixels of any shape.
//
//     [backbone]
//     plugin  = "inception"
//     version = "v3"
//     width   = 0.5
//
// For weights that were trained on ImageNet, which expect colours:
//
//     [backbone]
//     plugin   = "inception"
//     version  = "resnet_v2"
//     channels = 3

#include "networks.hpp"

#include "convnet/convnet.hpp"

namespace osteon {
namespace {

class InceptionBackbone : public Backbone {
 public:
  static Schema schema() {
    return {
        "Inception-v3 (Szegedy et al. 2016) or Inception-ResNet-v2 (Szegedy et al. 2017) up to its global average "
        "pooling, with torchvision's and timm's names.",
        {Parameter::text("version", "v3", "Which network: Inception-v3 or Inception-ResNet-v2.")
             .one_of(std::vector<std::string>{"v3", "resnet_v2"}),
         convnet::width_parameter(), convnet::channels_parameter()}};
  }

  explicit InceptionBackbone(const Parameters& parameters)
      : v3_(parameters.text("version") == "v3"),
        width_(parameters.real("width")),
        channels_(parameters.integer("channels")) {}

  [[nodiscard]] std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height,
                                              std::int64_t width) const override {
    constexpr std::int64_t kLeastSize = 75;  // leaves one pixel
    convnet::check_images(v3_ ? "Inception-v3" : "Inception-ResNet-v2", channels_, channels, height, width, kLeastSize);
    return v3_ ? inception::make_v3(width_, channels_) : inception::make_resnet_v2(width_, channels_);
  }

 private:
  bool v3_;
  double width_;
  std::int64_t channels_;
};

}  // namespace

OSTEON_PLUGIN(backbone, inception, "0.1.0", InceptionBackbone)

}  // namespace osteon
