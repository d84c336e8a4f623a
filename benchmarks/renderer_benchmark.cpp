// Renderers through their interface: line integrals alone, and finished images as a run makes them. The volume is what
// the quickstart renders: a bone in soft tissue, 100 × 100 × 240 voxels, 128 × 128 montages, four energies a pose.
// items_per_second counts exposures (ProjectBone) and images (RenderImages). The spread between repetitions on a shared
// machine is some 10 %; use --benchmark_repetitions.

#include "host/registry.hpp"
#include "imaging/imaging.hpp"

#include <ATen/Functions.h>
#include <benchmark/benchmark.h>

#include <cmath>

namespace osteon {
namespace {

Volume bone_in_tissue() {
  Volume volume;
  volume.grid.size = {100, 100, 240};
  volume.grid.spacing = {0.5, 0.5, 0.5};
  volume.grid.origin = {-24.75, -24.75, -59.75};
  volume.hounsfield = at::empty({240, 100, 100}, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 240; ++k)
    for (int j = 0; j < 100; ++j)
      for (int i = 0; i < 100; ++i) {
        const double r = std::hypot(i - 49.5, j - 49.5), thick = 8 + 6 * std::pow((k - 119.5) / 120, 2);
        *voxel++ = static_cast<std::int16_t>(r > 46 ? -1000 : r > thick ? 40 : r > thick - 3 ? 1500 : 100);
      }
  return volume;
}

imaging::BoneFrame bone_frame() { return {{0, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 0, 1}, 110}; }

host::RendererHandle renderer(const std::string& name) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("renderer", name);
  return {plugin, Parameters(plugin.schema, {})};
}

void ProjectBone(benchmark::State& state, const std::string& name) {
  const auto handle = renderer(name);
  const Volume volume = bone_in_tissue();
  const auto projector = handle.prepare(volume);
  const Parameters views(imaging::views_schema(), {{"field_of_view", 140.0}});
  std::vector<Projection> exposures;
  for (const double axial : {-21.0, 0.0, 21.0})
    for (const double in_plane : {-21.0, 0.0, 21.0})
      for (const Plane plane : {Plane::ap, Plane::ml})
        exposures.push_back(imaging::projection(bone_frame(), plane, {axial, 0, in_plane}, views));
  for (auto _ : state) benchmark::DoNotOptimize(projector.project(exposures));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(exposures.size()));
}
BENCHMARK_CAPTURE(ProjectBone, joseph, "joseph")->Unit(benchmark::kMillisecond)->UseRealTime();

void PrepareBone(benchmark::State& state, const std::string& name) {
  const auto handle = renderer(name);
  const Volume volume = bone_in_tissue();
  for (auto _ : state) benchmark::DoNotOptimize(handle.prepare(volume));
}
BENCHMARK_CAPTURE(PrepareBone, joseph, "joseph")->Unit(benchmark::kMillisecond)->UseRealTime();

void RenderImages(benchmark::State& state, const std::string& name) {
  const auto handle = renderer(name);
  const Volume volume = bone_in_tissue();
  const Parameters views(imaging::views_schema(),
                         {{"axial_step", 7.0}, {"in_plane_step", 7.0}, {"field_of_view", 140.0}});
  const Parameters film(imaging::film_schema(), {});
  const auto poses = imaging::gallery_poses(views);
  std::int64_t images = 0;
  for (auto _ : state) images = imaging::render(handle, volume, bone_frame(), poses, views, film, {}).pixels.size(0);
  state.SetItemsProcessed(state.iterations() * images);
}
BENCHMARK_CAPTURE(RenderImages, joseph, "joseph")->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace osteon
