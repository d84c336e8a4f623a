// Do phantoms vary as real femurs do? The figure is the mean over bones of the error of the best bone of another
// person, divided by the mean over bones of the error of the mean shape of the other people: small when size is most of
// what sets bones apart, near 1 when each bone is odd in its own way. Leave one person out, rigid alignment, symmetric
// surface RMS. Takes minutes; runs with OSTEON_LONG_TESTS=1.

#include "host/handles.hpp"

#include <gtest/gtest.h>

#ifdef OSTEON_WITH_OPEN3D

#include <open3d_support/mesh_files.hpp>
#include <open3d_support/surfaces.hpp>

#include <osteon/parallel.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using open3d_support::ClosestPoints;

struct Bone {
  std::string person;
  Mesh mesh;
};

struct Variation {
  double oracle, mean_shape;  ///< mm
  [[nodiscard]] double ratio() const { return oracle / mean_shape; }
};

Variation variation(const std::vector<Bone>& bones) {
  constexpr std::int64_t kSamples = 5000;
  const std::size_t count = bones.size();
  std::vector<std::unique_ptr<ClosestPoints>> surfaces;
  for (const Bone& bone : bones) surfaces.push_back(std::make_unique<ClosestPoints>(bone.mesh));
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = i + 1; j < count; ++j)
      if (bones[i].person != bones[j].person) pairs.emplace_back(i, j);
  std::vector<double> apart(pairs.size()), best(count, 1e9);
  parallel_for(0, static_cast<std::int64_t>(pairs.size()), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(last); ++k) {
      const ClosestPoints &a = *surfaces[pairs[k].first], &b = *surfaces[pairs[k].second];
      apart[k] = open3d_support::surface_distance(a, b, open3d_support::align_rigid(b, a), kSamples, 1).rms;
    }
  });
  for (std::size_t k = 0; k < pairs.size(); ++k)
    for (const std::size_t bone : {pairs[k].first, pairs[k].second}) best[bone] = std::min(best[bone], apart[k]);

  Variation result{};
  for (const double error : best) result.oracle += error / static_cast<double>(count);
  std::set<std::string> people;
  for (const Bone& bone : bones) people.insert(bone.person);
  for (const std::string& person : people) {
    std::vector<Mesh> others;
    for (const Bone& bone : bones)
      if (bone.person != person) others.push_back(bone.mesh);
    const ClosestPoints mean(open3d_support::mean_shape(others));
    for (std::size_t i = 0; i < count; ++i)
      if (bones[i].person == person)
        result.mean_shape += open3d_support::surface_distance(
                                 *surfaces[i], mean, open3d_support::align_rigid(mean, *surfaces[i]), kSamples, 1)
                                 .rms /
                             static_cast<double>(count);
  }
  return result;
}

std::vector<Bone> phantom_bones(std::size_t count) {
  host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("source", "phantom");
  const host::SourceHandle source(plugin, Parameters(plugin.schema, {{"bones", static_cast<std::int64_t>(count)},
                                                                     {"sides", std::string("right")},
                                                                     {"spacing", 5.0}}));
  std::vector<Bone> bones;
  for (const SpecimenInfo& one : source.specimens())
    bones.push_back({one.subject, source.acquire(one, 0).truth.value()});
  return bones;
}

std::vector<Bone> real_bones(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Bone> bones;
  for (const fs::path& file : files) {
    const std::string name = file.stem().string();
    Mesh mesh = open3d_support::read_mesh(file);
    if (name.ends_with("_L")) mesh = transformed(mesh, {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}});
    bones.push_back({name.substr(0, name.find('_')), mesh});
  }
  return bones;
}

TEST(PhantomVariation, HasTheRatioOfOracleToMeanShapeOfRealFemurs) {
  if (std::getenv("OSTEON_LONG_TESTS") == nullptr) GTEST_SKIP() << "takes minutes; set OSTEON_LONG_TESTS=1";
  const fs::path folder = fs::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
  if (!fs::is_directory(folder))
    GTEST_SKIP() << "no real femurs in " << folder << " (Zenodo, doi 10.5281/zenodo.8302448)";
  const std::vector<Bone> real = real_bones(folder);
  const Variation femurs = variation(real), phantoms = variation(phantom_bones(real.size()));
  for (const auto& [what, figure] : {std::pair{"real femurs", femurs}, std::pair{"phantoms", phantoms}})
    std::cout << what << ": best other bone " << figure.oracle << " mm, mean shape " << figure.mean_shape
              << " mm, ratio " << figure.ratio() << '\n';
  EXPECT_NEAR(phantoms.ratio() / femurs.ratio(), 1, 0.2);
}

}  // namespace
}  // namespace osteon

#endif
