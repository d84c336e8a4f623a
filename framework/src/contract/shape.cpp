// What a shape method promises (osteon/shape.hpp).

#include "contract/evidence.hpp"
#include "contract/kind.hpp"

#include <osteon/shape.hpp>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cmath>
#include <future>

namespace osteon::contract {

namespace {

// 66 vertices: the covariance of their coordinates is small enough for BLAS to stay in one thread.
constexpr int kRingsOfABone = 8;
constexpr std::int64_t kKnownBones = 3, kPairsOfABone = 2, kPairRows = 96, kShapeEmbedding = 8;
constexpr double kPairPixel = 5, kAttenuation = 0.05, kLargestIntegral = 4;

/// An ellipsoid as long as a femur. `seed` tells galleries apart.
Vec3 half_axes(std::int64_t bone, std::uint64_t seed) {
  const auto b = static_cast<double>(bone), s = static_cast<double>(seed);
  return {24 + 2 * b + s, 18 + 3 * std::fmod(b * 3 + s, 4), 190 + 8 * std::fmod(b * 5 + s, 7)};
}

/// From 900 mm, 900 mm before the detector.
Projection told_view(bool is_ml) {
  const Vec3 right = is_ml ? Vec3{0, -1, 0} : Vec3{1, 0, 0}, towards = is_ml ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  Projection p;
  p.rows = kPairRows;
  p.columns = kPairRows / 2;
  p.source = towards * 900;
  p.direction = -towards;
  p.column_step = right * (2 * kPairPixel);
  p.row_step = Vec3{0, 0, -2 * kPairPixel};
  p.first_pixel = towards * -900 - p.column_step * ((static_cast<double>(p.columns) - 1) / 2) -
                  p.row_step * ((static_cast<double>(p.rows) - 1) / 2);
  return p;
}

/// mm of a ray from `source` through `pixel` inside an ellipsoid about the origin.
double chord_in(Vec3 axes, Vec3 source, Vec3 pixel) {
  const Vec3 ray = pixel - source, o{source.x / axes.x, source.y / axes.y, source.z / axes.z},
             d{ray.x / axes.x, ray.y / axes.y, ray.z / axes.z};
  const double inside = dot(o, d) * dot(o, d) - dot(d, d) * (dot(o, o) - 1);
  return inside <= 0 ? 0 : 2 * std::sqrt(inside) / dot(d, d) * norm(ray);
}

at::Tensor shadow_of(Vec3 axes, const Projection& p) {
  at::Tensor picture = at::empty({p.rows, p.columns}, at::kByte);
  auto* grey = picture.data_ptr<std::uint8_t>();
  for (std::int64_t row = 0; row < p.rows; ++row)
    for (std::int64_t column = 0; column < p.columns; ++column) {
      const Vec3 pixel =
          p.first_pixel + p.row_step * static_cast<double>(row) + p.column_step * static_cast<double>(column);
      const double integral = kAttenuation * chord_in(axes, p.source, pixel);
      *grey++ = static_cast<std::uint8_t>(std::lround(255 * std::min(1.0, integral / kLargestIntegral)));
    }
  return picture;
}

const PairExposures& told_pair() {
  static const PairExposures pair{told_view(false), told_view(true)};
  return pair;
}

at::Tensor pair_image(Vec3 axes) {
  return at::cat({shadow_of(axes, told_pair().ap), shadow_of(axes, told_pair().ml)}, 1);
}

at::Tensor grey_values() { return at::arange(256, at::kFloat) * (kLargestIntegral / 255); }

ShapeGallery shape_gallery(std::uint64_t seed, std::int64_t bones = kKnownBones) {
  ShapeGallery known;
  std::vector<at::Tensor> images;
  for (std::int64_t bone = 0; bone < bones; ++bone) {
    known.meshes.push_back(ellipsoid(half_axes(bone, seed), kRingsOfABone));
    known.person.push_back(bone);
    const at::Tensor image = pair_image(half_axes(bone, seed));
    for (std::int64_t i = 0; i < kPairsOfABone; ++i) images.push_back(image), known.exposures.push_back(told_pair());
  }
  known.told = known.exposures;
  known.images = at::stack(images);
  known.bone = at::arange(bones, at::kLong).repeat_interleave(kPairsOfABone);
  const at::Tensor rows = unit_rows(kKnownBones, kShapeEmbedding, 80).index_select(0, known.bone) +
                          0.2 * unit_rows(bones * kPairsOfABone, kShapeEmbedding, 81 + seed);
  known.embeddings = (rows / rows.norm(2, {1}, true)).contiguous();
  known.line_integrals = grey_values();
  return known;
}

/// A bone between two of the gallery, on so many X-ray pairs.
ShapeQuery shape_query(int input, std::int64_t pairs = 1) {
  const Vec3 axes = (half_axes(input, 0) + half_axes(input + 1, 0)) * 0.5;
  ShapeQuery query;
  query.embeddings = unit_rows(kKnownBones, kShapeEmbedding, 80).slice(0, input, input + 1).repeat({pairs, 1});
  query.images = pair_image(axes).unsqueeze(0).repeat({pairs, 1, 1});
  query.exposures.assign(static_cast<std::size_t>(pairs), told_pair());
  query.line_integrals = grey_values();
  return query;
}

std::string digest_of_shape(const ShapePrediction& prediction) {
  Digest digest;
  add_to(digest, prediction.mesh.vertices);
  add_to(digest, prediction.mesh.triangles);
  add_to(digest, prediction.residual);
  add_to(digest, prediction.expected_error);
  for (const Mesh& draw : prediction.draws) add_to(digest, draw.vertices);
  return digest.add(prediction.chosen ? text(*prediction.chosen) : "none").hex();
}

class ShapeInUse final : public Subject {
 public:
  ShapeInUse(std::unique_ptr<Shape> shape, std::uint64_t seed) : shape_(std::move(shape)) {
    shape_->fit(shape_gallery(seed - 1));
  }
  std::string use(int input) override { return digest_of_shape(shape_->predict(shape_query(input))); }

