// Cameras, outlines and fits of bones whose place and shape are known.

#include "femurs.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>
#include <Eigen/Geometry>

#include <numbers>
#include <optional>

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

TEST(Folds, OfASphereAreALargerCircleBecauseRaysDiverge) {
  const Mesh ball = solids::sphere(40, 90, 140);
  const Camera camera(told(false));
  const Points points = points_of(ball) * camera.axes;
  const Connections connections(ball);
  const auto folds = folds_of(points, vertex_normals(points_of(ball), connections) * camera.axes, connections, camera);
  ASSERT_GT(folds.size(), 100U);
  const double radius = 40 * 900 / std::sqrt(900.0 * 900.0 - 1600);
  double length = 0;
  for (const Fold& fold : folds) {
    EXPECT_NEAR(fold.place.norm(), radius, 0.15);
    EXPECT_GT(fold.normal.dot(fold.place.normalized()), 0.98);
    EXPECT_NEAR(fold.weights.sum(), 1, 1e-9);
    length += fold.length;
  }
  EXPECT_NEAR(length, 2 * std::numbers::pi * radius, 2);
}

TEST(Edges, AreFoundAcrossAFold) {
  const Edges edges(disc(30.3, 49.2, 61.7), flat_camera());
  const Eigen::Vector2d middle(49.2 - 50, 60 - 61.7);
  for (const double around : {0.0, 0.7, 1.9, 3.3, 5.1}) {
    const Eigen::Vector2d out(std::cos(around), std::sin(around));
    for (const double from : {-3.0, 0.0, 2.0}) {
      const auto found = edges.find(middle + (30.3 + from) * out, out, 6);
      ASSERT_TRUE(found.has_value());
      EXPECT_NEAR(*found, -from, 0.3);
    }
    EXPECT_FALSE(edges.find(middle + 30.3 * out, -out, 4).has_value()) << "inwards it rises";
    EXPECT_FALSE(edges.find(middle + 300 * out, out, 4).has_value()) << "outside the image there is nothing";
  }
}

TEST(Edges, AreFoundWithinABrighterThing) {
  // A ball before a larger one, off its middle: what lies behind it does not hide it.
  const Edges edges(disc(40, 50, 60).add(disc(15, 62, 52)), flat_camera());
  const Eigen::Vector2d middle(62 - 50, 60 - 52), out(-0.6, -0.8);
  const auto found = edges.find(middle + 16.5 * out, out, 5);
  ASSERT_TRUE(found.has_value());
  EXPECT_NEAR(*found, -1.5, 0.2);
}

std::vector<Fold> circle(double radius) {
  std::vector<Fold> folds;
  for (int k = 0; k < 90; ++k) {
    const double around = 2 * std::numbers::pi * k / 90;
    const Eigen::Vector2d out(std::cos(around), std::sin(around));
    folds.push_back({{}, {1, 0, 0}, radius * out, out, 2 * std::numbers::pi * radius / 90});
  }
  return folds;
}

TEST(Edges, SayWhereFoldsAgreeWithThemBest) {
  const Edges edges(disc(20, 61, 38), flat_camera());
  const Edges::Placed right = edges.place(circle(20), 60), small = edges.place(circle(12), 60);
  EXPECT_LT((right.shift - Eigen::Vector2d(11, 22)).norm(), 4);
  EXPECT_GT(right.agreement, 1.3 * small.agreement);
  EXPECT_LE(edges.place(circle(20), 10).shift.norm(), 10) << "no further than it may";
}

TEST(EdgeStatistics, SayHowFarEdgesLieFromFoldsAndHowSurely) {
  const Mesh bone = femur(0, 0);
  const Connections connections(bone);
  const Camera camera(told(false));
  EdgeStatistics right(points_of(bone).rows()), shifted(points_of(bone).rows());
  const at::Tensor image = femurs::xray(bone, told(false));
  right.add(Edges(image, camera), camera, points_of(bone), connections);
  const EdgeOffsets none = right.offsets();
  EXPECT_LT(none.mean.mean(), 0) << "a blurred root rises within";
  EXPECT_GT(none.mean.mean(), -1.2);
  EXPECT_LT(none.deviation.mean(), 0.6);
  // Larger bones in the same image: edges lie inside their folds.
  const Points larger = points_of(femur(0, 1));
  shifted.add(Edges(image, camera), camera, larger, connections);
  EXPECT_LT(shifted.offsets().mean.mean(), none.mean.mean() - 0.3);
  EXPECT_FALSE(EdgeStatistics(5).offsets().known()) << "nothing was shown";
}

/// A model of two modes, and a bone of it in two turned, shifted and scaled views.
struct Scene {
  ShapeModel model;
  Mesh bone;
  std::vector<View> views;
  FitSettings settings;
};

