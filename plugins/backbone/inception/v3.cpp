// Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for computer vision",
// CVPR 2016), with the names and sizes of torchvision's inception_v3, without its auxiliary classifier.

#include "networks.hpp"
#include "stem.hpp"

#include "convnet/convnet.hpp"

namespace osteon::inception {

namespace {

/// Figure 5: 5 × 5 as two 3 × 3.
Branches thirty_five(std::int64_t pool_channels) {
  return {{{{"branch1x1", 64}}},
          {{{"branch5x5_1", 48}, {"branch5x5_2", 64, 5, 5}}},
          {{{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, 3, 3}, {"branch3x3dbl_3", 96, 3, 3}}},
          {{{"branch_pool", pool_channels}}, Pooling::mean}};
}

Branches thirty_five_to_seventeen() {
  return {{{{"branch3x3", 384, 3, 3, 2}}},
          {{{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, 3, 3}, {"branch3x3dbl_3", 96, 3, 3, 2}}},
          {{}, Pooling::maximum}};
}

/// Figure 6: 7 × 7 as 1 × 7 and 7 × 1.
Branches seventeen(std::int64_t inner) {
  return {{{{"branch1x1", 192}}},
          {{{"branch7x7_1", inner}, {"branch7x7_2", inner, 1, 7}, {"branch7x7_3", 192, 7, 1}}},
          {{{"branch7x7dbl_1", inner},
            {"branch7x7dbl_2", inner, 7, 1},
            {"branch7x7dbl_3", inner, 1, 7},
            {"branch7x7dbl_4", inner, 7, 1},
            {"branch7x7dbl_5", 192, 1, 7}}},
          {{{"branch_pool", 192}}, Pooling::mean}};
}

Branches seventeen_to_eight() {
  return {{{{"branch3x3_1", 192}, {"branch3x3_2", 320, 3, 3, 2}}},
          {{{"branch7x7x3_1", 192},
            {"branch7x7x3_2", 192, 1, 7},
            {"branch7x7x3_3", 192, 7, 1},
            {"branch7x7x3_4", 192, 3, 3, 2}}},
          {{}, Pooling::maximum}};
}

/// Figure 7: ends side by side.
Branches eight() {
  return {{{{"branch1x1", 320}}},
          {{{"branch3x3_1", 384}}, Pooling::none, {{"branch3x3_2a", 384, 1, 3}, {"branch3x3_2b", 384, 3, 1}}},
          {{{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, 3, 3}},
           Pooling::none,
           {{"branch3x3dbl_3a", 384, 1, 3}, {"branch3x3dbl_3b", 384, 3, 1}}},
          {{{"branch_pool", 192}}, Pooling::mean}};
}

class V3 : public Network {
 public:
  V3(double width, std::int64_t stem_channels)
      : stem_channels_(stem_channels),
        groups_{"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"},
        stem_(*this, {groups_[0], groups_[1], groups_[2], groups_[3], groups_[4]}, stem_channels, width),
        features_(stem_.channels()) {
    const std::vector<std::pair<std::string, Branches>> blocks{{"Mixed_5b", thirty_five(32)},
                                                               {"Mixed_5c", thirty_five(64)},
                                                               {"Mixed_5d", thirty_five(64)},
                                                               {"Mixed_6a", thirty_five_to_seventeen()},
                                                               {"Mixed_6b", seventeen(128)},
                                                               {"Mixed_6c", seventeen(160)},
                                                               {"Mixed_6d", seventeen(160)},
                                                               {"Mixed_6e", seventeen(192)},
                                                               {"Mixed_7a", seventeen_to_eight()},
                                                               {"Mixed_7b", eight()},
                                                               {"Mixed_7c", eight()}};
    for (const auto& [name, branches] : blocks) {
      blocks_.push_back(register_module(name, Mixed(features_, branches, width)));
      groups_.push_back(name);
      features_ = blocks_.back()->channels();
    }
  }

  torch::Tensor maps(const torch::Tensor& images) override {
    torch::Tensor maps = stem_.forward(convnet::stem_input(images, stem_channels_, convnet::kToMinusOneAndOne));
    for (Mixed& block : blocks_) maps = block->forward(maps);
    return maps;
  }
  torch::Tensor pool(const torch::Tensor& maps) override { return maps.mean({2, 3}); }

  [[nodiscard]] std::int64_t features() const override { return features_; }
  [[nodiscard]] std::vector<std::string> layer_groups() const override { return groups_; }
  [[nodiscard]] std::string last_convolution() const override { return groups_.back(); }
  [[nodiscard]] std::vector<std::string> left_out_layers() const override { return {"fc", "AuxLogits"}; }

 private:
  std::int64_t stem_channels_;
  std::vector<std::string> groups_;
  Stem stem_;
  std::int64_t features_;
  std::vector<Mixed> blocks_;
};

}  // namespace

std::shared_ptr<Network> make_v3(double width, std::int64_t stem_channels) {
  return std::make_shared<V3>(width, stem_channels);
}

}  // namespace osteon::inception
