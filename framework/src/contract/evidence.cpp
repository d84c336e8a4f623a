// A small run as a metric sees it.

#include "contract/evidence.hpp"

#include "contract/kind.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <limits>

namespace osteon::contract {

namespace {

constexpr std::int64_t kPeople = 4, kGalleryImages = 5, kQueryImages = 3, kEmbedding = 8;

/// How many there are of what, and which bones are held out.
struct Cast {
  std::int64_t bones;
  std::int64_t seen;  ///< the first so many were trained on
  std::int64_t gallery, queries;
};

Cast cast_of(Scene scene) {
  if (scene == Scene::lone) return {1, 0, 1, 1};
  return {2 * kPeople, kPeople, kGalleryImages, kQueryImages};
}

std::vector<std::int64_t> images_where(const Evidence::Contents& c, const std::function<bool(std::size_t)>& holds) {
  std::vector<std::int64_t> images;
  for (std::size_t i = 0; i < c.role.size(); ++i)
    if (holds(i)) images.push_back(static_cast<std::int64_t>(i));
  return images;
}

void add_images(Evidence::Contents& c, const Cast& cast) {
  std::vector<std::int64_t> bone;
  Random random(3, "contract: views");
  for (std::int64_t b = 0; b < cast.bones; ++b)
    for (std::int64_t i = 0; i < cast.gallery + cast.queries; ++i) {
      const bool is_query = i >= cast.gallery, is_seen = b < cast.seen;
      bone.push_back(b);
      c.role.push_back(is_query                ? Role::query
                       : !is_seen              ? Role::gallery
                       : i + 1 == cast.gallery ? Role::validation
                                               : Role::training);
      ImageRow row;
      row.pose = i;
      row.axial = row.ml_axial = random.uniform(-10, 10);
      row.tilt = row.ml_tilt = random.uniform(-5, 5);
      row.in_plane = row.ml_in_plane = random.uniform(-15, 15);
      row.energy = i % 2 == 0 ? 150 : 60;
      row.pixel_spacing = 1;
      row.ap_scale = random.uniform(0.98, 1.02);
      c.rows.push_back(row);
    }
  c.bone = at::tensor(bone, at::kLong);
}

at::Tensor embeddings_of(const Evidence::Contents& c, std::int64_t bones, Scene scene, double noise,
                         std::uint64_t seed) {
  if (scene == Scene::collapsed) return unit_rows(1, kEmbedding, 1).repeat({c.bone.numel(), 1});
  const at::Tensor rows = unit_rows(bones, kEmbedding, seed).index_select(0, c.bone) +
                          noise * unit_rows(c.bone.numel(), kEmbedding, seed + 1);
  return (rows / rows.norm(2, {1}, true)).contiguous();
}

/// All comparisons of the query images with the gallery, by one embedding set.
void add_comparisons(Evidence::Contents& c, const EmbeddingSet& set, const Cast& cast, bool is_held_out) {
  const auto is_right = [&](std::size_t i) {
    return c.bones[static_cast<std::size_t>(c.bone[static_cast<std::int64_t>(i)].item<std::int64_t>())].held_out ==
           is_held_out;
  };
  const at::Tensor queries =
      at::tensor(images_where(c, [&](std::size_t i) { return c.role[i] == Role::query && is_right(i); }), at::kLong);
  const at::Tensor gallery =
      at::tensor(images_where(c, [&](std::size_t i) { return c.role[i] != Role::query; }), at::kLong);
  if (queries.numel() == 0) return;
  const at::Tensor rows = set.vectors.index_select(0, gallery), asked = set.vectors.index_select(0, queries);
  const at::Tensor distances = (asked.unsqueeze(1) - rows.unsqueeze(0)).square().sum(2).sqrt();
  const auto [sorted, order] = distances.sort(true, 1, false);
  const at::Tensor truth = c.bone.index_select(0, queries), owner = c.bone.index_select(0, gallery);
  NeighbourTable table{set.name, set.is_trivial, is_held_out, queries, {}, sorted.contiguous(), {}, gallery.numel()};
  table.neighbours = gallery.index_select(0, order.flatten()).view(order.sizes()).to(at::kInt).contiguous();
  table.relevant = (owner.unsqueeze(0) == truth.unsqueeze(1)).sum(1);
  c.neighbours.push_back(table);

  at::Tensor nearest = at::full({queries.numel(), cast.bones}, std::numeric_limits<float>::infinity());
  for (std::int64_t b = 0; b < cast.bones; ++b)
    nearest.select(1, b).copy_(distances.index_select(1, (owner == b).nonzero().flatten()).amin({1}));
  c.trials.push_back({set.name, set.is_trivial, is_held_out, queries, truth, nearest.contiguous()});

  Identification said;
  said.embedding_set = set.name;
  said.classifier = "neighbour";
  said.is_trivial = set.is_trivial;
  said.held_out = is_held_out;
  said.images = queries;
  said.truth = truth;
  said.predicted = nearest.argmin(1);
  said.scores = -std::get<0>(nearest.min(1));
  said.candidates = cast.bones;
  said.accept_from = -0.5;
  said.stated_rate = 0.01;
  said.impostor_scores = said.scores - 0.3;
  c.identifications.push_back(said);
}

void add_class_scores(Evidence::Contents& c, const Cast& cast) {
  const at::Tensor images = at::tensor(
      images_where(
          c,
          [&](std::size_t i) {
            return !c.bones[static_cast<std::size_t>(c.bone[static_cast<std::int64_t>(i)].item<std::int64_t>())]
                        .held_out &&
                   (c.role[i] == Role::query || c.role[i] == Role::validation);
          }),
      at::kLong);
  if (images.numel() == 0) return;
  c.class_scores.bones = at::arange(cast.seen, at::kLong);
  c.class_scores.images = images;
  c.class_scores.scores = at::one_hot(c.bone.index_select(0, images), cast.seen).to(at::kFloat) * 2 +
                          unit_rows(images.numel(), cast.seen, 9);
}

Vec3 radii_of(std::int64_t bone) {
  const auto b = static_cast<double>(bone);
  return {12 + 0.4 * b, 10 + 0.2 * std::fmod(b * 3, 7), 200 + 5 * std::fmod(b * 5, 8)};
}

ShapePrediction prediction_of(std::int64_t chosen, std::int64_t bone) {
  ShapePrediction prediction;
  prediction.mesh = ellipsoid(radii_of(bone));
  prediction.chosen = chosen;
  return prediction;
}

void add_shapes(Evidence::Contents& c, const Cast& cast, Scene scene) {
  for (std::int64_t b = 0; b < std::max<std::int64_t>(1, cast.seen); ++b) {
    c.shapes.gallery_bones.push_back(b);
    c.shapes.gallery.push_back(ellipsoid(radii_of(b)));
  }
  for (std::int64_t b = cast.seen; b < cast.bones; ++b) {
    ShapeCase one;
    one.bone = b;
    one.truth = ellipsoid(radii_of(b));
    for (std::int64_t g = 0; g < std::ssize(c.shapes.gallery); ++g) one.candidates.push_back(g);
    const std::int64_t chosen = b % std::ssize(c.shapes.gallery);
    const std::int64_t answered = scene == Scene::collapsed ? b : chosen;
    ShapeCase::Answer answer{"estimator", prediction_of(chosen, answered), {}, std::nullopt};
    answer.alone = {prediction_of(chosen, answered), prediction_of(chosen, answered)};
    one.answers.push_back(answer);
    c.shapes.cases.push_back(one);
  }
}

}  // namespace

Mesh ellipsoid(Vec3 radii, int rings) {
  const int around_axis = rings;
  constexpr double kPi = std::numbers::pi;
  std::vector<float> points{0, 0, static_cast<float>(radii.z)};
  std::vector<std::int32_t> corners;
  const auto at_ring = [around_axis](int ring, int step) {
    return 1 + (ring - 1) * around_axis + (step + around_axis) % around_axis;
  };
  for (int ring = 1; ring <= rings; ++ring)
    for (int step = 0; step < around_axis; ++step) {
      const double polar = kPi * ring / (rings + 1), around = 2 * kPi * step / around_axis;
      for (const double x : {radii.x * std::sin(polar) * std::cos(around), radii.y * std::sin(polar) * std::sin(around),
                             radii.z * std::cos(polar)})
        points.push_back(static_cast<float>(x));
    }
  const int last = 1 + rings * around_axis;
  for (const double x : {0.0, 0.0, -radii.z}) points.push_back(static_cast<float>(x));
  for (int step = 0; step < around_axis; ++step) {
    corners.insert(corners.end(), {0, at_ring(1, step), at_ring(1, step + 1)});
    for (int ring = 1; ring < rings; ++ring) {
      const int a = at_ring(ring, step), b = at_ring(ring, step + 1), d = at_ring(ring + 1, step),
                e = at_ring(ring + 1, step + 1);
      corners.insert(corners.end(), {a, d, e, a, e, b});
    }
    corners.insert(corners.end(), {last, at_ring(rings, step + 1), at_ring(rings, step)});
  }
  return {at::tensor(points, at::kFloat).view({-1, 3}), at::tensor(corners, at::kInt).view({-1, 3})};
}

Evidence::Contents no_evidence() {
  Evidence::Contents nothing;
  nothing.bone = at::empty({0}, at::kLong);
  return nothing;
}

Evidence::Contents evidence_of(Scene scene) {
  const Cast cast = cast_of(scene);
  Evidence::Contents c;
  for (std::int64_t b = 0; b < cast.bones; ++b)
    c.bones.push_back(
        {text("bone-", b), text("person-", b / 2), b % 2 == 0 ? Side::right : Side::left, b >= cast.seen});
  add_images(c, cast);
  c.margin = 0.1;
  c.seed = 1;
  const std::uint64_t seed = scene == Scene::other ? 70 : 60;
  c.embeddings = {{"fingerprint", false, embeddings_of(c, cast.bones, scene, 0.4, seed)},
                  {"raw pixels", true, embeddings_of(c, cast.bones, scene, 1, seed + 2)}};
  for (const EmbeddingSet& set : c.embeddings)
    for (const bool is_held_out : {false, true}) add_comparisons(c, set, cast, is_held_out);
  add_class_scores(c, cast);
  add_shapes(c, cast, scene);
  return c;
}

std::string digest_of(const Evidence::Contents& c) {
  Digest digest;
  add_to(digest, c.bone);
  for (const EmbeddingSet& set : c.embeddings) add_to(digest, set.vectors);
  for (const NeighbourTable& table : c.neighbours)
    for (const at::Tensor& each : {table.queries, table.neighbours, table.distances, table.relevant})
      add_to(digest, each);
  for (const Trials& trials : c.trials)
    for (const at::Tensor& each : {trials.queries, trials.truth, trials.distances}) add_to(digest, each);
  for (const Identification& said : c.identifications)
    for (const at::Tensor& each : {said.images, said.truth, said.predicted, said.scores, said.impostor_scores})
      add_to(digest, each);
  for (const at::Tensor& each : {c.class_scores.bones, c.class_scores.images, c.class_scores.scores})
    add_to(digest, each);
  for (const Mesh& mesh : c.shapes.gallery) add_to(digest, mesh.vertices);
  for (const ShapeCase& one : c.shapes.cases) add_to(digest, one.truth.vertices);
  return digest.hex();
}

}  // namespace osteon::contract