/// As X-rays of other members show them.
EdgeOffsets edge_offsets() {
  const Connections connections(femur(0, 0));
  EdgeStatistics statistics(points_of(femur(0, 0)).rows());
  for (const bool is_ml : {false, true})
    for (const double turned : {-0.2, 0.0, 0.2}) {
      const Mesh bone = femur(turned, -turned);
      const Projection seen = Camera(told(is_ml)).moved(told(is_ml), turn_of({turned, 0, 0}), {0, 0}, 1);
      const Camera camera(seen);
      statistics.add(Edges(femurs::xray(bone, seen), camera), camera, points_of(bone), connections);
    }
  return statistics.offsets();
}

Scene scene(double longer, double thicker, double ap_scale = 1, double ml_scale = 1) {
  std::vector<Points> shapes;
  for (const auto& [l, t] : {std::pair{-1.0, 0.0}, {1.0, 0.0}, {0.0, -1.0}, {0.0, 1.0}, {0.0, 0.0}})
    shapes.push_back(points_of(femur(l, t)));
  Scene result{principal_components(femur(0, 0), aligned(shapes), 0.999), femur(longer, thicker), {}, {}};
  static const EdgeOffsets offsets = edge_offsets();
  result.settings.edges = offsets;
  result.settings.independent = 10;
  const Eigen::Vector3d angles[] = {{0.15, 0.05, -0.2}, {0.18, -0.06, 0.1}};
  const double scales[] = {ap_scale, ml_scale};
  for (const bool is_ml : {false, true}) {
    const Projection nominal = told(is_ml);
    const Camera camera(nominal);
    const int v = is_ml ? 1 : 0;
    const Projection real = camera.moved(nominal, turn_of(angles[v]), Eigen::Vector2d(6, -9), scales[v]);
    const at::Tensor image = femurs::xray(result.bone, real);
    result.views.push_back({camera, find_outline(image, camera, 0.1, 2), Edges(image, camera)});
  }
  return result;
}

ImageFit fitted(const Scene& given, const std::vector<PairStart>& starts = {}) {
  return refined(given.model, given.views, given.settings, begin_fit(given.model, given.views, given.settings, starts));
}

TEST(FitToImages, FindsShapeAndPoseOfAMember) {
  const Scene given = scene(1.1, -0.8);
  const ImageFit fit = fitted(given);
  EXPECT_LT(fit.residual, 0.4);
  const Mesh found = with_points(given.model.surface, given.model.shape(fit.coefficients));
  const Affine map = open3d_support::align_rigid(found, given.bone);
  EXPECT_LT(open3d_support::surface_distance(transformed(found, map), given.bone, 4000).rms, 0.5);
  const double turned = (fit.poses[0].turn * turn_of({0.15, 0.05, -0.2}).transpose()).trace();
  EXPECT_GT(turned, 1 + 2 * std::cos(radians(3.0)));
}

TEST(FitToImages, AsksThePriorHowLargeABoneOfUnknownScaleIs) {
  Scene given = scene(0, 0, 1.03, 1.03);
  given.settings.scale = 0.001;  // the images are believed: a bone 3 % larger
  const ImageFit believed = fitted(given);
  given.settings.scale = 0.2;  // they are not: the mean's size
  const ImageFit doubted = fitted(given);
  EXPECT_NEAR(believed.poses[0].log_scale, 0, 0.002);
  EXPECT_NEAR(doubted.poses[0].log_scale, std::log(1.03), 0.01);
}

double expected_error(const Scene& given, double noisier = 1) {
  return Uncertainty(given.model, fitted(given)).expected_error(noisier);
}

TEST(FitToImages, KnowsLessWhereEdgesLieOffTheFit) {
  Scene given = scene(0.5, 0.5);
  given.settings.scale = 0.001;
  const Scene other = scene(-1, -1);
  const double plain = fitted(given).misfit, sure = expected_error(given);
  EXPECT_GT(expected_error(given, 16), 2 * sure);
  given.views[1] = other.views[1];  // AP and ML are not of one bone
  const ImageFit torn = fitted(given);
  EXPECT_GT(torn.misfit, 2 * plain);
  EXPECT_GT(Uncertainty(given.model, torn).expected_error(), 1.3 * sure);
}

TEST(FitToImages, CountsFoldsWithoutEdges) {
  Scene given = scene(0.5, 0.5);
  const ImageFit whole = fitted(given);
  given.views[0].edges = Edges(at::zeros({512, 256}), given.views[0].camera);
  const ImageFit half = fitted(given);
  EXPECT_GT(half.residual, 2 * whole.residual);
  EXPECT_GT(half.misfit, 2 * whole.misfit);
}

TEST(FitToImages, KnowsNoMoreOfTheSizeThanOfTheScale) {
  Scene given = scene(0, 0);
  given.settings.scale = 0.05;
  const double doubted = expected_error(given, 0.25);  // however plain the edges are
  given.settings.scale = 0.001;
  EXPECT_GT(doubted, 3 * expected_error(given, 0.25));
}

