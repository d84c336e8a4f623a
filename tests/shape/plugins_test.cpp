// shape/nearest and metric/shape_error, loaded through the host, on evidence whose figures are known.

#include "host/handles.hpp"
#include "solids.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace osteon {
namespace {

using Given = std::map<std::string, ParameterValue>;

host::Registry& registry() {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return registry;
}

template <class Handle>
Handle made(const char* kind, const char* name, const Given& given) {
  const auto& plugin = registry().find(kind, name);
  return Handle(plugin, Parameters(plugin.schema, given));
}

template <class Body>
std::string complaint(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no complaint";
}

at::Tensor rows(std::initializer_list<float> values, std::int64_t width) {
  return at::tensor(std::vector<float>(values)).view({-1, width});
}

// --- shape/nearest

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
  const ShapePrediction prediction = shape.predict({queries, {}});
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
              static_cast<void>(shape.predict({rows({0, 0}, 2), {}}));
            }),
            "shape/nearest: nothing was fitted before predict");
  EXPECT_EQ(complaint([&] { shape.fit({}); }),
            "shape/nearest: the gallery has no bones, so there is no shape to choose");
  shape.fit(three_bones());
  EXPECT_EQ(complaint([&] {
              static_cast<void>(shape.predict({rows({0, 0, 0}, 3), {}}));
            }),
            "shape/nearest: the query's embeddings have 3 dimensions, the gallery's 2");
  EXPECT_EQ(complaint([&] {
              static_cast<void>(shape.predict({at::empty({0, 2}), {}}));
            }),
            "shape/nearest: the query has no embeddings: at least one X-ray of it is needed");
}

// --- metric/shape_error

using Contents = Evidence::Contents;

Contents evidence_of(const std::vector<Mesh>& gallery, const std::vector<Mesh>& truths) {
  Contents contents;
  const auto add = [&](const std::string& id, bool held_out) {
    contents.bones.push_back({id, "person of " + id, Side::right, held_out});
    return static_cast<std::int64_t>(contents.bones.size()) - 1;
  };
  for (std::size_t g = 0; g < gallery.size(); ++g) contents.shapes.gallery_bones.push_back(add(text("g", g), false));
  contents.shapes.gallery = gallery;
  for (std::size_t c = 0; c < truths.size(); ++c) {
    ShapeCase one;
    one.bone = add(text("h", c), true);
    one.truth = truths[c];
    for (std::size_t g = 0; g < gallery.size(); ++g) one.candidates.push_back(static_cast<std::int64_t>(g));
    contents.shapes.cases.push_back(one);
  }
  return contents;
}

ShapeCase::Answer free_answer(const std::string& estimator, const Mesh& mesh) {
  ShapeCase::Answer answer;
  answer.estimator = estimator;
  answer.together.mesh = mesh;
  return answer;
}

ShapeCase::Answer chosen(const std::string& estimator, const Contents& contents, std::int64_t bone) {
  ShapeCase::Answer answer = free_answer(estimator, contents.shapes.gallery[static_cast<std::size_t>(bone)]);
  answer.together.chosen = bone;
  return answer;
}

MetricResult measured(const Contents& contents, const Given& given = {{"samples", std::int64_t{2000}}}) {
  return made<host::MetricHandle>("metric", "shape_error", given).evaluate(contents);
}

const MetricValue* find(const MetricResult& result, const std::string& row, const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.row == row && value.column == column) return &value;
  return nullptr;
}

double figure(const MetricResult& result, const std::string& row, const std::string& column) {
  const MetricValue* value = find(result, row, column);
  return value == nullptr ? std::nan("") : value->value;
}

Mesh ball(double radius) { return solids::sphere(radius, 60, 90); }

TEST(ShapeError, OfSpheresIsTheDifferenceOfTheirRadii) {
  Contents contents = evidence_of({ball(40), ball(44), ball(48), ball(56)}, {ball(45), ball(47)});
  auto& cases = contents.shapes.cases;
  cases[0].answers = {chosen("nearest (fingerprint)", contents, 0), free_answer("free", ball(47))};
  cases[1].answers = {chosen("nearest (fingerprint)", contents, 2), free_answer("free", ball(47))};
  const MetricResult result = measured(contents);

  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "RMS"), 3, 0.05);  // 5 and 1 mm
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "worst RMS"), 5, 0.05);
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "Hausdorff"), 3, 0.1);
  EXPECT_NEAR(figure(result, "nearest (fingerprint)", "RMS / diagonal"),
              50 * (5 / (90 * std::sqrt(3)) + 1 / (94 * std::sqrt(3))), 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "nearest (fingerprint)", "better candidates"), 1);  // 2 and 0
  EXPECT_EQ(find(result, "nearest (fingerprint)", "better candidates")->unit, "of 4");
  EXPECT_NEAR(figure(result, "free", "RMS"), 1, 0.05);
  EXPECT_EQ(find(result, "free", "better candidates"), nullptr);
  EXPECT_NEAR(figure(result, "mean shape", "RMS"), 1, 0.1);  // of radius 47
  EXPECT_NEAR(figure(result, "random bone", "RMS"), ((5 + 1 + 3 + 11) + (7 + 3 + 1 + 9)) / 8.0, 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "random bone", "better candidates"), 1.5);
  EXPECT_NEAR(figure(result, "best bone in the gallery (oracle)", "RMS"), 1, 0.05);
  EXPECT_DOUBLE_EQ(figure(result, "best bone in the gallery (oracle)", "better candidates"), 0);
  for (const MetricValue& value : result.values) {
    EXPECT_EQ(value.table, "shape, held-out bones, rigid alignment");
    EXPECT_EQ(value.count, 2);
    EXPECT_EQ(value.counted, "bones");
    EXPECT_FALSE(value.larger_is_better);
    EXPECT_FALSE(value.interval.has_value());
    EXPECT_EQ(value.is_baseline, value.row != "nearest (fingerprint)" && value.row != "free");
  }
}

