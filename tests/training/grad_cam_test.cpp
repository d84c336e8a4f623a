// Grad-CAM on a network whose maps and gradients are known.

#include "training/grad_cam.hpp"
#include "training/fixtures.hpp"

#include <torch/torch.h>

namespace osteon::training {
namespace {

/// Two maps, the image and its negative, 4 × 4 pixels each; the features are their means.
class TwoMaps : public Network {
 public:
  torch::Tensor maps(const torch::Tensor& images) override {
    const at::Tensor small = at::avg_pool2d(images, 8);
    return at::cat({small, 1 - small}, 1);
  }
  torch::Tensor pool(const torch::Tensor& maps) override { return maps.mean({2, 3}); }
  [[nodiscard]] std::int64_t features() const override { return 2; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override { return {}; }
  [[nodiscard]] std::string last_convolution() const override { return ""; }
  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {"fc"}; }
};

at::Tensor half_bright() {
  at::Tensor pixels = at::zeros({32, 32}, at::kByte);
  pixels.slice(1, 16, 32).fill_(204);
  return pixels;
}

at::Tensor heat(const Score& score) {
  FingerprintNetwork network(std::make_shared<TwoMaps>(), test::head_parameters({{"pairs", std::int64_t{0}}}));
  return grad_cam(network, half_bright(), score, at::kCPU);
}

TEST(GradCam, IsTheMapThatTheScoreRisesWith) {
  // Gradient of the first feature: 1/16 everywhere in the first map, 0 in the second.
  const at::Tensor first = heat([](const at::Tensor& x) { return x[0][0]; });
  EXPECT_TRUE(at::allclose(first, at::tensor({0.F, 0.F, 1.F, 1.F}).expand({4, 4}), 0, 1e-6));
  // The second map is 1 where the image is black and 0.2 where it is bright.
  const at::Tensor second = heat([](const at::Tensor& x) { return 3 * x[0][1]; });
  EXPECT_TRUE(at::allclose(second, at::tensor({1.F, 1.F, 0.2F, 0.2F}).expand({4, 4}), 0, 1e-6));
}

TEST(GradCam, IsZeroWhereNothingSpeaksForTheScore) {
  EXPECT_EQ(heat([](const at::Tensor& x) { return -x[0][0] - x[0][1]; }).max().item<float>(), 0);
}

TEST(GradCam, OverlayShowsTheXrayBesideItsHeat) {
  const at::Tensor picture = overlay(half_bright(), heat([](const at::Tensor& x) { return x[0][0]; }));
  EXPECT_EQ(picture.sizes(), at::IntArrayRef({32, 64, 3}));
  const auto colour = [&](std::int64_t x) {
    return std::vector<int>{picture[16][x][0].item<int>(), picture[16][x][1].item<int>(),
                            picture[16][x][2].item<int>()};
  };
  EXPECT_EQ(colour(31), (std::vector<int>{204, 204, 204}));
  EXPECT_EQ(colour(32), (std::vector<int>{0, 17, 39}));      // half of cividis' dark end
  EXPECT_EQ(colour(63), (std::vector<int>{229, 218, 130}));  // half of 204 and half of its bright end
}

}  // namespace
}  // namespace osteon::training
