// Our side of `scripts/peers shape`: distances between two femurs of 36,000 triangles, the alignment of one onto the
// other, and what a bone takes that is known or asked for. One task a call; prints numbers and nothing else.
//
//     shape-peer meshes FOLDER      writes a.ply and b.ply, b laid onto a
//     shape-peer distance FOLDER    seconds of metric/surface_distance, 100,000 samples each way, files already read
//     shape-peer rms FOLDER         mm, from a to b and from b to a
//     shape-peer align FOLDER       seconds of the slowest of 100 alignments of b from random places; fails unless all
//                                   end at the same distance
//     shape-peer registration       seconds of the slowest of some femurs that a template is carried onto
//     shape-peer deform             seconds in which shape/deform, which knows ten femurs (six made-up ones where there
//                                   are none), predicts another from one X-ray pair; fails unless it comes nearer than
//                                   the nearest of these
//     shape-peer regress            the same of shape/regress

#include "host/handles.hpp"
#include "host/registry.hpp"
#include "open3d_support/mesh_files.hpp"
#include "open3d_support/surfaces.hpp"
#include "shape_model/image_fit.hpp"
#include "shape_model/registration.hpp"

#include "femurs.hpp"  // the tests' X-rays of meshes

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <Eigen/Eigenvalues>

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

/// Right femurs in one frame, whose long axis is z; the last one is asked for.
std::vector<Mesh> some_femurs() {
  std::vector<Mesh> bones;
  const fs::path folder = fs::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
  if (fs::exists(folder))
    for (const char* name : {"z001", "z009", "z013", "z023", "z035", "z036", "z046", "z055", "z057", "z061", "z066"})
      bones.push_back(open3d_support::read_mesh(folder / text(name, "_Femur_R.ply")));
  else
    for (const double length : {400.0, 420.0, 450.0, 470.0, 430.0, 440.0, 445.0}) bones.push_back(made_up(length));
  const shape_model::Points points = shape_model::points_of(bones.front());
  const Eigen::RowVector3d middle = points.colwise().mean();
  const shape_model::Points centred = points.rowwise() - middle;
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> axes(centred.transpose() * centred);  // ascending
  shape_model::Points upright = centred * axes.eigenvectors();
  if (axes.eigenvectors().determinant() < 0) upright.col(0) *= -1;
  bones.front() = shape_model::with_points(bones.front(), upright);
  for (std::size_t b = 1; b < bones.size(); ++b)
    bones[b] = transformed(bones[b], open3d_support::align_rigid(bones[b], bones.front()));
  return bones;
}

void print_registration() {
  const std::vector<Mesh> bones = some_femurs();
  const shape_model::Template pattern(open3d_support::of_median_size(bones), 10'000);
  double slowest = 0;
  for (const Mesh& bone : bones) {
    const Clock::time_point start = Clock::now();
    static_cast<void>(pattern.onto(ClosestPoints(bone)));
    slowest = std::max(slowest, seconds_since(start));
  }
  std::printf("%.6f\n", slowest);
}

constexpr std::int64_t kRows = 384;
constexpr double kPixel = 1.35, kBrightest = 2;  // mm; line integral of grey 255

/// An X-ray pair, as a run has it, of a bone that is turned about its axis and tilted, radians.
struct Pair {
  PairExposures told, real;
  at::Tensor image;
};

Pair xrayed(const Mesh& bone, double axial, double tilt) {
  Pair pair;
  std::vector<at::Tensor> halves;
  for (const bool is_ml : {false, true}) {
    const Projection told = femurs::told(is_ml, kRows, kPixel);
    const Projection real = shape_model::Camera(told).moved(told, shape_model::turn_of({axial, tilt, 0.1}), {5, -8}, 1);
    halves.push_back(femurs::xray(bone, real));
    (is_ml ? pair.told.ml : pair.told.ap) = told;
    (is_ml ? pair.real.ml : pair.real.ap) = real;
  }
  pair.image = at::cat(halves, 1).mul(255 / kBrightest).round().clamp(0, 255).to(at::kByte);
  return pair;
}

/// A bone from one pair, by a method that knows the others.
void print_fit(const std::string& method) {
  std::vector<Mesh> bones = some_femurs();
  const Mesh asked = bones.back();
  bones.pop_back();
  ShapeGallery gallery;
  std::vector<at::Tensor> images;
  for (const Mesh& bone : bones) {
    const Pair pair = xrayed(bone, 0, 0);
    images.push_back(pair.image);
    gallery.exposures.push_back(pair.real);
  }
  gallery.meshes = bones;
  gallery.images = at::stack(images);
  gallery.bone = at::arange(std::ssize(bones), at::kLong);
  gallery.embeddings = at::zeros({std::ssize(bones), 1});
  gallery.line_integrals = at::linspace(0, kBrightest, 256);
  gallery.scale_error = 0.02;

  host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("shape", method);
  const host::ShapeHandle shape(plugin, Parameters(plugin.schema, {}));
  shape.fit(gallery);
  const Pair pair = xrayed(asked, 0.2, 0.08);
  const ShapeQuery query{at::zeros({1, 1}), pair.image.unsqueeze(0), {pair.told}, gallery.line_integrals, 0.02};
  const Clock::time_point start = Clock::now();
  const ShapePrediction prediction = shape.predict(query);
  const double seconds = seconds_since(start);
  const auto off = [&](const Mesh& mesh) {
    const Affine map = open3d_support::align_rigid(mesh, asked);
    return open3d_support::surface_distance(transformed(mesh, map), asked, 5000).rms;
  };
  double nearest = std::numeric_limits<double>::infinity();
  for (const Mesh& bone : bones) nearest = std::min(nearest, off(bone));
  if (!(off(prediction.mesh) < nearest))
    throw failure(text(method, " is ", off(prediction.mesh), " mm off, the nearest known bone ", nearest, " mm"));
  std::printf("%.6f\n", seconds);
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  using namespace osteon;
  const std::string task = argc > 1 ? argv[1] : "", folder = argc > 2 ? argv[2] : "";
  try {
    if (task == "meshes") return write_meshes(folder), 0;
    if (task == "distance" || task == "rms") return print_distance(folder, task == "rms"), 0;
    if (task == "align") return print_alignment(folder), 0;
    if (task == "registration") return print_registration(), 0;
    if (task == "deform" || task == "regress") return print_fit(task), 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  std::cerr << "shape-peer meshes|distance|rms|align FOLDER, or registration|deform|regress\n";
  return 2;
}
