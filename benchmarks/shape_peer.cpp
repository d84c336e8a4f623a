// Our side of `scripts/peers shape`: distances between two femurs of 36,000 triangles and the alignment of one onto the
// other. One task a call; prints numbers and nothing else.
//
//     shape-peer meshes FOLDER      writes a.ply and b.ply, b laid onto a
//     shape-peer distance FOLDER    seconds of metric/surface_distance with 100,000 samples each way, files already
//     read shape-peer rms FOLDER         mm, from a to b and from b to a shape-peer align FOLDER       seconds of the
//     slowest of 100 alignments of b from random places; fails unless all
//                                   end at the same distance

#include "host/handles.hpp"
#include "host/registry.hpp"
#include "open3d_support/mesh_files.hpp"
#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>

#include <chrono>
#include <cstdio>
#include <iostream>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using open3d_support::ClosestPoints;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTriangles = 36'000, kSamples = 100'000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A bowed tube with thick ends and a head aside, where there are no real femurs: 150 rings of 120 corners.
Mesh made_up(double length) {
  constexpr int kRings = 151, kSectors = 120;
  std::vector<float> points;
  std::vector<std::int32_t> corners;
  for (int r = 0; r <= kRings; ++r)
    for (int s = 0; s < (r == 0 || r == kRings ? 1 : kSectors); ++s) {
      const double h = static_cast<double>(r) / kRings, angle = 2 * std::numbers::pi * s / kSectors;
      const double round = std::min(1.0, 1.6 * std::sqrt(std::max(0.0, std::sin(std::numbers::pi * h))));
      const double radius = round * (14 + 16 * std::pow(std::abs(2 * h - 1), 4));
      const double aside = 35 * std::exp(-std::pow((h - 0.05) / 0.06, 2));
      for (const double p : {radius * std::cos(angle) + aside,
                             radius * std::sin(angle) + 18 * std::sin(std::numbers::pi * h), length * (0.5 - h)})
        points.push_back(static_cast<float>(p));
    }
  const auto at = [&](int r, int s) {
    return r == 0 ? 0 : r == kRings ? 1 + (kRings - 1) * kSectors : 1 + (r - 1) * kSectors + s % kSectors;
  };
  for (int r = 0; r < kRings; ++r)
    for (int s = 0; s < kSectors; ++s) {
      if (r > 0) corners.insert(corners.end(), {at(r, s), at(r + 1, s), at(r, s + 1)});
      if (r + 1 < kRings) corners.insert(corners.end(), {at(r, s + 1), at(r + 1, s), at(r + 1, s + 1)});
    }
  return {at::tensor(points).view({-1, 3}), at::tensor(corners, at::kInt).view({-1, 3})};
}

std::pair<Mesh, Mesh> two_femurs() {
  const fs::path folder = fs::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
  if (!fs::exists(folder)) return {made_up(460), made_up(440)};
  const auto femur = [&](const char* name) {
    return open3d_support::simplified(open3d_support::read_mesh(folder / name), kTriangles);
  };
  return {femur("z009_Femur_R.ply"), femur("z066_Femur_R.ply")};
}

void write_meshes(const fs::path& folder) {
  const auto [a, b] = two_femurs();
  for (const Mesh* mesh : {&a, &b})
    if (mesh->triangles.size(0) != kTriangles)
      throw failure(text("a femur has ", mesh->triangles.size(0), " triangles"));
  open3d_support::write_mesh(a, folder / "a.ply");
  open3d_support::write_mesh(transformed(b, open3d_support::align_rigid(b, a)), folder / "b.ply");
}

std::pair<Mesh, Mesh> read_meshes(const fs::path& folder) {
  return {open3d_support::read_mesh(folder / "a.ply"), open3d_support::read_mesh(folder / "b.ply")};
}

/// The metric's figures as a run or `osteon mesh compare` gets them, the meshes where they stand.
MetricResult measured(const Mesh& a, const Mesh& b, double& seconds) {
  host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("metric", "surface_distance");
  const host::MetricHandle metric(
      plugin, Parameters(plugin.schema,
                         {{"alignment", std::string("none")}, {"samples", kSamples}, {"pictures", std::int64_t{0}}}));
  Evidence::Contents contents;
  contents.bones = {{"a", "a", Side::unknown, true}};
  ShapeCase::Answer answer;
  answer.estimator = "b";
  answer.together.mesh = b;
  ShapeCase one;
  one.truth = a;
  one.answers = {answer};
  contents.shapes.cases = {one};
  const Clock::time_point start = Clock::now();
  MetricResult result = metric.evaluate(contents);
  seconds = seconds_since(start);
  return result;
}

void print_distance(const fs::path& folder, bool rms) {
  const auto [a, b] = read_meshes(folder);
  double seconds = 0;
  const MetricResult result = measured(a, b, seconds);
  if (!rms) return void(std::printf("%.6f\n", seconds));
  for (const char* row : {"a → b", "b → a"})
    for (const MetricValue& value : result.values)
      if (value.row == row && value.column == "RMS" && value.unit == "mm") std::printf("%.6f\n", value.value);
}

void print_alignment(const fs::path& folder) {
  const auto [a, b] = read_meshes(folder);
  const ClosestPoints fixed(a);
  Random random(1, "starts");
  double slowest = 0, least = 1e9, most = 0;
  for (int i = 0; i < 100; ++i) {
    const Vec3 axis = normalised({random.normal(), random.normal(), random.normal()});
    const Affine start{rotation(axis, random.uniform(0, std::numbers::pi)),
                       {random.uniform(-500, 500), random.uniform(-500, 500), random.uniform(-500, 500)}};
    const Mesh moved = transformed(b, start);
    const Clock::time_point began = Clock::now();
    const Affine found = open3d_support::align_rigid(moved, a);
    slowest = std::max(slowest, seconds_since(began));
    const double rms = open3d_support::surface_distance(fixed, ClosestPoints(moved), found, 5000, 1).rms;
    least = std::min(least, rms);
    most = std::max(most, rms);
  }
  if (most - least > 0.01) throw failure(text("alignments end between ", least, " and ", most, " mm RMS"));
  std::printf("%.6f\n", slowest);
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  using namespace osteon;
  const std::string task = argc == 3 ? argv[1] : "";
  try {
    if (task == "meshes") return write_meshes(argv[2]), 0;
    if (task == "distance" || task == "rms") return print_distance(argv[2], task == "rms"), 0;
    if (task == "align") return print_alignment(argv[2]), 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  std::cerr << "shape-peer meshes|distance|rms|align FOLDER\n";
  return 2;
}
