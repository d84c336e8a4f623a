// Cameras, outlines and fits of bones whose place and shape are known.

#include "femurs.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>
#include <Eigen/Geometry>

#include <numbers>

namespace osteon::shape_model {
namespace {

using femurs::femur;
using femurs::told;

std::string complaint(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Camera, SeesPointsWhereTheirRaysMeetTheDetector) {
  for (const bool is_ml : {false, true}) {
    const Projection p = told(is_ml, 512, 0.7);
    const Camera camera(p);
    EXPECT_NEAR(camera.pixel, 0.7, 1e-9);
    EXPECT_NEAR(camera.distance, 900, 1e-9);
    for (const Vec3 point : {Vec3{10, -20, 150}, Vec3{-35, 12, -180}, Vec3{0, 0, 0}}) {
      const Eigen::Vector2d pixel = femurs::pixel_of(p, point);
      const Eigen::Vector2d here = camera.shadow(camera.axes.transpose() * to_eigen(point));
      EXPECT_LT((here - camera.to_mm(pixel.x(), pixel.y())).norm(), 1e-9);
    }
  }
}

TEST(Camera, GradientIsThatOfTheShadow) {
  const Camera camera(told(true));
  const Eigen::Vector3d point(12, 130, -25);
  const auto gradient = camera.shadow_gradient(point);
  for (int k = 0; k < 3; ++k) {
    Eigen::Vector3d step = Eigen::Vector3d::Zero();
    step[k] = 1e-4;
    const Eigen::Vector2d slope = (camera.shadow(point + step) - camera.shadow(point - step)) / 2e-4;
    EXPECT_LT((slope - gradient.col(k)).norm(), 1e-7);
  }
}

TEST(Camera, MovedExposureSeesTheBoneAsAMovedBoneIsSeen) {
  const Projection nominal = told(true);
  const Camera camera(nominal);
  const Eigen::Matrix3d turn = turn_of({0.2, -0.1, 0.3});
  const Eigen::Vector2d shift(7, -4);
  const Projection moved = camera.moved(nominal, turn, shift, 1.03);
  const Vec3 point{15, -22, 140};
  const Eigen::Vector3d there = turn * (camera.axes.transpose() * to_eigen(point)) + Eigen::Vector3d(7, -4, 0);
  const Eigen::Vector2d expected = 1.03 * camera.shadow(there);
  const Eigen::Vector2d pixel = femurs::pixel_of(moved, point);
  EXPECT_LT((camera.to_mm(pixel.x(), pixel.y()) - expected).norm(), 1e-6);
}

at::Tensor disc(double radius, double column, double row, double hole = 0) {
  at::Tensor picture = at::zeros({120, 100}, at::kFloat);
  for (std::int64_t y = 0; y < 120; ++y)
    for (std::int64_t x = 0; x < 100; ++x) {
      const double r = std::hypot(static_cast<double>(x) - column, static_cast<double>(y) - row);
      const double inside =
          std::clamp(radius - r + 0.5, 0.0, 1.0) - (hole > 0 ? std::clamp(hole - r + 0.5, 0.0, 1.0) : 0);
      picture[y][x] = static_cast<float>(inside);
    }
  return picture;
}

Camera flat_camera() {
  Projection p = told(false, 120, 1);
  p.columns = 100;
  p.parallel = true;
  p.column_step = {1, 0, 0};
  p.row_step = {0, 0, -1};
  p.first_pixel = {-50, -900, 60};
  return Camera(p);
}

TEST(Outline, OfADiscIsItsCircle) {
  const Outline outline = find_outline(disc(30.3, 49.2, 61.7, 12), flat_camera(), 0.5, 1);
  EXPECT_GT(outline.points.size(), 120U);
  const Eigen::Vector2d middle(49.2 - 50, 60 - 61.7);
  for (const OutlinePoint& point : outline.points) {
    EXPECT_NEAR((point.place - middle).norm(), 30.3, 0.1);
    EXPECT_GT(point.normal.dot((point.place - middle).normalized()), 0.98);
  }
}

TEST(Outline, IsThinnedOnBothSidesAlike) {
  const Outline outline = find_outline(disc(30, 50, 60), flat_camera(), 0.5, 2);
  EXPECT_DOUBLE_EQ(outline.step, 2);
  const auto left = std::ranges::count_if(outline.points, [](const OutlinePoint& p) { return p.place.x() < 0; });
  EXPECT_NEAR(static_cast<double>(left), static_cast<double>(outline.points.size()) / 2, 4);
}

TEST(Outline, LeavesOutWhereTheBoneGoesOnBeyondTheImage) {
  const Outline outline = find_outline(disc(30, 50, 110), flat_camera(), 0.5, 1);
  for (const OutlinePoint& point : outline.points) EXPECT_GT(point.place.y(), 60 - 118);
}

TEST(Outline, SaysThatAnImageIsBlack) {
  EXPECT_EQ(complaint([] {
              static_cast<void>(find_outline(at::zeros({120, 100}), flat_camera(), 0.5, 1));
            }),
            "the X-ray is all of one grey: there is no bone in it");
}

TEST(Rim, OfASphereIsLargerThanItBecauseRaysDiverge) {
  const Mesh ball = solids::sphere(40, 90, 140);
  const Camera camera(told(false));
  const Points points = points_of(ball) * camera.axes;
  const Connections connections(ball);
  const auto rim = rim_of(points, vertex_normals(points_of(ball), connections) * camera.axes, connections, camera);
  ASSERT_GT(rim.size(), 100U);
  const double radius = 40 * 900 / std::sqrt(900.0 * 900.0 - 1600);
  for (const RimPoint& point : rim) EXPECT_NEAR(point.place.norm(), radius, 0.15);
}

/// A model of two modes, and a bone of it in two turned, shifted and scaled views.
struct Scene {
  ShapeModel model;
  Mesh bone;
  std::vector<View> views;
  FitSettings settings;
};

Scene scene(double longer, double thicker, double ap_scale = 1, double ml_scale = 1) {
  std::vector<Points> shapes;
  for (const auto& [l, t] : {std::pair{-1.0, 0.0}, {1.0, 0.0}, {0.0, -1.0}, {0.0, 1.0}, {0.0, 0.0}})
    shapes.push_back(points_of(femur(l, t)));
  Scene result{principal_components(femur(0, 0), aligned(shapes), 0.999), femur(longer, thicker), {}, {}};
  result.settings.noise = 0.5;
  result.settings.independent = 10;
  const Eigen::Vector3d angles[] = {{0.15, 0.05, -0.2}, {0.18, -0.06, 0.1}};
  const double scales[] = {ap_scale, ml_scale};
  for (const bool is_ml : {false, true}) {
    const Projection nominal = told(is_ml);
    const Camera camera(nominal);
    const int v = is_ml ? 1 : 0;
    const Projection real = camera.moved(nominal, turn_of(angles[v]), Eigen::Vector2d(6, -9), scales[v]);
    result.views.push_back({camera, find_outline(femurs::shadow(result.bone, real), camera, 0.5, 2)});
  }
  return result;
}

TEST(FitToImages, FindsShapeAndPoseOfAMember) {
  const Scene given = scene(1.1, -0.8);
  const ImageFit fit = fit_to_images(given.model, given.views, given.settings);
  EXPECT_LT(fit.residual, 0.4);
  const Mesh found = with_points(given.model.surface, given.model.shape(fit.coefficients));
  const Affine map = open3d_support::align_rigid(found, given.bone);
  EXPECT_LT(open3d_support::surface_distance(transformed(found, map), given.bone, 4000).rms, 0.5);
  const double turned = (rotation_matrix(fit.poses[0].rotation) * turn_of({0.15, 0.05, -0.2}).transpose()).trace();
  EXPECT_GT(turned, 1 + 2 * std::cos(radians(3.0)));
}

TEST(FitToImages, AsksThePriorHowLargeABoneOfUnknownScaleIs) {
  Scene given = scene(0, 0, 1.03, 1.03);
  given.settings.scale = 0.001;  // the images are believed: a bone 3 % larger
  const ImageFit believed = fit_to_images(given.model, given.views, given.settings);
  given.settings.scale = 0.2;  // they are not: the mean's size
  const ImageFit doubted = fit_to_images(given.model, given.views, given.settings);
  EXPECT_NEAR(believed.poses[0].log_scale, 0, 0.002);
  EXPECT_NEAR(doubted.poses[0].log_scale, std::log(1.03), 0.01);
}

TEST(FitToImages, KnowsLessFromNoisierImages) {
  Scene given = scene(0.5, 0.5);
  const double sure = fit_to_images(given.model, given.views, given.settings).covariance.trace();
  given.settings.noise = 3;
  EXPECT_GT(fit_to_images(given.model, given.views, given.settings).covariance.trace(), 2 * sure);
}

TEST(FitToImages, GoesOnWhenAViewShowsNothingOfTheBone) {
  Scene given = scene(0, 0);
  for (OutlinePoint& point : given.views[1].outline.points) point.normal = -point.normal;  // inside out: no partners
  const ImageFit fit = fit_to_images(given.model, given.views, given.settings);
  EXPECT_TRUE(fit.coefficients.allFinite());
  EXPECT_TRUE(fit.covariance.allFinite());
}

TEST(OutlineOffset, IsHowFarAnOutlineLiesOutside) {
  const Mesh bone = femur(0, 0);
  const Projection nominal = told(false);
  const Camera camera(nominal);
  View view{camera, find_outline(femurs::shadow(bone, nominal), camera, 0.5, 2)};
  const double none = outline_offset(view, points_of(bone), Connections(bone));
  EXPECT_NEAR(none, 0, 0.15);
  for (OutlinePoint& point : view.outline.points) point.place += 1.2 * point.normal;
  EXPECT_NEAR(outline_offset(view, points_of(bone), Connections(bone)), none + 1.2, 0.1);
}

TEST(OutlineFeatures, DependNeitherOnPlaceNorOnInPlaneAngle) {
  const Scene given = scene(0, 0);
  std::vector<Eigen::Vector2d> points, turned;
  for (const OutlinePoint& point : given.views[0].outline.points) {
    points.push_back(point.place);
    turned.push_back(Eigen::Rotation2Dd(0.15) * point.place + Eigen::Vector2d(20, -5));
  }
  const Eigen::VectorXd difference = outline_features(points) - outline_features(turned);
  EXPECT_LT(difference.cwiseAbs().mean(), 0.7);
}

TEST(OutlineRegression, GuessesNearerThanTheMean) {
  const Scene given = scene(1.5, -1.2);
  OutlineRegression regression;
  regression.learn(given.model, given.settings, {given.views[0].camera, given.views[1].camera}, 600, 1);
  const PairStart start = regression.predict(given.views[0], given.views[1], 0);
  const ImageFit fit = fit_to_images(given.model, given.views, given.settings);
  EXPECT_LT((start.coefficients - fit.coefficients).norm(), 0.5 * fit.coefficients.norm());
  EXPECT_NEAR(start.ap[0], 0.15, 0.12);
}

}  // namespace
}  // namespace osteon::shape_model
