#include <osteon/reporter.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <benchmark/benchmark.h>

#include <unistd.h>

namespace osteon {
namespace {

namespace fs = std::filesystem;

/// A run with so many figures.
void Report(benchmark::State& state) {
  const fs::path folder = fs::temp_directory_path() / text("plugin_name-benchmark-", ::getpid());
  fs::create_directories(folder);
  const auto reporter = PluginLibrary("reporter", PLUGIN_LIBRARY).make<Reporter>();
  MetricValue figure;
  figure.table = "identity, rank-1";
  figure.row = "fingerprint";
  figure.value = 1;
  const Results results{std::vector<MetricValue>(static_cast<std::size_t>(state.range(0)), figure)};
  for (auto _ : state) {
    reporter->report(RunStarted{"Benchmark", folder, "", "", "", {}, ""});
    reporter->report(results);
    reporter->report(RunFinished{"complete", 1, ""});
  }
  fs::remove_all(folder);
}
BENCHMARK(Report)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace osteon
