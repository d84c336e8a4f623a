#include <osteon/metric.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// So many images of 10 bones.
void Evaluate(benchmark::State& state) {
  const std::int64_t images = state.range(0);
  Evidence::Contents contents;
  contents.bone = at::arange(images).remainder(10);
  contents.embeddings.push_back({"fingerprint", false, at::randn({images, 128})});
  const auto metric = PluginLibrary("metric", PLUGIN_LIBRARY).make<Metric>();
  const Evidence evidence(contents, metric->needs());
  for (auto _ : state) benchmark::DoNotOptimize(metric->evaluate(evidence));
  state.SetItemsProcessed(state.iterations() * images);
}
BENCHMARK(Evaluate)->Arg(200)->Arg(2000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace osteon
