// The surface of a box of the bone's volume, which it counts in a place that all threads share.
#include <osteon/surface.hpp>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <chrono>
#include <cmath>
#include <thread>

namespace broken {

class ForOneThread final : public osteon::Surface {
 public:
  explicit ForOneThread(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }

  [[nodiscard]] osteon::Mesh extract(const osteon::Volume& volume, const at::Tensor& /*bone_mask*/) const override {
    voxels_ = (volume.hounsfield > 600).sum().item<std::int64_t>();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // long enough for another thread to come in
    if (voxels_ == 0 || voxels_ == volume.hounsfield.numel()) throw osteon::Error("there is no whole bone");
    const auto half = static_cast<float>(std::cbrt(static_cast<double>(voxels_)) / 2);
    const at::Tensor corners = at::tensor(
        std::vector<float>{-1, -1, -1, 1, -1, -1, -1, 1, -1, 1, 1, -1, -1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1});
    const std::vector<std::int32_t> triangles{0, 2, 1, 1, 2, 3, 4, 5, 6, 5, 7, 6, 0, 1, 4, 1, 5, 4,
                                              2, 6, 3, 3, 6, 7, 0, 4, 2, 2, 4, 6, 1, 3, 5, 3, 7, 5};
    return {(corners.view({8, 3}) * half).contiguous(), at::tensor(triangles, at::kInt).view({12, 3})};
  }

 private:
  mutable std::int64_t voxels_ = 0;
};

}  // namespace broken

OSTEON_PLUGIN(surface, for_one_thread, "0.1.0", broken::ForOneThread)
