// backbone/raw_pixels: no network at all. The image, averaged over blocks of pixels, is the features; there are no weights.
// With a head on top it is a linear method: the honest yardstick for a convolutional network, and hard to beat where
// few bones train ("Eigenfaces" and "Fisherfaces": Turk and Pentland 1991; Belhumeur, Hespanha, Kriegman 1997).
//
// Images should be upright (training.upright): a linear method can't turn them. With `head.whitening` nothing is left
// to train by gradient, hence no epochs:
//
//     [backbone]
//     plugin = "raw_pixels"
//     rows   = 48
//
//     [head]
//     pairs     = 0
//     whitening = true
//
//     [training]
//     upright = true
//     epochs  = 0

#include <osteon/backbone.hpp>

#include <torch/nn/modules/pooling.h>

namespace osteon {
namespace {

namespace nn = torch::nn;

class RawPixels : public Network {
 public:
  RawPixels(std::int64_t channels, std::int64_t rows, std::int64_t columns)
      : blocks_(register_module(
            "blocks", nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions(std::vector<std::int64_t>{rows, columns})))),
        features_(channels * rows * columns) {}

  torch::Tensor maps(const torch::Tensor& images) override { return blocks_->forward(images); }
  torch::Tensor pool(const torch::Tensor& maps) override { return maps.flatten(1); }
  [[nodiscard]] std::int64_t features() const override { return features_; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override { return {}; }
  [[nodiscard]] std::string last_convolution() const override { return "blocks"; }
  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {}; }

 private:
  nn::AdaptiveAvgPool2d blocks_;
  std::int64_t features_;
};

class RawPixelsBackbone : public Backbone {
 public:
  static Schema schema() {
    return {"The image itself, averaged over blocks of pixels: no weights, a linear method's features.",
            {Parameter::integer("rows", 48, "Blocks along the image's height; as many a millimetre across.")
                 .unit("blocks")
                 .at_least(2)
                 .at_most(1024)}};
  }

  explicit RawPixelsBackbone(const Parameters& parameters) : rows_(parameters.integer("rows")) {}

  std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height, std::int64_t width) const override {
    if (height < rows_)
      throw Error(text("rows: ", rows_, " blocks along images of ", height, " × ", width,
                       " pixels; lower it, or raise views.height"));
    return std::make_shared<RawPixels>(channels, rows_, std::max<std::int64_t>(1, width * rows_ / height));
  }

 private:
  std::int64_t rows_;
};

}  // namespace

OSTEON_PLUGIN(backbone, raw_pixels, "0.1.0", RawPixelsBackbone)

}  // namespace osteon
