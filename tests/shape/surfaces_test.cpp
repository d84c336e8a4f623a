// Distances, alignment and the mean of surfaces whose answers are known, and of real femurs where they are at hand.

#include "open3d_support/surfaces.hpp"
#include "open3d_support/mesh_files.hpp"
#include "solids.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <filesystem>

namespace osteon::open3d_support {
namespace {

Affine random_motion(Random& random, double shift) {
  Vec3 axis{random.normal(), random.normal(), random.normal()};
  const Mat3 turn = rotation(normalised(axis), random.uniform(0, 3.14159));
  return {turn, {random.uniform(-shift, shift), random.uniform(-shift, shift), random.uniform(-shift, shift)}};
}

double farthest(const Affine& a, const Affine& b, const Mesh& mesh) {
  double worst = 0;
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) {
    const Vec3 v{p[3 * i], p[3 * i + 1], p[3 * i + 2]};
    worst = std::max(worst, norm(a * v - b * v));
  }
  return worst;
}

/// Distance of a point to a triangle by minimising over its three edges and its plane: another method than Ericson's.
double plain_distance(Vec3 p, Vec3 a, Vec3 b, Vec3 c) {
  const auto to_segment = [&](Vec3 from, Vec3 to) {
    const Vec3 along = to - from;
    const double t = std::clamp(dot(p - from, along) / dot(along, along), 0.0, 1.0);
    return norm(p - (from + along * t));
  };
  double best = std::min({to_segment(a, b), to_segment(b, c), to_segment(c, a)});
  const Vec3 n = normalised(cross(b - a, c - a));
  const Vec3 foot = p - n * dot(p - a, n);
  const bool inside =
      dot(cross(b - a, foot - a), n) >= 0 && dot(cross(c - b, foot - b), n) >= 0 && dot(cross(a - c, foot - c), n) >= 0;
  return inside ? std::min(best, std::abs(dot(p - a, n))) : best;
}

TEST(SurfaceDistance, OfConcentricSpheresIsTheDifferenceOfTheirRadii) {
  const SurfaceDistance d = surface_distance(solids::sphere(50), solids::sphere(53), 20'000, 1);
  EXPECT_NEAR(d.rms, 3, 0.03);
  EXPECT_NEAR(d.mean, 3, 0.03);
  EXPECT_NEAR(d.hausdorff, 3, 0.05);
  EXPECT_NEAR(d.a_to_b.rms, 3, 0.03);
  EXPECT_NEAR(d.b_to_a.rms, 3, 0.03);
}

TEST(SurfaceDistance, OfParallelSquaresIsExact) {
  const SurfaceDistance d = surface_distance(solids::square(100, 0), solids::square(100, 2.5), 1000, 1);
  EXPECT_NEAR(d.rms, 2.5, 1e-9);
  EXPECT_NEAR(d.hausdorff, 2.5, 1e-9);
}

TEST(SurfaceDistance, IsTheRootOfTheMeanOfBothDirectedMeanSquares) {
  // From the small square every point is 1 mm away; from the large one those outside are farther.
  const SurfaceDistance d = surface_distance(solids::square(100, 0), solids::square(40, 1), 50'000, 1);
  EXPECT_NEAR(d.b_to_a.rms, 1, 1e-9);
  EXPECT_GT(d.a_to_b.rms, 10);
  EXPECT_DOUBLE_EQ(d.rms, std::sqrt((d.a_to_b.rms * d.a_to_b.rms + d.b_to_a.rms * d.b_to_a.rms) / 2));
  // The corner of the large square: 30 mm beyond the small one in x and y, 1 mm above.
  EXPECT_NEAR(d.hausdorff, std::sqrt(30 * 30 + 30 * 30 + 1), 1e-5);
}

TEST(SurfaceDistance, AgreesWithAPlainLoopInFloat64) {
  const Mesh mesh = transformed(solids::bone(120), {Mat3{}, {300, -900, 500}});
  const ClosestPoints index(mesh);
  Random random(3, "points");
  std::vector<Vec3> points;
  for (int i = 0; i < 60; ++i)
    points.push_back({random.uniform(250, 350), random.uniform(-950, -850), random.uniform(420, 580)});
  const auto answers = index.find(points);
  const auto* vertex = mesh.vertices.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto at = [&](std::int64_t i) {
    const float* p = vertex + 3 * static_cast<std::int64_t>(corner[i]);
    return Vec3{p[0], p[1], p[2]};
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    double best = 1e9;
    for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t)
      best = std::min(best, plain_distance(points[i], at(3 * t), at(3 * t + 1), at(3 * t + 2)));
    EXPECT_NEAR(std::sqrt(answers[i].squared_distance), best, 1e-4);
    EXPECT_NEAR(norm(points[i] - answers[i].point), best, 1e-4);
  }
}

TEST(SurfaceDistance, SamplesLieEvenlyOnTheArea) {
  const Mesh box = solids::box({10, 20, 30});
  int on_top = 0;
  for (const Vec3& p : sample_surface(box, 22'000, 5)) on_top += std::abs(p.z - 15) < 1e-4;
  EXPECT_NEAR(on_top, 2000, 3);  // 200 of 2200 mm²
  EXPECT_EQ(sample_surface(box, 100, 5, 0), sample_surface(box, 100, 5, 0));
  EXPECT_NE(sample_surface(box, 100, 5, 0), sample_surface(box, 100, 5, 1));
}

TEST(SurfaceDistance, OfVerticesComesInTheirOrder) {
  const at::Tensor d = vertex_distances(solids::square(10, 4), solids::square(100, 0));
  EXPECT_TRUE(at::allclose(d, at::full({4}, 4.F)));
}

TEST(Alignment, OfARotatedBoxIsExact) {
  const Mesh box = solids::box({30, 50, 200});
  const Affine moved{rotation(normalised({1, 2, 3}), 0.4), {5, -8, 12}};
  const Mesh other = transformed(box, moved);
  EXPECT_LT(surface_distance(other, transformed(box, align_rigid(box, other)), 5000, 1).rms, 1e-3);
}

TEST(Alignment, FindsTheSameMinimumFromEveryOrientation) {
  const Mesh fixed = solids::bone(400);
  const Mesh other = solids::bone(380, 1.1);
  const ClosestPoints to(fixed);
  const Affine reference = align_rigid(ClosestPoints(other), to);
  const double rms = surface_distance(to, ClosestPoints(other), reference, 5000, 1).rms;
  Random random(11, "orientations");
  for (int i = 0; i < 30; ++i) {
    const Mesh turned = transformed(other, random_motion(random, 300));
    const ClosestPoints moving(turned);
    const Affine found = align_rigid(moving, to);
    EXPECT_NEAR(determinant(found.linear), 1, 1e-6);
    EXPECT_NEAR(surface_distance(to, moving, found, 5000, 1).rms, rms, 2e-3) << i;
  }
}

TEST(Alignment, NeverMirrors) {
  const Mesh right = solids::bone();
  const Mesh left = transformed(right, {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}});
  const Affine found = align_rigid(left, right);
  EXPECT_NEAR(determinant(found.linear), 1, 1e-6);
  EXPECT_GT(surface_distance(right, transformed(left, found), 5000, 1).rms, 0.5);
}

TEST(MeanShape, OfScaledEllipsoidsIsTheMeanEllipsoid) {
  std::vector<Mesh> meshes;
  for (const double s : {-0.06, -0.02, 0.02, 0.06})
    meshes.push_back(solids::ellipsoid({30 * (1 + s), 45, 150 * (1 - s)}));
  const Mesh mean = mean_shape(meshes);
  require_closed(mean, "the mean");
  EXPECT_LT(surface_distance(mean, solids::ellipsoid({30, 45, 150}), 20'000, 1).rms, 0.15);
}

TEST(MeanShape, OfOneBoneIsThatBone) {
  const std::vector<Mesh> one{solids::bone()};
  EXPECT_LT(surface_distance(mean_shape(one), one.front(), 20'000, 1).rms, 0.1);
}

TEST(MeanShape, NeedsAMesh) {
  try {
    static_cast<void>(mean_shape({}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a mean shape needs at least one mesh");
  }
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

TEST_F(RealFemurs, LieOnThemselves) {
  const Mesh bone = femur("z013");
  EXPECT_LT(surface_distance(bone, bone, 20'000, 1).hausdorff, 1e-3);
}

TEST_F(RealFemurs, ComeBackFromARandomMotion) {
  const Mesh bone = femur("z013");
  const ClosestPoints fixed(bone);
  Random random(2, "motion");
  for (int i = 0; i < 3; ++i) {
    const Affine motion = random_motion(random, 500);
    const Affine back = align_rigid(ClosestPoints(transformed(bone, motion)), fixed);
    const Affine both{back.linear * motion.linear, back * motion.offset};
    EXPECT_LT(farthest(both, Affine{}, bone), 1e-2);
  }
}

TEST_F(RealFemurs, OfOnePersonAreNearlyMirrorImages) {
  const Mesh right = femur("z013");
  const Mesh left = transformed(read_mesh(folder_ / "z013_Femur_L.ply"), {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}});
  EXPECT_LT(surface_distance(right, transformed(left, align_rigid(left, right)), 20'000, 1).rms, 2.2);
}

}  // namespace
}  // namespace osteon::open3d_support
