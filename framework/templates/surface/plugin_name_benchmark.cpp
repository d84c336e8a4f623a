#include <osteon/surface.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// A ball that fills most of a volume of so many voxels a side.
void Extract(benchmark::State& state) {
  const std::int64_t voxels = state.range(0);
  const at::Tensor line = at::linspace(-1, 1, voxels).square();
  const at::Tensor distance = (line.view({-1, 1, 1}) + line.view({-1, 1}) + line).sqrt();
  Volume volume{((0.9 - distance) * 1000).clamp(-1000, 1000).to(at::kShort).contiguous(), {}};
  volume.grid.size = {voxels, voxels, voxels};
  const auto surface = PluginLibrary("surface", PLUGIN_LIBRARY).make<Surface>({{"level", 0.0}});
  for (auto _ : state) benchmark::DoNotOptimize(surface->extract(volume, {}));
  state.SetItemsProcessed(state.iterations() * volume.hounsfield.numel());
}
BENCHMARK(Extract)->Arg(32)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace osteon
