// renderer/plugin_name: line integrals by the midpoint rule. Samples of the material fractions, a step apart along each
// ray and interpolated trilinearly, are added up and multiplied by the step.
//
//     [renderer]
//     plugin = "plugin_name"
//     step   = 0.5     # voxels

#include <osteon/parallel.hpp>
#include <osteon/renderer.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace osteon {
namespace {

class SampledVolume final : public Projector {
 public:
  /// `step` in mm.
  SampledVolume(const Volume& volume, double step) : grid_(volume.grid), step_(step) {
    const auto* hounsfield = volume.hounsfield.data_ptr<std::int16_t>();
    fractions_.reserve(static_cast<std::size_t>(volume.hounsfield.numel()));
    for (std::int64_t voxel = 0; voxel < volume.hounsfield.numel(); ++voxel)
      fractions_.push_back(material_fractions(hounsfield[voxel]));
  }

  [[nodiscard]] at::Tensor project(std::span<const Projection> projections) override {
    const auto views = static_cast<std::int64_t>(projections.size());
    const std::int64_t rows = projections.front().rows, columns = projections.front().columns;
    at::Tensor integrals = at::empty({views, kMaterials, rows, columns}, at::kFloat);
    auto* const values = integrals.data_ptr<float>();
    parallel_for(0, views * rows, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t line = first; line < last; ++line) {
        const std::int64_t view = line / rows, row = line % rows;
        auto* const water = values + (view * kMaterials * rows + row) * columns;
        for (std::int64_t column = 0; column < columns; ++column) {
          const MaterialFractions sum = integral(projections[static_cast<std::size_t>(view)], row, column);
          water[column] = sum.water;
          water[column + rows * columns] = sum.bone;
        }
      }
    });
    return integrals;
  }

 private:
  /// Along the ray through one pixel's centre, in mm.
  [[nodiscard]] MaterialFractions integral(const Projection& view, std::int64_t row, std::int64_t column) const {
    const Vec3 pixel =
        view.first_pixel + view.row_step * static_cast<double>(row) + view.column_step * static_cast<double>(column);
    const Vec3 along = view.parallel ? view.direction : normalised(pixel - view.source);
    // In indices of voxels, from the point of the ray that lies nearest to the grid's centre.
    const Vec3 middle = pixel + along * dot(grid_.centre() - pixel, along);
    const Vec3 at = grid_.to_index(middle), forwards = grid_.to_index(middle + along) - at;
    constexpr double kFar = std::numeric_limits<double>::infinity();
    double begin = view.parallel ? -kFar : dot(view.source - middle, along), end = kFar;
    for (int axis = 0; axis < 3; ++axis) {
      const double last = static_cast<double>(grid_.size[static_cast<std::size_t>(axis)]);
      // Interpolation falls to 0 one voxel beyond the outermost centres, -1 and `last`.
      if (forwards[axis] == 0 && (at[axis] <= -1 || at[axis] >= last)) return {0, 0};
      if (forwards[axis] == 0) continue;
      const double a = (-1 - at[axis]) / forwards[axis], b = (last - at[axis]) / forwards[axis];
      begin = std::max(begin, std::min(a, b));
      end = std::min(end, std::max(a, b));
    }
    if (!(begin < end)) return {0, 0};
    const auto samples = static_cast<std::int64_t>(std::ceil((end - begin) / step_));
    const double step = (end - begin) / static_cast<double>(samples);
    double water = 0, bone = 0;
    for (std::int64_t sample = 0; sample < samples; ++sample)
      add(at + forwards * (begin + (static_cast<double>(sample) + 0.5) * step), water, bone);
    return {static_cast<float>(water * step), static_cast<float>(bone * step)};
  }

  /// Adds the fractions at a place between eight voxels.
  void add(Vec3 index, double& water, double& bone) const {
    const std::array<double, 3> low = {std::floor(index.x), std::floor(index.y), std::floor(index.z)};
    for (int corner = 0; corner < 8; ++corner) {
      double weight = 1;
      std::int64_t voxel = 0, stride = 1;
      for (int axis = 0; axis < 3 && weight > 0; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const bool upper = (corner >> axis) % 2 == 1;
        const double share = index[axis] - low[a];
        const std::int64_t place = static_cast<std::int64_t>(low[a]) + (upper ? 1 : 0);
        weight = place < 0 || place >= grid_.size[a] ? 0 : weight * (upper ? share : 1 - share);
        voxel += place * stride;
        stride *= grid_.size[a];
      }
      if (weight <= 0) continue;
      const MaterialFractions& fractions = fractions_[static_cast<std::size_t>(voxel)];
      water += weight * static_cast<double>(fractions.water);
      bone += weight * static_cast<double>(fractions.bone);
    }
  }

  Grid grid_;
  double step_;
  std::vector<MaterialFractions> fractions_;  ///< of voxel i + I·(j + J·k)
};

class PluginName final : public Renderer {
 public:
  static Schema schema() {
    return {"Trilinear samples along each ray, added up (midpoint rule), on the CPU.",
            {Parameter::real("step", 0.5, "Distance of samples along a ray, of the grid's smallest spacing.")
                 .unit("voxels")
                 .above(0)
                 .at_most(4)}};
  }

  explicit PluginName(const Parameters& parameters) : step_(parameters.real("step")) {}

  [[nodiscard]] std::unique_ptr<Projector> prepare(const Volume& volume) const override {
    volume.check();
    const Vec3 spacing = volume.grid.spacing;
    return std::make_unique<SampledVolume>(volume, step_ * std::min({spacing.x, spacing.y, spacing.z}));
  }

 private:
  double step_;
};

}  // namespace

OSTEON_PLUGIN(renderer, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
