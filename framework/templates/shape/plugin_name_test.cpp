#include <osteon/shape.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

/// A tetrahedron of this size, to tell bones apart.
Mesh tetrahedron(float size) {
  return {at::tensor({0.0F, 0.0F, 0.0F, size, 0.0F, 0.0F, 0.0F, size, 0.0F, 0.0F, 0.0F, size}).view({4, 3}),
          at::tensor({0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3}, at::kInt).view({4, 3})};
}

/// Bone 0 near (1, 0), bone 1 near (10, 10); bone 2 has no X-ray.
std::unique_ptr<Shape> fitted(const std::string& distance) {
  auto shape = PluginLibrary("shape", PLUGIN_LIBRARY).make<Shape>({{"distance", distance}});
  ShapeGallery gallery;
  gallery.meshes = {tetrahedron(1), tetrahedron(2), tetrahedron(3)};
  gallery.embeddings = at::tensor({0.5F, 0.0F, 1.5F, 0.0F, 10.0F, 10.0F}).view({3, 2});
  gallery.bone = at::tensor({0, 0, 1}, at::kLong);
  shape->fit(gallery);
  return shape;
}

std::optional<std::int64_t> chosen(const std::string& distance) {
  ShapeQuery query;
  query.embeddings = at::tensor({2.0F, 1.0F, 2.0F, 3.0F}).view({2, 2});
  return fitted(distance)->predict(query).chosen;
}

TEST(PluginName, ChoosesTheBoneWhoseMeanIsNearest) { EXPECT_EQ(chosen("euclidean"), 0); }

TEST(PluginName, ChoosesByAngleWhenToldSo) { EXPECT_EQ(chosen("cosine"), 1); }

TEST(PluginName, ReturnsTheSurfaceOfTheBoneThatItChose) {
  ShapeQuery query;
  query.embeddings = at::tensor({9.0F, 9.0F}).view({1, 2});
  const ShapePrediction prediction = fitted("euclidean")->predict(query);
  EXPECT_EQ(prediction.chosen, 1);
  EXPECT_TRUE(prediction.mesh.vertices.equal(tetrahedron(2).vertices));
}

TEST(PluginName, RefusesAnEmptyGallery) {
  const auto shape = PluginLibrary("shape", PLUGIN_LIBRARY).make<Shape>();
  EXPECT_THROW(shape->fit({}), Error);
}

}  // namespace
}  // namespace osteon
