#include "pipeline/shapes.hpp"

#include "pipeline/shape_gallery.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

namespace osteon::pipeline {

namespace {

/// From all pairs together and from each by itself, at once.
ShapeCase::Answer answer_of(const NamedShape& named, const ShapeQuery& query, const Mesh& truth,
                            const std::vector<std::int64_t>& candidates) {
  const host::ShapeHandle& shape = named.second;
  const std::int64_t pairs = query.images.size(0), questions = pairs > 1 ? pairs + 1 : 1;
  std::vector<ShapePrediction> answers(static_cast<std::size_t>(questions));
  parallel_for(0, questions, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      throw_if_stopped();
      ShapePrediction& answer = answers[static_cast<std::size_t>(i)];
      answer = shape.predict(i == 0 ? query : one_of(query, i - 1));
      if (answer.chosen) answer.chosen = candidates.at(static_cast<std::size_t>(*answer.chosen));
    }
  });
  ShapeCase::Answer result{named.first, std::move(answers.front()), {}, shape.ceiling(truth)};
  result.alone.assign(std::make_move_iterator(answers.begin() + 1), std::make_move_iterator(answers.end()));
  return result;
}

/// Lets every plugin learn what a fold knows, and asks all about each bone that it holds out. `place` says where a bone
/// stands in the evidence's gallery; `people` are those whose shapes are known.
void add_cases(const KnownShapes& known, std::span<const NamedShape> shapes, const Fold& fold, const std::string& which,
               const std::set<std::string>& people, const std::vector<std::int64_t>& place, ShapeEvidence& evidence,
               StageReport& report) {
  const ImageTable& images = fold.images;
  const at::Tensor& fingerprints = fold.embeddings.front().vectors;
  const auto is_known = [&](std::size_t b) { return people.contains(images.bones[b].subject); };
  const ShapeGallery gallery = known.gallery(images, fingerprints, is_known);
  for (const auto& [instance, shape] : shapes) {
    report.progress(0, 0, -1, instance + " learns" + which);
    shape.fit(gallery);
  }
  std::vector<std::int64_t> candidates;
  for (std::size_t b = 0; b < place.size(); ++b)
    if (is_known(b)) candidates.push_back(place[b]);
  for (std::size_t b = 0; b < place.size(); ++b) {
    if (!images.bones[b].held_out) continue;
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
  std::vector<std::set<std::string>> people;
  for (const Fold& fold : folds)
    people.push_back(known_people(run.experiment.sections.at("reconstruction"), fold.images, people.size()));
  // Every bone of a run is known in some fold or in none, in the same order in all.
  const std::vector<EvidenceBone>& bones = folds.front().images.bones;
  ShapeEvidence evidence;
  std::vector<std::int64_t> place(known.meshes().size(), -1);
  for (std::size_t b = 0; b < place.size(); ++b)
    if (std::ranges::any_of(people, [&](const auto& some) { return some.contains(bones[b].subject); })) {
      place[b] = std::ssize(evidence.gallery);
      evidence.gallery_bones.push_back(static_cast<std::int64_t>(b));
      evidence.gallery.push_back(known.meshes()[b]);
    }
  for (std::size_t number = 0; number < folds.size(); ++number)
    add_cases(known, shapes, folds[number],
              folds.size() > 1 ? text(", fold ", number + 1, " of ", folds.size()) : std::string(), people[number],
              place, evidence, report);
  return evidence;
}

}  // namespace osteon::pipeline
