#include <osteon/shape.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace osteon {
namespace {

/// One bone, from 20 X-ray pairs, among so many known ones with 20 pairs each.
void Predict(benchmark::State& state) {
  constexpr std::int64_t kImages = 20, kDimensions = 128;
  const std::int64_t bones = state.range(0);
  ShapeGallery gallery;
  gallery.meshes.resize(static_cast<std::size_t>(bones));
  gallery.embeddings = at::randn({bones * kImages, kDimensions});
  gallery.bone = at::arange(bones).repeat_interleave(kImages);
  const auto shape = PluginLibrary("shape", PLUGIN_LIBRARY).make<Shape>();
  shape->fit(gallery);
  ShapeQuery query;
  query.embeddings = at::randn({kImages, kDimensions});
  for (auto _ : state) benchmark::DoNotOptimize(shape->predict(query));
}
BENCHMARK(Predict)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace osteon
