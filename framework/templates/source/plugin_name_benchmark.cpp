#include <osteon/source.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/core/Tensor.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// One volume with voxels of so many millimetres.
void Acquire(benchmark::State& state) {
  const auto source =
      PluginLibrary("source", PLUGIN_LIBRARY).make<Source>({{"spacing", static_cast<double>(state.range(0))}});
  const SpecimenInfo specimen = source->specimens().front();
  std::int64_t voxels = 0;
  for (auto _ : state) voxels += source->acquire(specimen, 0).volume.hounsfield.numel();
  state.SetItemsProcessed(voxels);
}
BENCHMARK(Acquire)->Arg(4)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace osteon
