// Learns the mean of its images in training and keeps it where nobody saves it.
#include <osteon/backbone.hpp>

#include <ATen/Functions.h>

namespace broken {

class ForgetfulNetwork final : public osteon::Network {
 public:
  ForgetfulNetwork() { weight_ = register_parameter("conv", at::zeros({4, 1, 3, 3})); }
  torch::Tensor maps(const torch::Tensor& images) override {
    if (is_training()) mean_ = 0.9 * mean_ + 0.1 * images.mean().item<double>();
    return at::conv2d(images - mean_, weight_).relu();
  }
  torch::Tensor pool(const torch::Tensor& maps) override { return maps.mean({2, 3}); }
  [[nodiscard]] std::int64_t features() const override { return 4; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override { return {"conv"}; }
  [[nodiscard]] std::string last_convolution() const override { return ""; }
  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {"fc"}; }

 private:
  torch::Tensor weight_;
  double mean_ = 0;
};

class ForgetsItsMean final : public osteon::Backbone {
 public:
  explicit ForgetsItsMean(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }
  [[nodiscard]] std::shared_ptr<osteon::Network> make(std::int64_t /*channels*/, std::int64_t height,
                                                      std::int64_t width) const override {
    if (height < 3 || width < 3) throw osteon::Error("images must be 3 × 3 or larger");
    return std::make_shared<ForgetfulNetwork>();
  }
};

}  // namespace broken

OSTEON_PLUGIN(backbone, forgets_its_mean, "0.1.0", broken::ForgetsItsMean)
