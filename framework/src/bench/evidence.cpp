// A run as a metric sees it.

#include "bench/inputs.hpp"
#include "pipeline/comparisons.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>

#include <algorithm>

namespace osteon::bench {

namespace {

constexpr std::int64_t kDimensions = 128;

void add_images(Evidence::Contents& contents, std::int64_t images) {
  contents.bone = at::arange(std::ssize(contents.bones), at::kLong).repeat_interleave(images);
  for (const EvidenceBone& bone : contents.bones)
    for (std::int64_t i = 0; i < images; ++i) {
      contents.role.push_back(i % 4 == 3      ? Role::query
                              : bone.held_out ? Role::gallery
                              : i % 4 == 2    ? Role::validation
                                              : Role::training);
      ImageRow row;
      row.pose = i;
      row.axial = row.ml_axial = -21.0 + 3 * static_cast<double>(i % 15);
      row.in_plane = row.ml_in_plane = -21.0 + 3 * static_cast<double>(i / 15 % 15);
      row.energy = 150;
      row.pixel_spacing = 1;
      contents.rows.push_back(row);
    }
}

/// The images of bones held out or seen, that ask or are asked about.
std::vector<std::int64_t> images_that(const Evidence::Contents& contents, bool ask, std::optional<bool> held_out) {
  std::vector<std::int64_t> images;
  const auto* bone = contents.bone.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < contents.role.size(); ++i)
    if ((contents.role[i] == Role::query) == ask &&
        (!held_out || contents.bones[static_cast<std::size_t>(bone[i])].held_out == *held_out))
      images.push_back(static_cast<std::int64_t>(i));
  return images;
}

void add_comparison(Evidence::Contents& contents, bool held_out) {
  const at::Tensor queries = at::tensor(images_that(contents, true, held_out), at::kLong);
  const at::Tensor gallery = at::tensor(images_that(contents, false, std::nullopt), at::kLong);
  if (queries.numel() == 0) return;
  pipeline::Comparison one = pipeline::compare(contents.embeddings.front(), contents.bone, std::ssize(contents.bones),
                                               gallery, queries, held_out);
  Identification said;
  said.embedding_set = contents.embeddings.front().name;
  said.classifier = "neighbour";
  said.is_trivial = false;
  said.held_out = held_out;
  said.images = queries;
  said.truth = one.trials.truth;
  said.predicted = one.trials.distances.argmin(1);
  said.scores = -std::get<0>(one.trials.distances.min(1));
  said.candidates = std::ssize(contents.bones);
  said.accept_from = -0.5;
  said.stated_rate = 0.01;
  said.impostor_scores = said.scores - 0.3;
  contents.identifications.push_back(said);
  contents.neighbours.push_back(std::move(one.neighbours));
  contents.trials.push_back(std::move(one.trials));
}

void add_class_scores(Evidence::Contents& contents) {
  const auto seen = std::ranges::count(contents.bones, false, &EvidenceBone::held_out);
  std::vector<std::int64_t> images = images_that(contents, true, false);
  for (const std::int64_t image : images_that(contents, false, false))
    if (contents.role[static_cast<std::size_t>(image)] == Role::validation) images.push_back(image);
  if (images.empty()) return;
  std::ranges::sort(images);
  contents.class_scores.bones = at::arange(seen, at::kLong);
  contents.class_scores.images = at::tensor(images, at::kLong);
  contents.class_scores.scores =
      at::one_hot(contents.bone.index_select(0, contents.class_scores.images), seen).to(at::kFloat) * 2 +
      unit_rows(std::ssize(images), seen, 5);
}

ShapePrediction other_femur(std::int64_t chosen) {
  ShapePrediction prediction;
  prediction.mesh = femur(chosen);
  prediction.chosen = chosen;
  return prediction;
}

void add_shapes(Evidence::Contents& contents) {
  const auto seen = std::ranges::count(contents.bones, false, &EvidenceBone::held_out);
  for (std::int64_t bone = 0; bone < seen; ++bone) {
    contents.shapes.gallery_bones.push_back(bone);
    contents.shapes.gallery.push_back(femur(bone));
  }
  for (std::int64_t bone = seen; bone < std::ssize(contents.bones); ++bone) {
    ShapeCase one;
    one.bone = bone;
    one.truth = femur(bone);
    for (std::int64_t g = 0; g < seen; ++g) one.candidates.push_back(g);
    one.answers.push_back({"estimator", other_femur(bone % seen), {}, std::nullopt});
    contents.shapes.cases.push_back(one);
  }
}

}  // namespace

Evidence::Contents evidence(std::int64_t bones, std::int64_t images, bool shapes) {
  Evidence::Contents contents;
  for (std::int64_t b = 0; b < bones; ++b)
    contents.bones.push_back(
        {text("bone ", b), text("person ", b / 2), b % 2 == 0 ? Side::right : Side::left, 2 * b >= bones});
  add_images(contents, images);
  contents.margin = 0.1;
  contents.seed = 1;
  contents.embeddings = {{"fingerprint", false, embeddings_of(contents.bone, kDimensions)}};
  for (const bool held_out : {false, true}) add_comparison(contents, held_out);
  add_class_scores(contents);
  if (shapes) add_shapes(contents);
  return contents;
}

}  // namespace osteon::bench
