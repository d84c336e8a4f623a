// The rasteriser against analytic shapes; escaping, ticks and thinning of curves.

#include "chart.hpp"
#include "markup.hpp"
#include "rasteriser.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace osteon::report {
namespace {

/// A sphere of `rings` × 2 `rings` faces.
Mesh sphere(double radius, Vec3 centre, int rings) {
  std::vector<float> vertices;
  std::vector<std::int32_t> triangles;
  const int around = 2 * rings;
  for (int i = 0; i <= rings; ++i)
    for (int j = 0; j < around; ++j) {
      const double polar = std::numbers::pi * i / rings, azimuth = 2 * std::numbers::pi * j / around;
      const Vec3 p =
          centre +
          Vec3{std::sin(polar) * std::cos(azimuth), std::sin(polar) * std::sin(azimuth), std::cos(polar)} * radius;
      for (int axis = 0; axis < 3; ++axis) vertices.push_back(static_cast<float>(p[axis]));
    }
  for (int i = 0; i < rings; ++i)
    for (int j = 0; j < around; ++j) {
      const int a = i * around + j, b = i * around + (j + 1) % around, c = a + around, d = b + around;
      for (const int corner : {a, c, b, b, c, d}) triangles.push_back(corner);
    }
  return {at::tensor(vertices).reshape({-1, 3}).contiguous(),
          at::tensor(triangles, at::kInt).reshape({-1, 3}).contiguous()};
}

Camera from_the_front(int size, double millimetres_per_pixel) {
  Camera camera{{1, 0, 0}, {0, 0, 1}, {0, 1, 0}};
  camera.width = camera.height = size;
  camera.millimetres_per_pixel = millimetres_per_pixel;
  return camera;
}

std::int64_t covered(const Raster& raster) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < raster.triangle.size(); ++i) count += raster.covered(i);
  return count;
}

TEST(Rasteriser, ASpheresSilhouetteHasTheAreaOfItsDisc) {
  const Camera camera = from_the_front(300, 0.2);
  const double area = static_cast<double>(covered(rasterise(sphere(20, {1, 2, 3}, 60), camera))) * 0.2 * 0.2;
  EXPECT_NEAR(area / (std::numbers::pi * 20 * 20), 1, 0.01);
}

TEST(Rasteriser, DepthIsTheNearSideOfTheSphere) {
  const Raster raster = rasterise(sphere(20, {0, 5, 0}, 120), from_the_front(101, 0.5));
  EXPECT_NEAR(raster.depth[50 * 101 + 50], 25, 0.02);
  // 30 pixels, 15 mm, beside the middle: √(20² - 15²) nearer than the centre.
  EXPECT_NEAR(raster.depth[50 * 101 + 80], 5 + std::sqrt(400.0 - 225), 0.05);
  EXPECT_EQ(raster.depth[0], -std::numeric_limits<float>::infinity());
}

Mesh two_plates(double first_depth, double second_depth) {
  const auto a = static_cast<float>(first_depth), b = static_cast<float>(second_depth);
  const std::vector<float> vertices = {-9, a, -9, 9, a, -9, 0, a, 9, -9, b, -9, 9, b, -9, 0, b, 9};
  const std::vector<std::int32_t> triangles = {0, 1, 2, 3, 4, 5};
  return {at::tensor(vertices).reshape({-1, 3}), at::tensor(triangles, at::kInt).reshape({-1, 3})};
}

TEST(Rasteriser, TheNearerSurfaceHidesTheFarther) {
  for (const auto& [first, second, seen] : {std::tuple{1.0, 4.0, 1}, std::tuple{4.0, 1.0, 0}}) {
    const Raster raster = rasterise(two_plates(first, second), from_the_front(40, 0.5));
    EXPECT_GT(covered(raster), 0);
    for (std::size_t i = 0; i < raster.triangle.size(); ++i)
      if (raster.covered(i)) {
        EXPECT_EQ(raster.triangle[i], seen);
        EXPECT_FLOAT_EQ(raster.depth[i], 4);
      }
  }
}

TEST(Rasteriser, UpIsUpAndRightIsRight) {
  const Raster raster = rasterise(sphere(2, {10, 0, 15}, 12), from_the_front(50, 1));
  EXPECT_TRUE(raster.covered(10 * 50 + 35));  // 10 mm right of the middle column, 15 mm above the middle row
  EXPECT_FALSE(raster.covered(40 * 50 + 15));
}

TEST(Rasteriser, WhatLiesOutsideThePictureIsCutOff) {
  EXPECT_EQ(covered(rasterise(sphere(2, {1e6, 0, -1e6}, 8), from_the_front(20, 1))), 0);
  EXPECT_EQ(covered(rasterise(sphere(1e5, {0, 0, 0}, 8), from_the_front(20, 1))), 400);
}

TEST(Rasteriser, NormalsPointOutwardsAndTheLitSideIsBrighter) {
  const Mesh ball = sphere(20, {0, 0, 0}, 40);
  const auto normals = vertex_normals(ball);
  for (std::size_t i = 0; i < normals.size(); ++i) {
    const float* p = ball.vertices.data_ptr<float>() + 3 * i;
    EXPECT_GT(dot(normals[i], Vec3{p[0], p[1], p[2]} * (1 / 20.0)), 0.99);
  }
  const Camera camera = from_the_front(100, 0.5);
  const Raster raster = rasterise(ball, camera);
  const double upper_left = shade(raster, 35 * 100 + 35, ball, normals, camera);
  const double lower_right = shade(raster, 75 * 100 + 75, ball, normals, camera);
  EXPECT_GT(upper_left, 0.95);
  EXPECT_LT(lower_right, 0.5);
}