TEST(FitToImages, GoesOnWhenAViewShowsNothingOfTheBone) {
  Scene given = scene(0, 0);
  given.views[1].edges = Edges(at::zeros({512, 256}), given.views[1].camera);
  const ImageFit fit = fitted(given);
  EXPECT_TRUE(fit.coefficients.allFinite());
  EXPECT_TRUE(fit.information.allFinite());
}

TEST(FitToImages, BeginsElsewhereWhereAGuessLeadsNowhere) {
  const Scene given = scene(1.1, -0.8);
  const Eigen::VectorXd strange = Eigen::VectorXd::Constant(given.model.size(), 3);
  const PairStart wrong{strange, {radians(-70.0), 0.3}, {radians(80.0), -0.3}};
  const ImageFit guessed = fitted(given, {wrong});
  const ImageFit fit = fitted(given);
  EXPECT_LT((guessed.coefficients - fit.coefficients).norm(), 0.1);
}

TEST(FitToImages, IsRefinedFromWhereEachPairBegan) {
  const Scene given = scene(1.1, -0.8);
  std::vector<View> twice = given.views;
  twice.insert(twice.end(), given.views.begin(), given.views.end());
  const std::vector<Placement> begun = begin_fit(given.model, twice, given.settings);
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_EQ(begun[0].coefficients, begun[1].coefficients);
  const ImageFit together = refined(given.model, twice, given.settings, begun);
  const ImageFit alone = fitted(given);
  const auto of_shape = [&](const ImageFit& fit) {
    return fit.information.bottomRightCorner(given.model.size(), given.model.size()).trace();
  };
  EXPECT_NEAR(of_shape(together) / of_shape(alone), 2, 0.1);
  EXPECT_EQ(together.poses.size(), 4U);
}

/// Lays a plate beside the lower end of a scene's bone, which then is not the largest thing in its X-rays, and another
/// bone to its left, three times as bright.
void add_others(Scene& given, double plate, const std::optional<Mesh>& other = std::nullopt) {
  const Eigen::Vector3d angles[] = {{0.15, 0.05, -0.2}, {0.18, -0.06, 0.1}};
  for (std::size_t v = 0; v < 2; ++v) {
    const Camera& camera = given.views[v].camera;
    const auto seen = [&](const Mesh& bone, const Eigen::Vector2d& shift) {
      return femurs::xray(bone, camera.moved(told(v == 1), turn_of(angles[v]), shift, 1));
    };
    at::Tensor image = seen(given.bone, {6, -9});
    if (other) image += seen(*other, {-44, 0}).mul(3);
    image.slice(0, 330, 510).slice(1, 150, 250) += plate;
    given.views[v] = {camera, find_outline(image, camera, 0.1, 2), Edges(image, camera)};
  }
}

TEST(FitToImages, FindsABoneAmongOthers) {
  Scene given = scene(1.1, -0.8);
  const ImageFit alone = fitted(given);
  add_others(given, 1.5);
  EXPECT_LT((fitted(given).coefficients - alone.coefficients).norm(), 0.3);
}

TEST(FitToImages, FollowsAsManyBeginningsAsItIsTold) {
  // A bright bone, turned about and far too short, agrees with the model's shaft better than the right one does.
  Scene given = scene(1.1, -0.8);
  const ImageFit alone = fitted(given);
  add_others(given, 4.5, transformed(femur(-5, 0), {rotation({0, 0, 1}, std::numbers::pi), {}}));
  EXPECT_GT((fitted(given).coefficients - alone.coefficients).norm(), 2);
  given.settings.beginnings = 15;
  EXPECT_LT((fitted(given).coefficients - alone.coefficients).norm(), 0.3);
}

TEST(Uncertainty, IsMadeAsLargeAsRealErrors) {
  const Scene given = scene(0.5, 0.5);
  const std::vector<Uncertainty> fits(3, Uncertainty(given.model, fitted(given)));
  const double real = fits[0].expected_error(2.5);
  EXPECT_NEAR(noisier_by(fits, std::vector<double>{real, real, real}), 2.5, 0.01);
  EXPECT_EQ(noisier_by({}, {}), 1);
  // Draws spread further where edges are noisier.
  Random random(1, "test", 0);
  double variance = 0, expected = 0;
  for (int d = 0; d < 400; ++d) variance += fits[0].draw(random, 10).squaredNorm() / 400;
  for (int d = 0; d < 400; ++d) expected += fits[0].draw(random, 1).squaredNorm() / 400;
  EXPECT_GT(variance, 2 * expected);
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
  const PairStart start = regression.predict(given.views[0], given.views[1]);
  const ImageFit fit = fitted(given);
  EXPECT_LT((start.coefficients - fit.coefficients).norm(), 0.5 * fit.coefficients.norm());
  EXPECT_NEAR(start.ap[0], 0.15, 0.12);
}

}  // namespace
}  // namespace osteon::shape_model