 private:
  std::unique_ptr<Shape> shape_;
};

std::unique_ptr<Subject> shape_subject(const Candidate& candidate, const Parameters& values, std::uint64_t seed) {
  return std::make_unique<ShapeInUse>(candidate.make<Shape>(values), seed);
}

std::unique_ptr<Shape> fitted_shape(const Candidate& candidate, std::uint64_t seed) {
  auto shape = candidate.make<Shape>();
  shape->fit(shape_gallery(seed));
  return shape;
}

void expect_sound_shape(const std::string& what, const ShapePrediction& found, std::int64_t pairs, std::int64_t bones) {
  try {
    found.mesh.check();
    for (const Mesh& draw : found.draws) draw.check();
  } catch (const Error& error) {
    throw Broken{text(what, ": expected a sound surface, found: ", error.what())};
  }
  expect(found.mesh.triangles.size(0) > 0, what, "a surface", "one without triangles");
  expect(!found.chosen || (*found.chosen >= 0 && *found.chosen < bones), what, text("one of ", bones, " gallery bones"),
         found.chosen ? text("bone ", *found.chosen) : "none");
  expect(found.exposures.empty() || std::ssize(found.exposures) == pairs, what,
         text("no exposures, or ", pairs, " as fitted"), text(found.exposures.size()));
  for (const Mesh& draw : found.draws)
    expect(draw.triangles.equal(found.mesh.triangles), what, "draws with the triangles of the surface", "others");
}

std::string shape_outputs(const Candidate& candidate) {
  const auto shape = candidate.make<Shape>();
  const ShapeGallery gallery = shape_gallery(0);
  const auto digest_of_gallery = [&gallery] {
    Digest digest;
    for (const Mesh& mesh : gallery.meshes) add_to(digest, mesh.vertices), add_to(digest, mesh.triangles);
    for (const at::Tensor& each : {gallery.embeddings, gallery.bone, gallery.images, gallery.line_integrals})
      add_to(digest, each);
    return digest.hex();
  };
  const std::string before = digest_of_gallery();
  shape->fit(gallery);
  for (const std::int64_t pairs : {1, 2}) {
    const ShapeQuery query = shape_query(0, pairs);
    const std::string asked = digest_of(query.images) + digest_of(query.embeddings);
    const std::string what = text("the shape of a bone on ", pairs, pairs == 1 ? " X-ray pair" : " X-ray pairs");
    const ShapePrediction found = shape->predict(query);
    expect_sound_shape(what, found, pairs, kKnownBones);
    const double length = bounding_box(found.mesh).diagonal();
    expect(length > 200 && length < 800, what, "one as long as the gallery's, 380 to 500 mm", text(length, " mm"));
    expect(digest_of(query.images) + digest_of(query.embeddings) == asked, "the query", "to be left as it is",
           "that it has written into it");
  }
  expect(digest_of_gallery() == before, "the gallery", "to be left as it is", "that it has written into it");
  return text("a sound surface as long as the gallery's, of one X-ray pair and of two; ", shape->arrays().size(),
              " arrays");
}

std::string shape_degenerate(const Candidate& candidate) {
  expect_refusal("a query before a gallery", [&] { (void)candidate.make<Shape>()->predict(shape_query(0)); });
  expect_refusal("an empty gallery", [&] {
    ShapeGallery nobody;
    nobody.embeddings = at::empty({0, kShapeEmbedding});
    nobody.bone = at::empty({0}, at::kLong);
    candidate.make<Shape>()->fit(nobody);
  });
  (void)answers_or_refuses("a gallery of one bone", [&] {
    const auto shape = candidate.make<Shape>();
    shape->fit(shape_gallery(0, 1));
    expect_sound_shape("a gallery of one bone", shape->predict(shape_query(0)), 1, 1);
  });
  const auto shape = fitted_shape(candidate, 0);
  (void)answers_or_refuses("X-rays that show nothing", [&] {
    ShapeQuery query = shape_query(0);
    query.images = at::zeros_like(query.images);
    expect_sound_shape("X-rays that show nothing", shape->predict(query), 1, kKnownBones);
  });
  (void)answers_or_refuses("a query without X-rays", [&] {
    ShapeQuery query = shape_query(0);
    query.images = query.images.slice(0, 0, 0);
    query.embeddings = query.embeddings.slice(0, 0, 0);
    query.exposures.clear();
    expect_sound_shape("a query without X-rays", shape->predict(query), 0, kKnownBones);
  });
  return "no gallery, one bone, blank X-rays and none: answered or refused in words";
}

std::string shape_threads(const Candidate& candidate) {
  const auto shape = fitted_shape(candidate, 0);
  const auto answer = [&shape](int input) { return digest_of_shape(shape->predict(shape_query(input))); };
  const std::array<std::string, 2> alone{answer(0), answer(1)};
  std::vector<std::future<std::string>> answers;
  for (const int input : {1, 0}) answers.push_back(std::async(std::launch::async, answer, input));
  for (std::size_t i = 0; i < answers.size(); ++i)
    expect(answers[i].get() == alone[1 - i], "two shapes asked for in 2 threads at once",
           "those of one thread, bit for bit", "others");
  return "2 threads at once give what one gives";
}

std::string shape_state(const Candidate& candidate) {
  const auto refitted = fitted_shape(candidate, 0), fresh = fitted_shape(candidate, 3);
  const std::string expected = digest_of_shape(fresh->predict(shape_query(0)));
  if (digest_of_shape(fresh->predict(shape_query(0))) != expected)
    throw NotRun{"its answers do not repeat themselves (see determinism)"};
  (void)refitted->predict(shape_query(0));
  refitted->fit(shape_gallery(3));
  expect(digest_of_shape(refitted->predict(shape_query(0))) == expected, "the shape after a second gallery",
         "that of one that knows the second alone", "another");
  return "a second gallery replaces the first";
}

}  // namespace

KindContract shape_contract() {
  return {shape_subject, shape_outputs, shape_degenerate, shape_threads, nothing_is_trained, shape_state};
}

}  // namespace osteon::contract
