#include <osteon/backbone.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// Features and gradients of a batch of 16 X-ray pairs of so many rows.
void ForwardAndBackward(benchmark::State& state) {
  const std::int64_t images = 16, rows = state.range(0);
  const auto network = PluginLibrary("backbone", PLUGIN_LIBRARY).make<Backbone>()->make(1, rows, 2 * rows);
  const at::Tensor batch = at::rand({images, 1, rows, 2 * rows});
  for (auto _ : state) network->forward(batch).sum().backward();
  state.SetItemsProcessed(state.iterations() * images);
}
BENCHMARK(ForwardAndBackward)->Arg(32)->Arg(96)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace osteon
