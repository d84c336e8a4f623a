#include "pipeline/shapes.hpp"

#include "pipeline/shape_gallery.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>

namespace osteon::pipeline {

namespace {

ShapeCase::Answer answer_of(const NamedShape& named, const ShapeQuery& query, const Mesh& truth,
                            const std::vector<std::int64_t>& candidates) {
  const auto& [instance, shape] = named;
  const auto asked = [&, &shape = shape](const ShapeQuery& images) {
    throw_if_stopped();
    ShapePrediction prediction = shape.predict(images);
    if (prediction.chosen) prediction.chosen = candidates.at(static_cast<std::size_t>(*prediction.chosen));
    return prediction;
  };
  ShapeCase::Answer answer{instance, asked(query), {}, shape.ceiling(truth)};
  const std::int64_t count = query.images.size(0);
  if (count > 1)
    for (std::int64_t q = 0; q < count; ++q) answer.alone.push_back(asked(one_of(query, q)));
  return answer;
}

/// Lets every plugin learn what a fold knows, and asks all about each bone that it holds out. `place` says where a bone
/// stands in the evidence's gallery.
void add_cases(const KnownShapes& known, std::span<const NamedShape> shapes, const Fold& fold, const std::string& which,
               const std::vector<std::int64_t>& place, ShapeEvidence& evidence, StageReport& report) {
  const ImageTable& images = fold.images;
  const at::Tensor& fingerprints = fold.embeddings.front().vectors;
  const auto is_known = [&](std::size_t b) { return !images.bones[b].held_out; };
  const ShapeGallery gallery = known.gallery(images, fingerprints, is_known);
  for (const auto& [instance, shape] : shapes) {
    report.progress(0, 0, -1, instance + " learns" + which);
    shape.fit(gallery);
  }
  std::vector<std::int64_t> candidates;
  for (std::size_t b = 0; b < place.size(); ++b)
    if (is_known(b)) candidates.push_back(place[b]);
  for (std::size_t b = 0; b < place.size(); ++b) {
    if (is_known(b)) continue;
    const ShapeQuery query = known.query(images, fingerprints, b);
    if (query.exposures.empty()) continue;
    report.progress(0, 0, -1, "shape of " + images.bones[b].id + which);
    ShapeCase one{static_cast<std::int64_t>(b), known.meshes()[b], known.made_from(b), candidates, {}};
    for (const NamedShape& shape : shapes) one.answers.push_back(answer_of(shape, query, one.truth, candidates));
    evidence.cases.push_back(std::move(one));
  }
}

}  // namespace

ShapeEvidence predict_shapes(const RunContext& run, std::span<const NamedShape> shapes, const Cohort& cohort,
                             std::span<const Fold> folds, StageReport& report) {
  const KnownShapes known(run, cohort, folds.front().images);
  // Every bone of a run is known in some fold or in none, in the same order in all.
  ShapeEvidence evidence;
  std::vector<std::int64_t> place(known.meshes().size(), -1);
  for (std::size_t b = 0; b < place.size(); ++b)
    if (std::ranges::any_of(folds, [&](const Fold& fold) { return !fold.images.bones[b].held_out; })) {
      place[b] = std::ssize(evidence.gallery);
      evidence.gallery_bones.push_back(static_cast<std::int64_t>(b));
      evidence.gallery.push_back(known.meshes()[b]);
    }
  for (std::size_t number = 0; number < folds.size(); ++number)
    add_cases(known, shapes, folds[number],
              folds.size() > 1 ? text(", fold ", number + 1, " of ", folds.size()) : std::string(), place, evidence,
              report);
  return evidence;
}

}  // namespace osteon::pipeline