TEST(ShapeError, LengthAloneMayChooseTheWrongGirth) {
  const auto bone = [](double girth, double half) { return solids::ellipsoid({girth, girth * 0.8, half}, 40, 50); };
  const Contents contents = evidence_of({bone(30, 100), bone(45, 101), bone(38, 108)}, {bone(30, 101.2)});
  const MetricResult result = measured(contents);
  EXPECT_DOUBLE_EQ(figure(result, "nearest by length", "better candidates"), 2);
  EXPECT_DOUBLE_EQ(figure(result, "nearest by length and volume", "better candidates"), 0);
  EXPECT_LT(figure(result, "nearest by length and volume", "RMS"), 1);
  EXPECT_DOUBLE_EQ(figure(result, "nearest by length and volume", "RMS"),
                   figure(result, "best bone in the gallery (oracle)", "RMS"));
}

TEST(ShapeError, IntervalsNeedTwelvePeople) {
  std::vector<Mesh> truths;
  for (int i = 0; i < 12; ++i) truths.push_back(solids::sphere(41 + i % 3, 20, 30));
  Contents contents = evidence_of({solids::sphere(40, 20, 30)}, truths);
  for (ShapeCase& one : contents.shapes.cases) one.answers = {chosen("a", contents, 0)};
  const Given quick{{"samples", std::int64_t{1000}}, {"pictures", std::int64_t{0}}};
  const MetricResult result = measured(contents, quick);
  const MetricValue* rms = find(result, "a", "RMS");
  ASSERT_TRUE(rms->interval.has_value());
  EXPECT_NEAR(rms->value, 2, 0.05);
  // Standard error 0.816 / √12 = 0.236, times 1.96.
  EXPECT_NEAR(rms->interval->first, 2 - 0.46, 0.1);
  EXPECT_NEAR(rms->interval->second, 2 + 0.46, 0.1);
  EXPECT_TRUE(result.surfaces.empty());
  contents.bones.back().subject = contents.bones[1].subject;  // eleven people
  EXPECT_FALSE(find(measured(contents, quick), "a", "RMS")->interval.has_value());
}

TEST(ShapeError, PicturesShowTheBestTheMiddleAndTheWorst) {
  Contents contents = evidence_of({ball(40)}, {ball(44), ball(41), ball(43), ball(42), ball(45)});
  contents.shapes.gallery[0] = transformed(contents.shapes.gallery[0], {Mat3{}, {1, 2, 3}});
  for (ShapeCase& one : contents.shapes.cases) one.answers = {chosen("a", contents, 0)};
  const MetricResult result = measured(contents);
  ASSERT_EQ(result.surfaces.size(), 3U);
  const double distance[] = {1, 3, 5};
  const std::string beginning[] = {"h1, a: ", "h2, a: ", "h4, a: "};
  for (std::size_t i = 0; i < 3; ++i) {
    const SurfacePair& pair = result.surfaces[i];
    EXPECT_EQ(pair.caption.substr(0, beginning[i].size()), beginning[i]);
    EXPECT_EQ(pair.distance.size(0), pair.predicted.vertices.size(0));
    EXPECT_NEAR(pair.distance.mean().item<double>(), distance[i], 0.05);  // laid onto the truth, 3.7 mm away before
  }
}

TEST(ShapeError, IsUndefinedWithoutHeldOutBones) {
  const MetricResult none = measured(evidence_of({ball(40)}, {}));
  ASSERT_EQ(none.values.size(), 1U);
  EXPECT_TRUE(std::isnan(none.values[0].value));
  EXPECT_EQ(none.values[0].note, "no bone was held out");
  EXPECT_EQ(measured(evidence_of({}, {ball(40)})).values[0].note, "the gallery has no bones");
}

TEST(ShapeError, NamesTheBoneWhoseSurfaceIsUnsound) {
  Contents contents = evidence_of({ball(40)}, {ball(41)});
  contents.shapes.cases[0].truth.triangles = at::empty({0, 3}, at::kInt);
  EXPECT_EQ(complaint([&] { static_cast<void>(measured(contents)); }),
            "metric/shape_error: bone h0: the mesh has no triangles");
}

TEST(ShapeError, SamplesChangeTheFigure) {
  Contents contents = evidence_of({solids::bone(400)}, {solids::bone(380)});
  const auto rms = [&](std::int64_t samples) {
    return figure(measured(contents, {{"samples", samples}}), "random bone", "RMS");
  };
  EXPECT_NE(rms(1000), rms(1001));
  EXPECT_EQ(rms(1000), rms(1000));
}

}  // namespace
}  // namespace osteon
