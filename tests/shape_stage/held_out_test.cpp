// The stage that asks shape methods about held-out bones: what lies in the store of such a bone's own surface is not
// told to them. Replaced by a sphere, it changes no byte of what they predict; a known bone's does.

#include "pipeline/opened.hpp"
#include "pipeline/shapes.hpp"
#include "shape/solids.hpp"
#include "store/scratch.hpp"

#include <osteon/files.hpp>
#include <osteon/random.hpp>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

namespace osteon::pipeline {
namespace {

/// Phantoms, asked by another projector, and no reporter.
const char* const kExperiment = R"(title = "Held out"
[source]
plugin = "phantom"
bones = 4
acquisitions = 2
spacing = 2.0
[surface]
plugin = "isosurface"
[renderer]
plugin = "joseph"
[query_renderer]
plugin = "siddon"
[views]
height = 64
field_of_view = 600
gallery = "random"
gallery_poses = 4
query_poses = 2
scale_error = 2.0
[film]
energies = [70]
[split]
held_out = 1
[backbone]
plugin = "resnet"
[loss]
plugin = "triplet"
[training]
threads = 1
[shape.nearest]
[shape.ssm]
[shape.deform]
[shape.regress]
)";

class HeldOutShape : public testing::Test {
 protected:
  HeldOutShape() {
    ::setenv("OSTEON_STORE", (scratch_.path() / "store").c_str(), 1);
    const auto file = scratch_.path() / "held-out.toml";
    write_file(file, kExperiment);
    RunOptions options;
    options.request.file = file;
    options.plugin_folders = {std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"};
    opened_.emplace(options);
    Records records;
    cohort_ = make_volumes(run(), records);
    make_surfaces(run(), cohort_, records);
    make_images(run(), cohort_, records);
    fold_.images = load_images(run(), cohort_);
    EmbeddingSet fingerprints{"fingerprint", false, at::empty({std::ssize(fold_.images.role), 8}, at::kFloat)};
    Random random(1, "fingerprints");
    for (std::int64_t i = 0; i < fingerprints.vectors.numel(); ++i)
      fingerprints.vectors.data_ptr<float>()[i] = static_cast<float>(random.normal());
    fold_.embeddings.push_back(std::move(fingerprints));
  }

  ~HeldOutShape() override { ::unsetenv("OSTEON_STORE"); }

  [[nodiscard]] const RunContext& run() const { return opened_->run(); }

  /// What all methods say, when the surfaces of one bone's scans are a sphere's in the store.
  ShapeEvidence predicted(const std::string& replaced) {
    Cohort cohort = cohort_;
    for (Scan& scan : cohort.scans) {
      if (cohort.specimens[scan.specimen].id != replaced) continue;
      const BoneSurface surface = bone_surface_from(run().store.load(scan.surface.key));
      const store::Ingredients ingredients{"surface", replaced, {{"sphere", std::to_string(scan.acquisition)}}};
      scan.surface = {
          ingredients.key(),
          run().store.put(ingredients, to_artifact(BoneSurface{ball(surface.frame.origin), surface.frame}))};
    }
    std::vector<NamedShape> shapes;
    for (const config::PluginChoice* choice : run().experiment.all("shape"))
      shapes.emplace_back(choice->instance,
                          host::ShapeHandle(run().registry.find("shape", choice->plugin), choice->parameters));
    StageReport report(run().reporters, "evaluate", "", 0, "shapes");
    return predict_shapes(run(), shapes, cohort, std::span(&fold_, 1), report);
  }

  [[nodiscard]] std::string name_of(bool is_held_out) const {
    for (const EvidenceBone& bone : fold_.images.bones)
      if (bone.held_out == is_held_out) return bone.id;
    return "";
  }

 private:
  /// In patient coordinates, of radius 50 mm, about the bone's own origin.
  static Mesh ball(Vec3 centre) {
    Mesh mesh = solids::sphere(50, 12, 18);
    const double c[] = {centre.x, centre.y, centre.z};
    auto* p = mesh.vertices.data_ptr<float>();
    for (std::int64_t i = 0; i < mesh.vertices.numel(); ++i) p[i] += static_cast<float>(c[i % 3]);
    return mesh;
  }

  store::Scratch scratch_;
  std::optional<OpenedExperiment> opened_;
  Cohort cohort_;
  Fold fold_;
};

bool is_same(const Mesh& a, const Mesh& b) {
  return at::equal(a.vertices, b.vertices) && at::equal(a.triangles, b.triangles);
}

bool is_same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool is_same(const ShapePrediction& a, const ShapePrediction& b) {
  return is_same(a.mesh, b.mesh) && a.chosen == b.chosen && is_same(a.residual, b.residual) &&
         is_same(a.expected_error, b.expected_error) &&
         std::ranges::equal(a.draws, b.draws, [](const Mesh& x, const Mesh& y) { return is_same(x, y); });
}

bool is_same(const ShapeCase::Answer& a, const ShapeCase::Answer& b) {
  return is_same(a.together, b.together) &&
         std::ranges::equal(a.alone, b.alone, [](const auto& x, const auto& y) { return is_same(x, y); });
}

TEST_F(HeldOutShape, IsPredictedWithoutItsSurface) {
  const ShapeEvidence before = predicted(""), blind = predicted(name_of(true)), other = predicted(name_of(false));
  ASSERT_EQ(before.cases.size(), 1U);
  ASSERT_EQ(blind.cases.size(), 1U);
  EXPECT_FALSE(is_same(before.cases[0].truth, blind.cases[0].truth)) << "the bone's surface was not replaced";
  ASSERT_EQ(before.cases[0].answers.size(), 4U);
  for (std::size_t m = 0; m < 4; ++m) {
    const ShapeCase::Answer& answer = before.cases[0].answers[m];
    ASSERT_EQ(answer.alone.size(), 2U);
    EXPECT_TRUE(is_same(answer, blind.cases[0].answers[m]))
        << answer.estimator << " knows the bone that it is asked about";
    const bool looks_at_them = answer.estimator != "nearest";  // which may pick another bone
    EXPECT_TRUE(!looks_at_them || !is_same(answer, other.cases[0].answers[m]))
        << answer.estimator << " does not look at known bones";
  }
}

}  // namespace
}  // namespace osteon::pipeline