TEST(Rasteriser, EdgesAreAsOpaqueAsTheyAreCovered) {
  // A 4 × 2 grid of samples for 2 × 1 pixels; three of four samples of the first pixel are covered.
  const std::vector<bool> seen = {true, true, false, false, true, false, false, false};
  const at::Tensor picture = resolve(
      2, 1, 2, [&](std::size_t s) { return seen[s]; },
      [](std::size_t) {
        return Colour{1, 0.5, 0};
      });
  EXPECT_EQ(picture.size(2), 4);
  EXPECT_EQ(picture[0][0][3].item<int>(), 191);
  EXPECT_EQ(picture[0][0][0].item<int>(), 255);
  EXPECT_EQ(picture[0][0][1].item<int>(), 128);
  EXPECT_EQ(picture[0][1][3].item<int>(), 0);
}

TEST(Markup, EscapesWhatHtmlReads) {
  EXPECT_EQ(escaped("<b a=\"1\" c='2'>&amp;</b>"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;");
  EXPECT_EQ(escaped("12 ° · ‖a−p‖² 🦴\n"), "12 ° · ‖a−p‖² 🦴\n");
}

TEST(Markup, LeavesOutControlCharactersAndBytesThatAreNoUtf8) {
  EXPECT_EQ(escaped(std::string_view("a\0b\x1b[31m\x7f", 9)), "ab[31m");
  EXPECT_EQ(escaped("\xC0\xAF \xED\xA0\x80 \xF5 \xE2\x82"), "\uFFFD\uFFFD \uFFFD\uFFFD\uFFFD \uFFFD \uFFFD\uFFFD");
}

TEST(Markup, MakesIdsOfTitles) {
  EXPECT_EQ(slug("X-rays, \"queries\""), "x-rays-queries");
  EXPECT_EQ(slug("…"), "section");
}

TEST(Markup, SaysDurationsAsPeopleDo) {
  EXPECT_EQ(duration(8.06), "8.1 s");
  EXPECT_EQ(duration(59.97), "1 min 00 s");
  EXPECT_EQ(duration(151), "2 min 31 s");
  EXPECT_EQ(duration(3840), "1 h 04 min");
  EXPECT_EQ(duration(-1), "0.0 s");
}

TEST(Markup, SetsAMinusSignBeforeANumberAlone) {
  EXPECT_EQ(with_minus("-5.0 mm [-9.0, -1.0]"), "−5.0 mm [−9.0, −1.0]");
  EXPECT_EQ(with_minus("z001-2 of 3, rank-1, - and -x"), "z001-2 of 3, rank-1, - and -x");
}

TEST(Markup, WritesNumbersWithoutExponentsWherePeopleWould) {
  EXPECT_EQ(number(0.25), "0.25");
  EXPECT_EQ(number(12345), "12345");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(NAN), "undefined");
}

TEST(Chart, TicksAreRoundAndCoverTheValues) {
  EXPECT_EQ(round_ticks(0, 6, 6), (std::vector<double>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(round_ticks(0.3, 9.7, 4), (std::vector<double>{0, 5, 10}));
  for (const auto& [low, high] :
       {std::pair{1.0, 1.0}, std::pair{-3e-7, 2e-6}, std::pair{99.1, 99.9}, std::pair{0.0, 0.0},
        std::pair{55.5, std::nextafter(55.5, 60)}, std::pair{-1e17, -1e17 + 64}}) {
    const auto ticks = round_ticks(low, high, 4);
    EXPECT_LE(ticks.front(), low);
    EXPECT_GE(ticks.back(), high);
    EXPECT_LE(ticks.size(), 8U);
    EXPECT_GE(ticks.size(), 2U);
  }
}

TEST(Chart, ThinningKeepsASpike) {
  Curve curve{"loss", {}};
  for (int i = 0; i < 100000; ++i) curve.points.emplace_back(i / 1000.0, i == 54321 ? 80.0 : 1.0 + i % 7 * 0.01);
  const std::string html = learning_curves({&curve, 1});
  EXPECT_LT(html.size(), 20000U);
  EXPECT_NE(html.find(">80</text>"), std::string::npos);
  // The spike's own point, at the top of the panel: y is 12 pixels plus what lies between 80 and the last tick, 80.
  EXPECT_NE(html.find(" 12L"), std::string::npos);
}

TEST(Chart, CurvesOfOneFigureShareAPanelAndNanBreaksALine) {
  const std::vector<Curve> curves = {{"accuracy (training)", {{0, 1}, {1, 2}}},
                                     {"accuracy (validation)", {{0, 1}, {1, NAN}, {2, 2}}},
                                     {"<loss>", {{0, NAN}}}};
  const std::string html = learning_curves(curves);
  std::size_t panels = 0;
  for (std::size_t at = html.find("<figure"); at != std::string::npos; at = html.find("<figure", at + 1)) ++panels;
  EXPECT_EQ(panels, 2U);
  EXPECT_NE(html.find("&lt;loss&gt;"), std::string::npos);
  EXPECT_NE(html.find("no finite value"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
  const std::size_t second = html.find("series-1\"><path d=\"M");
  ASSERT_NE(second, std::string::npos);
  const std::string path = html.substr(second + 18, html.find('"', second + 19) - second - 18);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 2);
}

}  // namespace
}  // namespace osteon::report
