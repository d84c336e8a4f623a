// Iso-surfaces of label maps: the labelled voxels alone say what is bone, and no stairs are left of them.

#include "scenes.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

constexpr double kRadius = 11;

/// Two balls of bone that have grown together in one volume of 900 HU in soft tissue; a label map of the first alone.
struct LabelledScene {
  Volume volume;
  at::Tensor labels;
  Vec3 centre;

  explicit LabelledScene(double shift = 0) {
    Grid grid{{72, 96, 50}, {0.5, 0.6, 0.8}, {-31.7, 12.3, 480.9}, rotation(normalised({1, 2, 3}), 0.4)};
    volume = {at::full({50, 96, 72}, 40, at::kShort), grid.canonical()};
    labels = at::zeros({50, 96, 72}, at::kByte);
    centre = volume.grid.to_patient({36, 30, 25 + shift});
    const Vec3 neighbour = volume.grid.to_patient({36, 62, 25});
    auto voxels = volume.hounsfield.accessor<std::int16_t, 3>();
    auto marks = labels.accessor<std::uint8_t, 3>();
    for (int k = 0; k < 50; ++k)
      for (int j = 0; j < 96; ++j)
        for (int i = 0; i < 72; ++i) {
          const Vec3 p = volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k});
          marks[k][j][i] = norm(p - centre) <= kRadius;
          if (norm(p - centre) <= kRadius || norm(p - neighbour) <= kRadius) voxels[k][j][i] = 900;
        }
  }
};

Mesh extract_labelled(const LabelledScene& scene, const Given& given = {}) {
  return test::extract(scene.volume, given, scene.labels);
}

std::string labelled_refusal(const LabelledScene& scene) { return test::refusal(scene.volume, {}, scene.labels); }

/// Distances of the vertices from the ball, mm: mean and largest.
std::pair<double, double> off_the_ball(const Mesh& mesh, const LabelledScene& scene) {
  double sum = 0, largest = 0;
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t v = 0; v < mesh.vertices.size(0); ++v) {
    const double d = std::abs(norm(Vec3{p[3 * v], p[3 * v + 1], p[3 * v + 2]} - scene.centre) - kRadius);
    sum += d;
    largest = std::max(largest, d);
  }
  return {sum / static_cast<double>(mesh.vertices.size(0)), largest};
}

TEST(LabelMap, GivesTheLabelledBoneWithoutStairsThoughANeighbourTouchesIt) {
  const LabelledScene scene;
  for (const std::int64_t triangles : {0, 4000}) {
    const Mesh mesh = extract_labelled(scene, {{"triangles", triangles}});
    require_closed(mesh, "the labelled ball");
    const auto [mean, largest] = off_the_ball(mesh, scene);
    EXPECT_LT(mean, 0.06) << "a tenth of a voxel";
    EXPECT_LT(largest, 0.3) << "half a voxel: stairs would show";
  }
}

TEST(LabelMap, MakesTheThresholdAndPartingNeedless) {
  const LabelledScene scene;
  for (const Given& given :
       {Given{{"threshold", 2000.0}}, Given{{"level", std::string("otsu")}}, Given{{"separation", 4.0}}})
    EXPECT_TRUE(at::equal(extract_labelled(scene, given).vertices, extract_labelled(scene).vertices))
        << given.begin()->first;
}

TEST(LabelMap, IsSmoothedOnTopWhereAsked) {
  const LabelledScene scene;
  EXPECT_FALSE(at::equal(extract_labelled(scene, {{"smoothing", 1.0}}).vertices, extract_labelled(scene).vertices));
}

TEST(LabelMap, FillsCavitiesOfALabelledCortex) {
  LabelledScene scene;
  auto marks = scene.labels.accessor<std::uint8_t, 3>();
  for (int k = 0; k < 50; ++k)
    for (int j = 0; j < 96; ++j)
      for (int i = 0; i < 72; ++i)
        if (norm(scene.volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k}) - scene.centre) < kRadius - 3)
          marks[k][j][i] = 0;
  const Mesh mesh = extract_labelled(scene);
  EXPECT_NEAR(enclosed_volume(mesh), 4.0 / 3 * std::numbers::pi * std::pow(kRadius, 3), 0.02 * 5575);
}

TEST(LabelMap, RefusesOneThatMarksNothing) {
  LabelledScene scene;
  scene.labels.zero_();
  EXPECT_EQ(labelled_refusal(scene),
            "surface/isosurface: no bone: the label map marks no voxel; check source.label and the label map");
}

TEST(LabelMap, RefusesOneThatIsTooThin) {
  LabelledScene scene;
  scene.labels.zero_();
  scene.labels[20].fill_(0);
  scene.labels[20][30].slice(0, 20, 40).fill_(1);
  EXPECT_EQ(
      labelled_refusal(scene),
      "surface/isosurface: the label map marks a bone thinner than two voxels, which has no surface; give a finer "
      "label map");
}

TEST(LabelMap, RefusesABoneThatLeavesTheVolume) {
  EXPECT_EQ(
      labelled_refusal(LabelledScene(15)),
      "surface/isosurface: the bone leaves the volume towards the patient's head (voxel k = 49), so its surface "
      "can't be closed; give a volume that holds the whole bone, or a label map that ends before the volume does");
}

TEST(LabelMap, MustHaveTheShapeOfItsVolume) {
  LabelledScene scene;
  scene.labels = scene.labels.slice(0, 1).contiguous();
  EXPECT_EQ(labelled_refusal(scene),
            "surface/isosurface: the bone mask must be a uint8 CPU tensor of the volume's shape");
}

}  // namespace
}  // namespace osteon::test
