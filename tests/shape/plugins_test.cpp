// shape/nearest, loaded through the host.

#include "loaded.hpp"
#include "solids.hpp"

#include <gtest/gtest.h>

namespace osteon {
namespace {

at::Tensor rows(std::initializer_list<float> values, std::int64_t width) {
  return at::tensor(std::vector<float>(values)).view({-1, width});
}

ShapeQuery asking(const at::Tensor& embeddings) {
  ShapeQuery query;
  query.embeddings = embeddings;
  return query;
}

ShapeGallery three_bones() {
  ShapeGallery gallery;
  for (const double radius : {10, 20, 30}) gallery.meshes.push_back(solids::sphere(radius, 8, 12));
  // Bone 0 at x = 0, bone 1 at x = 1, bone 2 at x = 2, each once more 0.4 beside.
  gallery.embeddings = rows({0, 0, 0.4F, 0, 1, 0, 1.4F, 0, 2, 0, 2.4F, 0}, 2);
  gallery.bone = at::tensor(std::vector<std::int64_t>{0, 0, 1, 1, 2, 2});
  return gallery;
}

std::int64_t chosen_for(const Given& given, const at::Tensor& queries, const ShapeGallery& gallery = three_bones()) {
  auto shape = made<host::ShapeHandle>("shape", "nearest", given);
  shape.fit(gallery);
  const ShapePrediction prediction = shape.predict(asking(queries));
  EXPECT_TRUE(prediction.chosen.has_value());
  EXPECT_TRUE(
      at::equal(prediction.mesh.vertices, gallery.meshes[static_cast<std::size_t>(*prediction.chosen)].vertices));
  return *prediction.chosen;
}

TEST(NearestShape, IsTheBoneOfTheNearestEmbedding) {
  EXPECT_EQ(chosen_for({}, rows({0.1F, 0}, 2)), 0);
  EXPECT_EQ(chosen_for({}, rows({1.5F, 0.3F}, 2)), 1);
  EXPECT_EQ(chosen_for({}, rows({9, 0}, 2)), 2);
}

TEST(NearestShape, MostImagesDecideAndEqualVotesGoToTheCloserBone) {
  EXPECT_EQ(chosen_for({}, rows({2, 0, 1, 0, 1.1F, 0}, 2)), 1);
  EXPECT_EQ(chosen_for({}, rows({2.1F, 0, 1.05F, 0}, 2)), 1);
  EXPECT_EQ(chosen_for({}, rows({2.01F, 0, 1.05F, 0}, 2)), 2);
}

TEST(NearestShape, MoreNeighboursMayOutvoteTheNearest) {
  ShapeGallery gallery = three_bones();
  gallery.embeddings = rows({0, 0, 1, 0, 1.1F, 0}, 2);
  gallery.bone = at::tensor(std::vector<std::int64_t>{0, 1, 1});
  EXPECT_EQ(chosen_for({{"k", std::int64_t{1}}}, rows({0.4F, 0}, 2), gallery), 0);
  EXPECT_EQ(chosen_for({{"k", std::int64_t{3}}}, rows({0.4F, 0}, 2), gallery), 1);
  EXPECT_EQ(chosen_for({{"k", std::int64_t{99}}}, rows({0.4F, 0}, 2), gallery), 1);
}

TEST(NearestShape, MeanDistanceListensToEveryImage) {
  // Two images vote for bone 0 at 0.25 (bone 1 is at 0.35); the third is far off on the side of bone 1.
  const at::Tensor queries = rows({0.65F, 0, 0.65F, 0, 9, 0}, 2);
  EXPECT_EQ(chosen_for({{"vote", std::string("vote")}}, queries), 0);
  EXPECT_EQ(chosen_for({{"vote", std::string("mean_distance")}}, queries), 1);
}

TEST(NearestShape, SaysWhatIsWrongWithItsInput) {
  auto shape = made<host::ShapeHandle>("shape", "nearest", {});
  EXPECT_EQ(complaint([&] {
              static_cast<void>(shape.predict(asking(rows({0, 0}, 2))));
            }),
            "shape/nearest: nothing was fitted before predict");
  EXPECT_EQ(complaint([&] { shape.fit({}); }),
            "shape/nearest: the gallery has no bones, so there is no shape to choose");
  shape.fit(three_bones());
  EXPECT_EQ(complaint([&] {
              static_cast<void>(shape.predict(asking(rows({0, 0, 0}, 3))));
            }),
            "shape/nearest: the query's embeddings have 3 dimensions, the gallery's 2");
  EXPECT_EQ(complaint([&] {
              static_cast<void>(shape.predict(asking(at::empty({0, 2}))));
            }),
            "shape/nearest: the query has no embeddings: at least one X-ray of it is needed");
}

}  // namespace
}  // namespace osteon
