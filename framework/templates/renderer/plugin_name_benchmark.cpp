#include <osteon/renderer.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// A volume of 128 × 128 × 128 voxels onto so many rows and columns.
void Project(benchmark::State& state) {
  constexpr std::int64_t kVoxels = 128;
  Volume volume{at::randint(-1000, 1600, {kVoxels, kVoxels, kVoxels}, at::kShort), {}};
  volume.grid.size = {kVoxels, kVoxels, kVoxels};
  const auto pixels = state.range(0);
  const double pitch = 2.0 * kVoxels / static_cast<double>(pixels);
  Projection view;
  view.rows = view.columns = pixels;
  view.source = {kVoxels / 2, -1000, kVoxels / 2};
  view.first_pixel = {-kVoxels / 2, 500, kVoxels * 1.5};
  view.column_step = {pitch, 0, 0};
  view.row_step = {0, 0, -pitch};
  const auto renderer = PluginLibrary("renderer", PLUGIN_LIBRARY).make<Renderer>();
  const auto projector = renderer->prepare(volume);
  for (auto _ : state) benchmark::DoNotOptimize(projector->project({&view, 1}));
  state.SetItemsProcessed(state.iterations() * pixels * pixels);
}
BENCHMARK(Project)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace osteon
