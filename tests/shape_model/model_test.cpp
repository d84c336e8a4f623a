// Correspondences and models of bones whose modes are known.

#include "femurs.hpp"

#include "open3d_support/surfaces.hpp"

#include <gtest/gtest.h>

namespace osteon::shape_model {
namespace {

using femurs::femur;

double rms(const Mesh& a, const Mesh& b) { return open3d_support::surface_distance(a, b, 4000).rms; }

/// Bones of one triangulation, whose vertices correspond as they are.
std::vector<Points> family() {
  std::vector<Points> shapes;
  for (const auto& [longer, thicker] : {std::pair{-1.0, 0.0}, {1.0, 0.0}, {0.0, -1.0}, {0.0, 1.0}, {0.0, 0.0}})
    shapes.push_back(points_of(femur(longer, thicker)));
  return shapes;
}

TEST(Template, IsCarriedOntoABoneOfOtherSizeAndTriangles) {
  const Mesh bone = femur(2, 1, 90, 61);
  const Template pattern(femur(0, 0), 4000);
  const Points carried = pattern.onto(open3d_support::ClosestPoints(bone));
  EXPECT_LT(rms(with_points(pattern.mesh(), carried), bone), 0.25);
  // The same vertex lies at the same place: 20 mm longer on either side, so heights scale by 220 / 200.
  const Points from = points_of(pattern.mesh());
  double sum = 0;
  for (Eigen::Index v = 0; v < from.rows(); ++v) sum += std::abs(carried(v, 2) - 1.1 * from(v, 2));
  EXPECT_LT(sum / static_cast<double>(from.rows()), 2.0);
}

TEST(Template, IsCarriedTheSameWayTwice) {
  const Template pattern(femur(0, 0), 2000);
  const open3d_support::ClosestPoints bone(femur(1, -1, 60, 41));
  EXPECT_TRUE(pattern.onto(bone) == pattern.onto(bone));
}

TEST(Aligned, ShapesHaveLostTheirMotionsAndKeptTheirSize) {
  std::vector<Points> shapes = family();
  const std::vector<Points> before = aligned(shapes);
  for (std::size_t i = 1; i < shapes.size(); ++i)
    shapes[i] = mapped(shapes[i], {rotation(normalised(Vec3{1, 2, static_cast<double>(i)}), 0.7), {5, -3, 40}});
  const std::vector<Points> after = aligned(shapes);
  for (std::size_t i = 0; i < shapes.size(); ++i) EXPECT_LT((after[i] - before[i]).norm() / before[i].norm(), 1e-9);
  const auto height = [](const Points& p) { return p.col(2).maxCoeff() - p.col(2).minCoeff(); };
  EXPECT_NEAR(height(after[1]) - height(after[0]), 40, 0.5);
}

double log_size(const Points& shape) { return std::log((shape.rowwise() - shape.colwise().mean()).norm()); }

TEST(PrincipalComponents, OfTwoKnownModesAreTheseAndSize) {
  const auto shapes = aligned(family());
  const ShapeModel model = principal_components(femur(0, 0), shapes, 0.999);
  ASSERT_EQ(model.size(), 3);
  // Of the coordinates of bones brought to one size, and of their sizes.
  double variance = 0, mean_size = 0, size_variance = 0;
  for (const Points& shape : shapes) mean_size += log_size(shape) / 5;
  const Points mean = Eigen::Map<const Points>(model.mean.data(), shapes.front().rows(), 3);
  for (const Points& shape : shapes) {
    const Eigen::RowVector3d centre = shape.colwise().mean();
    const Points same = ((shape.rowwise() - centre) * std::exp(mean_size - log_size(shape))).rowwise() + centre;
    variance += (same - mean).squaredNorm() / 4;
    size_variance += std::pow(log_size(shape) - mean_size, 2) / 4;
  }
  variance += size_variance * (mean.rowwise() - mean.colwise().mean()).squaredNorm();
  EXPECT_NEAR(model.modes.squaredNorm(), variance, 1e-3 * variance);
  EXPECT_GT(model.modes.col(0).norm(), model.modes.col(1).norm());
}

/// How improbable the mean is when it is so much larger, in standard deviations of the model.
double improbable(const ShapeModel& model, double larger) {
  const Points mean = Eigen::Map<const Points>(model.mean.data(), model.mean.size() / 3, 3);
  const Points change = (mean.rowwise() - mean.colwise().mean()) * larger;
  const Eigen::VectorXd wanted = Eigen::Map<const Eigen::VectorXd>(change.data(), change.size());
  const double noise = 1e-3 * wanted.norm();
  Eigen::MatrixXd normal = model.modes.transpose() * model.modes / (noise * noise);
  normal.diagonal().array() += 1;
  return normal.ldlt().solve(model.modes.transpose() * wanted / (noise * noise)).norm();
}

TEST(ShapeModels, TakeALargerBoneForNoStrangerThanSizesVary) {
  const auto shapes = aligned(family());
  double mean_size = 0, size_variance = 0;
  for (const Points& shape : shapes) mean_size += log_size(shape) / 5;
  for (const Points& shape : shapes) size_variance += std::pow(log_size(shape) - mean_size, 2) / 4;
  const double deviation = std::sqrt(size_variance);
  // The two modes have a part in it too, so less than one.
  EXPECT_LT(improbable(principal_components(femur(0, 0), shapes, 0.9999), deviation), 1.02);
  EXPECT_LT(improbable(gaussian_process(femur(0, 0), shapes, {0.5, 80, 0.7, 30, 150}), deviation), 1.05);
}

TEST(PrincipalComponents, OfOneBoneAreNone) {
  const ShapeModel model = principal_components(femur(0, 0), {points_of(femur(0, 0))}, 0.99);
  EXPECT_EQ(model.size(), 0);
  EXPECT_LT(rms(with_points(model.surface, model.shape(Eigen::VectorXd(0))), femur(0, 0)), 1e-3);
}

TEST(GaussianProcess, WithoutLocalPartsIsThePrincipalComponents) {
  const auto shapes = aligned(family());
  const ShapeModel pca = principal_components(femur(0, 0), shapes, 0.9999);
  const ShapeModel process = gaussian_process(femur(0, 0), shapes, {1, 80, 0, 30, 50});
  ASSERT_GE(process.size(), pca.size());
  const Eigen::MatrixXd one = pca.modes.topRows(300) * pca.modes.topRows(300).transpose();
  const Eigen::MatrixXd other = process.modes.topRows(300) * process.modes.topRows(300).transpose();
  EXPECT_LT((one - other).norm(), 0.02 * one.norm());
}

TEST(GaussianProcess, OfFreeDeformationsHasTheirVariance) {
  const std::vector<Points> alike(3, points_of(femur(0, 0)));
  const ShapeModel process = gaussian_process(femur(0, 0), alike, {0.5, 80, 2, 40, 400});
  const double deviation = std::sqrt(process.modes.squaredNorm() / static_cast<double>(process.mean.size()));
  EXPECT_NEAR(deviation, 2, 0.1);
}

TEST(FitToSurface, FindsAMemberWhereverItStands) {
  const auto shapes = aligned(family());
  const ShapeModel model = principal_components(femur(0, 0), shapes, 0.999);
  const Mesh bone = transformed(femur(1.4, -0.9, 80, 60), {rotation({0, 1, 0}, 0.4), {30, -10, 5}});
  const SurfaceFit fit = fit_to_surface(model, bone, 0.2);
  EXPECT_LT(rms(with_points(model.surface, fit.points), bone), 0.2);
}

TEST(Correspondences, NeedTwoBones) {
  Correspondences correspondences(1000);
  try {
    static_cast<void>(correspondences.of({femur(0, 0)}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the gallery has 1 bones, and how shapes vary can be learnt from two or more; use shape/nearest");
  }
}

}  // namespace
}  // namespace osteon::shape_model
