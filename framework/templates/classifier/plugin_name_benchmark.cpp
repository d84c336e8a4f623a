#include <osteon/classifier.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// 1000 queries against so many bones with 20 images each.
void Predict(benchmark::State& state) {
  constexpr std::int64_t kQueries = 1000, kImages = 20, kDimensions = 128;
  const auto classifier = PluginLibrary("classifier", PLUGIN_LIBRARY).make<Classifier>();
  const std::int64_t bones = state.range(0);
  classifier->fit(at::randn({bones * kImages, kDimensions}), at::arange(bones).repeat_interleave(kImages));
  const at::Tensor queries = at::randn({kQueries, kDimensions});
  for (auto _ : state) benchmark::DoNotOptimize(classifier->predict(queries));
  state.SetItemsProcessed(state.iterations() * kQueries);
}
BENCHMARK(Predict)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace osteon
