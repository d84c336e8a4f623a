// One projection of every renderer that is built, on the work of the comparison with other programs: a bone with marrow
// in a cylinder of soft tissue in air, 200 × 200 × 400 voxels at 0.4 mm, onto 400 × 800 pixels, perspective. "Time" is
// the wall clock's, "CPU" that of all threads together: on a machine that does other work too, CPU divided by the
// number of threads says more.

#include "host/handles.hpp"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace osteon {
namespace {

Volume limb() {
  Volume volume;
  volume.grid.size = {200, 200, 400};
  volume.grid.spacing = {0.4, 0.4, 0.4};
  volume.grid.origin = {-39.8, -39.8, -79.8};
  volume.hounsfield = at::empty({400, 200, 200}, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 400; ++k)
    for (int j = 0; j < 200; ++j)
      for (int i = 0; i < 200; ++i) {
        const double r = 0.4 * std::hypot(i - 99.5, j - 99.5), outer = 13 + 8 * std::pow((k - 199.5) / 200, 4);
        *voxel++ = static_cast<std::int16_t>(r > 38 ? -1000 : r > outer ? 40 : r > outer - 5 ? 1500 : 100);
      }
  return volume;
}

/// 0.4 mm pixels; the source 1000 mm from the detector, the bone half way.
Projection exposure(double angle) {
  const Vec3 beam{std::sin(angle), std::cos(angle), 0}, right{std::cos(angle), -std::sin(angle), 0};
  Projection p;
  p.source = beam * -500;
  p.rows = 800;
  p.columns = 400;
  p.column_step = right * 0.4;
  p.row_step = {0, 0, -0.4};
  p.first_pixel = beam * 500 - p.column_step * 199.5 - p.row_step * 399.5;
  return p;
}

void ProjectLimb(benchmark::State& state, const std::string& name) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("renderer", name);
  const host::RendererHandle handle(plugin, Parameters(plugin.schema, {}));
  const auto projector = handle.prepare(limb());
  at::set_num_threads(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));  // as a run does
  double angle = 0.1;
  for (auto _ : state) {
    const std::vector<Projection> one{exposure(angle += 0.3)};
    benchmark::DoNotOptimize(projector.project(one));
  }
}
BENCHMARK_CAPTURE(ProjectLimb, joseph, "joseph")->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK_CAPTURE(ProjectLimb, siddon, "siddon")->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK_CAPTURE(ProjectLimb, itk_raycast, "itk_raycast")
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(ProjectLimb, torch, "torch")->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace osteon
