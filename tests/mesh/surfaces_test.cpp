// What open3d_support offers beyond tests/shape: distances from vertices, and alignment with one scale.

#include "open3d_support/surfaces.hpp"
#include "open3d_support/mesh_files.hpp"
#include "plain_distance.hpp"
#include "shape/solids.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <filesystem>

namespace osteon::open3d_support {
namespace {

Affine random_motion(Random& random, double shift, double scale = 1) {
  const Vec3 axis{random.normal(), random.normal(), random.normal()};
  Mat3 turn = rotation(normalised(axis), random.uniform(0, 3.14159));
  for (Vec3& column : turn.column) column = column * scale;
  return {turn, {random.uniform(-shift, shift), random.uniform(-shift, shift), random.uniform(-shift, shift)}};
}

double root_mean_square(const std::vector<double>& values) {
  double squares = 0;
  for (const double v : values) squares += v * v;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

/// Triangles anywhere within 100 mm, of sides up to `size` mm.
Mesh scattered_triangles(int count, double size, Random& random) {
  std::vector<Vec3> points;
  std::vector<std::array<std::int32_t, 3>> triangles;
  const auto around = [&](double half) {
    return Vec3{random.uniform(-half, half), random.uniform(-half, half), random.uniform(-half, half)};
  };
  for (int t = 0; t < count; ++t) {
    const Vec3 middle = around(100);
    for (int k = 0; k < 3; ++k) points.push_back(middle + around(size / 2));
    triangles.push_back({3 * t, 3 * t + 1, 3 * t + 2});
  }
  return solids::mesh_of(points, triangles);
}

TEST(ClosestPoints, AgreeWithAPlainLoopForAnyNumberOfTriangles) {
  Random random(8, "triangles");
  for (const int count : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 400})
    for (const double size : {2.0, 60.0}) {
      const Mesh mesh = transformed(scattered_triangles(count, size, random), {Mat3{}, {500, -700, 900}});
      // Near the triangles, among them and far away.
      const Mesh queries = transformed(scattered_triangles(20, 400, random), {Mat3{}, {500, -700, 900}});
      std::vector<Vec3> points;
      for (std::int64_t i = 0; i < queries.vertices.size(0); ++i) points.push_back(test::vertex_of(queries, i));
      const auto found = ClosestPoints(mesh).find(points);
      const auto plain = test::plain_distances(queries, mesh);
      for (std::size_t i = 0; i < points.size(); ++i)
        EXPECT_NEAR(std::sqrt(found[i].squared_distance), plain[i], 1e-6) << count << " triangles of " << size << " mm";
    }
}

TEST(ClosestPoints, TreatATriangleWithoutAreaAsTheLineThatItIs) {
  const Mesh line =
      solids::mesh_of({{0, 0, 0}, {10, 0, 0}, {4, 0, 0}, {50, 0, 0}, {50, 0, 0}, {50, 0, 0}}, {{0, 1, 2}, {3, 4, 5}});
  const auto found = ClosestPoints(line).find(std::vector<Vec3>{{7, 3, 0}, {-3, 4, 0}, {50, 0, 2}, {13, 0, 4}});
  const double expected[] = {9, 25, 4, 25};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i].squared_distance, expected[i], 1e-9) << i;
}

TEST(ClosestPoints, OfTrianglesEquallyCloseTakeTheFirstWhateverWasAskedBefore) {
  const ClosestPoints square(solids::square(100, 0));  // two triangles that meet along a diagonal
  const std::vector<Vec3> there{{-40, 10, 1}, {10, 10, 3}}, back{{40, -10, 1}, {10, 10, 3}};
  EXPECT_NE(square.find(there)[0].triangle, square.find(back)[0].triangle);
  EXPECT_EQ(square.find(there)[1].triangle, 0);
  EXPECT_EQ(square.find(back)[1].triangle, 0);
}

TEST(VertexDistance, OfConcentricSpheresIsTheDifferenceOfTheirRadii) {
  // Vertices lie on the spheres, triangles a little inside.
  const SurfaceDistance d =
      vertex_surface_distance(ClosestPoints(solids::sphere(50)), ClosestPoints(solids::sphere(53)), {});
  for (const double figure : {d.rms, d.mean, d.hd95, d.hausdorff, d.a_to_b.rms, d.b_to_a.rms})
    EXPECT_NEAR(figure, 3, 0.02);
}

