// The pieces of a comparison's picture, and the choice of its metric, without the command.

#include "imaging/surface_view.hpp"
#include "pipeline/mesh_compare.hpp"
#include "pipeline/mesh_crossings.hpp"
#include "pipeline/mesh_pair.hpp"
#include "shape/solids.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace osteon {
namespace {

using imaging::Rgb;
using imaging::SurfaceCamera;

// Seen from +y, 1 mm a pixel.
const SurfaceCamera kFront{{1, 0, 0}, {0, 0, 1}, {0, 1, 0}, 0, 0, 1, 40, 30};

/// A square of `side` that faces +y, at y = `depth`.
Mesh facing(double side, double depth) {
  return transformed(solids::square(side, depth), {rotation({1, 0, 0}, -std::numbers::pi / 2), {}});
}

std::array<int, 3> pixel(const at::Tensor& picture, std::int64_t row, std::int64_t column) {
  const auto* p = picture.data_ptr<std::uint8_t>() + 3 * (row * picture.size(1) + column);
  return {p[0], p[1], p[2]};
}

TEST(SurfaceView, ShowsASquareWhereItIsAndTheGroundAround) {
  const Mesh square = facing(20, 0);
  const at::Tensor picture = imaging::draw_surface(square, std::vector<Rgb>(4, {1, 0.5, 0}), kFront);
  EXPECT_EQ(picture.sizes(), (std::vector<std::int64_t>{30, 40, 3}));
  // The lamp is 0.45 up and 0.55 to the left of the eye; two fifths of the light come from everywhere.
  const double lit = 0.4 + 0.6 / std::sqrt(1 + 0.45 * 0.45 + 0.55 * 0.55);
  const std::array<int, 3> colour{static_cast<int>(std::lround(255 * lit)), static_cast<int>(std::lround(127.5 * lit)),
                                  0};
  const std::array<int, 3> ground{16, 16, 16};
  for (const auto& [row, column] : {std::pair{15, 20}, {5, 10}, {24, 29}})
    EXPECT_EQ(pixel(picture, row, column), colour);
  for (const auto& [row, column] : {std::pair{4, 20}, {25, 20}, {15, 9}, {15, 30}})
    EXPECT_EQ(pixel(picture, row, column), ground);
}

TEST(SurfaceView, WhatIsNearerHidesWhatIsBehind) {
  const Mesh near = facing(10, 5), far = facing(20, -5);
  const std::vector<Rgb> colours{{1, 0, 0}, {1, 0, 0}, {1, 0, 0}, {1, 0, 0},
                                 {0, 0, 1}, {0, 0, 1}, {0, 0, 1}, {0, 0, 1}};
  const auto both = [](const Mesh& a, const Mesh& b) {
    return Mesh{at::cat({a.vertices, b.vertices}), at::cat({a.triangles, b.triangles + 4})};
  };
  const std::vector<Rgb> turned(colours.rbegin(), colours.rend());
  for (const at::Tensor& picture : {imaging::draw_surface(both(near, far), colours, kFront),
                                    imaging::draw_surface(both(far, near), turned, kFront)}) {
    EXPECT_EQ(pixel(picture, 15, 20)[2], 0);
    EXPECT_GT(pixel(picture, 15, 20)[0], 200);
    EXPECT_EQ(pixel(picture, 7, 20)[0], 0);
    EXPECT_GT(pixel(picture, 7, 20)[2], 200);
  }
}

TEST(SurfaceView, StandsALongBoneUprightAndNeverMirrorsIt) {
  const Mesh lying = transformed(solids::bone(), {rotation({1, 0, 0}, std::numbers::pi / 2), {100, 200, 300}});
  const auto cameras = imaging::upright_cameras(lying);
  for (const SurfaceCamera& one : {cameras.first, cameras.second}) {
    EXPECT_GT(std::abs(one.up.y), 0.99);
    EXPECT_NEAR(norm(cross(one.right, one.up) - one.towards_eye), 0, 1e-9);
    const SurfaceCamera camera = imaging::fitted(one, {&lying}, 500);
    EXPECT_NEAR(camera.millimetres_per_pixel, 400 * 1.04 / 500, 0.02);
    EXPECT_LT(camera.width, 200);
  }
  EXPECT_NEAR(dot(cameras.first.towards_eye, cameras.second.towards_eye), 0, 1e-9);
}

SurfacePair pair_of(const std::vector<float>& distance) {
  return {"a and b", solids::square(100, 0), solids::square(100, 1), at::tensor(distance)};
}

TEST(ColourLimit, IsRoundedUpToOneTwoOrFive) {
  EXPECT_DOUBLE_EQ(pipeline::colour_limit(pair_of({0, 1, 2, 3})), 2);  // 98 % of four vertices are three of them
  EXPECT_DOUBLE_EQ(pipeline::colour_limit(pair_of({4, 4, 4, 4})), 5);
  EXPECT_DOUBLE_EQ(pipeline::colour_limit(pair_of({6, 6, 6, 6})), 10);
  EXPECT_DOUBLE_EQ(pipeline::colour_limit(pair_of({0.03F, 0.03F, 0.03F, 0.03F})), 0.05);
  EXPECT_DOUBLE_EQ(pipeline::colour_limit(pair_of({0, 0, 0, 0})), 1e-3);
}

TEST(MeshPicture, ShowsBothSurfacesFromTwoSidesBesideTheColourBar) {
  const Mesh truth = solids::bone();
  const std::int64_t vertices = truth.vertices.size(0);
  const SurfacePair pair{"a, b: 1.00 mm RMS", truth, truth, at::full({vertices}, 10.F)};
  const at::Tensor picture = pipeline::picture_of(pair);
  EXPECT_EQ(picture.size(0), 796);
  const auto yellow = [&](const at::Tensor& part) {  // viridis' last colour, however lit
    const at::Tensor p = part.to(at::kInt);
    return (p.select(2, 0) > 70).logical_and(p.select(2, 2) * 4 < p.select(2, 1)).sum().item<std::int64_t>();
  };
  const SurfacePair touching{pair.caption, truth, truth, at::zeros({vertices})};
  const std::int64_t far = yellow(picture), near = yellow(pipeline::picture_of(touching));
  EXPECT_GT(far, 10'000);    // two views of a bone
  EXPECT_LT(near, far / 5);  // the colour bar's end
}

TEST(MeshPicture, RefusesDistancesThatAreNotOneAVertex) {
  try {
    static_cast<void>(pipeline::picture_of(pair_of({1, 2, 3})));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "surface pair \"a and b\": distance must be float32 with one value for each of the 4 predicted vertices");
  }
}

TEST(MeshPieces, AreCountedByTheirVertices) {
  const Mesh one = solids::sphere(50, 10, 12);
  EXPECT_EQ(pipeline::piece_sizes(one), (std::vector<std::int64_t>{one.triangles.size(0)}));
  const Mesh box = solids::box({1, 1, 1});
  const Mesh both{at::cat({box.vertices, one.vertices}), at::cat({box.triangles, one.triangles + 8})};
  EXPECT_EQ(pipeline::piece_sizes(both), (std::vector<std::int64_t>{one.triangles.size(0), 12}));
}

TEST(SelfCrossings, AreWhereASurfacePassesThroughItself) {
  Mesh sphere = solids::sphere(50, 20, 30);
  EXPECT_EQ(pipeline::self_crossings(sphere).pairs, 0);
  sphere.vertices = sphere.vertices.clone();
  // The first vertex, a pole, pulled through the other side: the cone about it passes through that.
  const at::Tensor pole = sphere.vertices[0];
  const Vec3 from{pole[0].item<float>(), pole[1].item<float>(), pole[2].item<float>()};
  sphere.vertices[0] = pole * -1.4;
  const pipeline::Crossings crossings = pipeline::self_crossings(sphere);
  EXPECT_GT(crossings.pairs, 10);
  EXPECT_LT(norm(crossings.place - from * -1.0), 15);
}

TEST(SelfCrossings, AreThoseOfTwoBoxesThatShareNoVertex) {
  const Mesh a = solids::box({10, 10, 10}), b = transformed(solids::box({2, 2, 30}), {Mat3{}, {1.3, 0.7, 0}});
  const Mesh both{at::cat({a.vertices, b.vertices}), at::cat({a.triangles, b.triangles + 8})};
  EXPECT_GT(pipeline::self_crossings(both).pairs, 0);
  const Mesh apart = transformed(b, {Mat3{}, {40, 0, 0}});
  const Mesh neither{at::cat({a.vertices, apart.vertices}), at::cat({a.triangles, apart.triangles + 8})};
  EXPECT_EQ(pipeline::self_crossings(neither).pairs, 0);
}

TEST(SurfaceMetric, IsSaidToBeMissingWhereNoneIsInstalled) {
  host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins/format"});
  try {
    static_cast<void>(pipeline::surface_metric(registry, "", {{"alignment", std::string("none")}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "no installed metric measures a pair of surfaces: expected one that needs meshes alone and takes "
                 "alignment; build Osteon with Open3D, or name the folder of such a plugin with --plugins DIR");
  }
}

TEST(MeshFormat, IsSaidToBeMissingWhereNoneIsInstalled) {
  host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins/metric"});
  const std::filesystem::path file = std::filesystem::path(OSTEON_SOURCE_DIR) / "README.md";
  try {
    static_cast<void>(pipeline::read_mesh(registry, file));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), file.string() +
                                ": no installed format plugin knows this ending; there is none (osteon plugins lists "
                                "what is installed)");
  }
}

}  // namespace
}  // namespace osteon
