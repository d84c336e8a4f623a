// What shape figures mean on a folder of bone surfaces: real_femur_baselines DIR [SAMPLES [BONES]]
//
// For every bone, the surface RMS after rigid alignment (protocol of the `shape_error` metric) of the best other
// person's bone (the oracle), of a random one, of the one nearest in length, and of the mean shape of the other
// people's bones. Files are named PERSON_….ply (or .stl, .obj); a name that ends in _L or -L is a left bone and is
// mirrored. Length is the extent along the longest principal axis, so that the surfaces may lie in any frame.

#include "open3d_support/mesh_files.hpp"
#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace osteon::open3d_support {
namespace {

namespace fs = std::filesystem;

struct Bone {
  std::string name, person;
  Mesh mesh;
  double length = 0;
};

bool is_left(const std::string& name) { return name.ends_with("_L") || name.ends_with("-L"); }

double length_of(const Mesh& mesh) {
  const at::Tensor points = mesh.vertices.to(at::kDouble);
  const at::Tensor centred = points - points.mean(0, true);
  const at::Tensor axis = std::get<1>(at::linalg_eigh(centred.t().mm(centred))).select(1, 2);
  const at::Tensor along = centred.mv(axis);
  return (along.max() - along.min()).item<double>();
}

std::vector<Bone> bones_in(const fs::path& folder, std::size_t limit) {
  std::vector<fs::path> files;
  const auto endings = mesh_endings();
  for (const auto& entry : fs::directory_iterator(folder))
    if (std::find(endings.begin(), endings.end(), entry.path().extension().string()) != endings.end())
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  files.resize(std::min(limit, files.size()));
  std::vector<Bone> bones;
  for (const fs::path& file : files) {
    Bone bone{file.stem().string(), {}, read_mesh(file)};
    bone.person = bone.name.substr(0, bone.name.find_first_of("_"));
    if (is_left(bone.name)) bone.mesh = transformed(bone.mesh, {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}});
    bone.length = length_of(bone.mesh);
    bones.push_back(std::move(bone));
  }
  if (bones.size() < 3) throw Error(text(folder.string(), ": expected at least 3 surfaces, found ", bones.size()));
  return bones;
}

double rms_between(const ClosestPoints& moving, const ClosestPoints& fixed, std::int64_t samples) {
  return surface_distance(fixed, moving, align_rigid(moving, fixed), samples, 1).rms;
}

/// Symmetric RMS of every pair.
std::vector<std::vector<double>> matrix_of(const std::vector<ClosestPoints>& surfaces, std::int64_t samples) {
  const std::size_t n = surfaces.size();
  std::vector<std::vector<double>> rms(n, std::vector<double>(n, 0));
  parallel_for(0, static_cast<std::int64_t>(n * n), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto pair = static_cast<std::size_t>(first); pair < static_cast<std::size_t>(last); ++pair)
      if (const std::size_t i = pair / n, j = pair % n; (i + j) % 2 == (i < j ? 1 : 0) && i != j)
        rms[i][j] = rms[j][i] = rms_between(surfaces[i], surfaces[j], samples);
  });
  return rms;
}

/// For each bone the RMS of the mean shape of all other people's bones.
std::vector<double> of_mean_shapes(const std::vector<Bone>& bones, const std::vector<ClosestPoints>& surfaces,
                                   std::int64_t samples) {
  std::vector<double> rms;
  std::string person;
  std::unique_ptr<ClosestPoints> mean;
  for (std::size_t i = 0; i < bones.size(); ++i) {
    if (!mean || bones[i].person != person) {
      std::vector<Mesh> others;
      for (const Bone& other : bones)
        if (other.person != bones[i].person) others.push_back(other.mesh);
      mean = std::make_unique<ClosestPoints>(mean_shape(others));
      person = bones[i].person;
    }
    rms.push_back(rms_between(*mean, surfaces[i], samples));
  }
  return rms;
}

struct Sums {
  double oracle = 0, random = 0, length = 0, mean = 0, opposite = 0;
  int pairs = 0;
};

Sums summed(const std::vector<Bone>& bones, const std::vector<std::vector<double>>& rms,
            const std::vector<double>& mean) {
  Sums sums;
  for (std::size_t i = 0; i < bones.size(); ++i) {
    double best = 1e9, total = 0, nearest = 1e9, by_length = 0, gap = 1e9;
    int others = 0;
    for (std::size_t j = 0; j < bones.size(); ++j) {
      if (i != j && bones[i].person == bones[j].person) sums.opposite += rms[i][j], ++sums.pairs;
      if (bones[i].person == bones[j].person) continue;
      best = std::min(best, rms[i][j]);
      total += rms[i][j];
      ++others;
      gap = std::abs(bones[i].length - bones[j].length);
      if (gap < nearest) nearest = gap, by_length = rms[i][j];
    }
    const double share = 1.0 / static_cast<double>(bones.size());
    sums.oracle += share * best;
    sums.random += share * total / others;
    sums.length += share * by_length;
    sums.mean += share * mean[i];
    std::printf("%-16s length %6.1f  oracle %5.2f  mean shape %5.2f  by length %5.2f  random %5.2f\n",
                bones[i].name.c_str(), bones[i].length, best, mean[i], by_length, total / others);
  }
  return sums;
}

void run(const fs::path& folder, std::int64_t samples, std::size_t limit) {
  const auto began = std::chrono::steady_clock::now();
  const std::vector<Bone> bones = bones_in(folder, limit);
  std::vector<ClosestPoints> surfaces;
  for (const Bone& bone : bones) surfaces.emplace_back(bone.mesh);
  const auto rms = matrix_of(surfaces, samples);
  const std::chrono::duration<double> pairs_took = std::chrono::steady_clock::now() - began;
  const Sums sums = summed(bones, rms, of_mean_shapes(bones, surfaces, samples));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("\n%zu bones, surface RMS in mm, rigid alignment, leave one person out\n", bones.size());
  std::printf("best other bone (oracle)     %.2f\n", sums.oracle);
  std::printf("mean shape                   %.2f\n", sums.mean);
  std::printf("oracle / mean shape          %.3f\n", sums.oracle / sums.mean);
  std::printf("random bone                  %.2f\n", sums.random);
  std::printf("nearest by length            %.2f = %.2f x oracle\n", sums.length, sums.length / sums.oracle);
  if (sums.pairs > 0) std::printf("the person's other side      %.2f\n", sums.opposite / sums.pairs);
  std::printf("%.0f s, of them %.0f s for %zu pairs\n", took.count(), pairs_took.count(),
              bones.size() * (bones.size() - 1) / 2);
}

}  // namespace
}  // namespace osteon::open3d_support

int main(int count, char** arguments) try {
  if (count < 2) throw osteon::Error("usage: real_femur_baselines DIR [SAMPLES [BONES]]");
  osteon::open3d_support::run(arguments[1], count > 2 ? std::stoll(arguments[2]) : 20'000,
                              count > 3 ? std::stoul(arguments[3]) : 1000);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
