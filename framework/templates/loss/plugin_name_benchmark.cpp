#include <osteon/loss.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// Value and gradient of a batch of 48 images with so many triplets.
void ComputeAndDifferentiate(benchmark::State& state) {
  constexpr std::int64_t kImages = 48, kDimensions = 128;
  const auto loss = PluginLibrary("loss", PLUGIN_LIBRARY).make<Loss>();
  const at::Tensor embeddings = at::randn({kImages, kDimensions}).requires_grad_();
  const at::Tensor labels = at::arange(kImages).div(6, "floor");
  const auto rows = [&] { return at::randint(kImages, {state.range(0)}, at::kLong); };
  const Tuples tuples = make_tuples(rows(), rows(), rows(), kImages);
  for (auto _ : state) loss->compute(embeddings, labels, tuples).value.backward();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ComputeAndDifferentiate)->Arg(48)->Arg(1024)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace osteon
