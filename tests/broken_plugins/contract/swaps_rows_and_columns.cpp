// Sees nothing, and says so in a picture that lies on its side.
#include <osteon/renderer.hpp>

#include <ATen/Functions.h>

namespace broken {

class SidewaysProjector final : public osteon::Projector {
 public:
  at::Tensor project(std::span<const osteon::Projection> projections) override {
    const osteon::Projection& first = projections.front();
    return at::zeros({static_cast<std::int64_t>(projections.size()), osteon::kMaterials, first.columns, first.rows},
                     at::kFloat);
  }
};

class SwapsRowsAndColumns final : public osteon::Renderer {
 public:
  explicit SwapsRowsAndColumns(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }
  [[nodiscard]] std::unique_ptr<osteon::Projector> prepare(const osteon::Volume& /*volume*/) const override {
    return std::make_unique<SidewaysProjector>();
  }
};

}  // namespace broken

OSTEON_PLUGIN(renderer, swaps_rows_and_columns, "0.1.0", broken::SwapsRowsAndColumns)