TEST(VertexDistance, CountsEachVertexAlikeWhateverItsArea) {
  // Of the four corners of the large square none lies above the small one, of its area 16 % do.
  const ClosestPoints large(solids::square(100, 0)), small(solids::square(40, 1));
  const double corner = std::sqrt(30 * 30 + 30 * 30 + 1);
  const SurfaceDistance d = vertex_surface_distance(large, small, {});
  for (const double figure : {d.a_to_b.rms, d.a_to_b.mean, d.a_to_b.percentile_95, d.a_to_b.max, d.hausdorff, d.hd95})
    EXPECT_NEAR(figure, corner, 1e-5);
  EXPECT_NEAR(d.b_to_a.rms, 1, 1e-9);
  EXPECT_NEAR(d.rms, std::sqrt((corner * corner + 1) / 2), 1e-5);
  EXPECT_NEAR(d.mean, (corner + 1) / 2, 1e-5);
  EXPECT_LT(surface_distance(large, small, {}, 20'000, 1).a_to_b.rms, 0.8 * corner);
}

TEST(VertexDistance, AgreesWithAPlainLoopInFloat64) {
  const Mesh a = solids::ellipsoid({20, 30, 60}, 14, 18, {400, -300, 900});
  const Mesh b = solids::ellipsoid({22, 27, 64}, 12, 22, {401, -302, 897});
  std::vector<double> there = test::plain_distances(a, b), back = test::plain_distances(b, a);
  const SurfaceDistance d = vertex_surface_distance(ClosestPoints(a), ClosestPoints(b), {});
  EXPECT_NEAR(d.a_to_b.rms, root_mean_square(there), 1e-4);
  EXPECT_NEAR(d.b_to_a.rms, root_mean_square(back), 1e-4);
  for (auto* distances : {&there, &back}) std::sort(distances->begin(), distances->end());
  EXPECT_NEAR(d.hausdorff, std::max(there.back(), back.back()), 1e-4);
  const auto rank = [](const std::vector<double>& sorted) {  // of the smallest that 95 % do not exceed
    return sorted[static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(sorted.size()))) - 1];
  };
  EXPECT_NEAR(d.hd95, std::max(rank(there), rank(back)), 1e-4);
}

TEST(Distance, IsMeasuredWhereTheFirstSurfaceLies) {
  // The second sphere is given at a tenth of its size and laid on tenfold.
  const ClosestPoints a(solids::sphere(50)), b(solids::sphere(5.3));
  const Affine tenfold{{{{10, 0, 0}, {0, 10, 0}, {0, 0, 10}}}, {}};
  for (const SurfaceDistance& d : {surface_distance(a, b, tenfold, 5000, 1), vertex_surface_distance(a, b, tenfold)}) {
    EXPECT_NEAR(d.a_to_b.rms, 3, 0.03);
    EXPECT_NEAR(d.b_to_a.rms, 3, 0.03);
    EXPECT_NEAR(d.hausdorff, 3, 0.05);
  }
}

TEST(SimilarityAlignment, FindsMotionAndScale) {
  const Mesh bone = solids::bone();
  const ClosestPoints fixed(bone);
  Random random(5, "similarities");
  for (const double scale : {0.4, 0.93, 1.0, 1.1, 2.5}) {
    const ClosestPoints moving(transformed(bone, random_motion(random, 300, scale)));
    const Affine found = align_similarity(moving, fixed);
    EXPECT_NEAR(scale_of(found), 1 / scale, 1e-4 / scale);
    EXPECT_LT(surface_distance(fixed, moving, found, 5000, 1).rms, 0.01) << scale;
  }
}

TEST(SimilarityAlignment, OfSpheresLeavesNoDistance) {
  const Affine found = align_similarity(ClosestPoints(solids::sphere(37)), ClosestPoints(solids::sphere(50)));
  EXPECT_NEAR(scale_of(found), 50.0 / 37, 1e-3);
  EXPECT_NEAR(norm(found.offset), 0, 0.05);
}

TEST(SimilarityAlignment, IsNoFartherThanTheRigidOne) {
  const ClosestPoints fixed(solids::bone(400)), moving(solids::bone(380, 1.1));
  const double rigid = surface_distance(fixed, moving, align_rigid(moving, fixed), 20'000, 1).rms;
  EXPECT_LE(surface_distance(fixed, moving, align_similarity(moving, fixed), 20'000, 1).rms, rigid);
}

TEST(SimilarityAlignment, NeverMirrors) {
  const Mesh right = solids::bone();
  const ClosestPoints left(transformed(right, {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}}));
  const ClosestPoints fixed(right);
  const Affine found = align_similarity(left, fixed);
  EXPECT_GT(determinant(found.linear), 0);
  EXPECT_GT(surface_distance(fixed, left, found, 5000, 1).rms, 0.5);
}

class RealFemurs : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "the real femurs are missing: " << folder_;
  }
  [[nodiscard]] Mesh femur(const std::string& name) const { return read_mesh(folder_ / (name + "_Femur_R.ply")); }

  std::filesystem::path folder_;
};

TEST_F(RealFemurs, OfTwoPeopleMeetAlikeFromAHundredRandomStarts) {
  const Mesh other = simplified(femur("z001"), 4000);
  const ClosestPoints fixed(simplified(femur("z013"), 4000));
  const ClosestPoints first(other);
  const double rms = surface_distance(fixed, first, align_rigid(first, fixed), 5000, 1).rms;
  Random random(17, "starts");
  for (int i = 0; i < 100; ++i) {
    const ClosestPoints moving(transformed(other, random_motion(random, 500)));
    EXPECT_NEAR(surface_distance(fixed, moving, align_rigid(moving, fixed), 5000, 1).rms, rms, 0.01) << i;
  }
}

}  // namespace
}  // namespace osteon::open3d_support
