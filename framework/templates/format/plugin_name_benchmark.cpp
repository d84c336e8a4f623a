#include <osteon/format.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <unistd.h>

namespace osteon {
namespace {

namespace fs = std::filesystem;

/// A surface of so many vertices and twice as many triangles, written and read.
void WriteAndRead(benchmark::State& state) {
  const std::int64_t vertices = state.range(0);
  const Mesh mesh{at::randn({vertices, 3}), at::randint(vertices, {2 * vertices, 3}, at::kInt)};
  const fs::path file = fs::temp_directory_path() / text("plugin_name-benchmark-", ::getpid(), ".off");
  const auto format = PluginLibrary("format", PLUGIN_LIBRARY).make<Format>();
  for (auto _ : state) {
    format->write_mesh(mesh, file);
    benchmark::DoNotOptimize(format->read_mesh(file));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(fs::file_size(file)));
  fs::remove(file);
}
BENCHMARK(WriteAndRead)->Arg(1000)->Arg(30000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace osteon
