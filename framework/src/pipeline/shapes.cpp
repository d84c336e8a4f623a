#include "pipeline/shapes.hpp"

#include "imaging/film.hpp"
#include "imaging/views.hpp"
#include "pipeline/stage_tools.hpp"

#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kGreyValues = 256;

BoneSurface surface_of(const RunContext& run, const Scan& scan) {
  return bone_surface_from(run.store.load(scan.surface.key));
}

Mesh own_frame_mesh(const RunContext& run, const Scan& scan) {
  const BoneSurface surface = surface_of(run, scan);
  return imaging::in_bone_frame(surface.mesh, surface.frame);
}

/// The surface that a simulated CT was made from, in the frame of the surface found in it.
std::optional<Mesh> surface_made_from(const RunContext& run, const Scan& scan) {
  const auto truth = acquisition_from(run.store.load(scan.volume.key)).truth;
  if (!truth) return std::nullopt;
  return imaging::in_bone_frame(*truth, surface_of(run, scan).frame);
}

std::vector<const Scan*> first_scans(const Cohort& cohort, const ImageTable& images) {
  std::vector<const Scan*> scans(images.bones.size(), nullptr);
  for (const Scan* scan : cohort.of_acquisition(0))
    for (std::size_t b = 0; b < images.bones.size(); ++b)
      if (images.specimen[b] == scan->specimen) scans[b] = scan;
  return scans;
}

at::Tensor grey_values(const Parameters& film) {
  const imaging::Film mapping(film);
  at::Tensor table = at::empty({kGreyValues}, at::kFloat);
  for (std::int64_t grey = 0; grey < kGreyValues; ++grey)
    table.data_ptr<float>()[grey] = static_cast<float>(mapping.line_integral(static_cast<std::uint8_t>(grey)));
  return table;
}

/// Exposures of images as they were, or as one is told.
class ExposureTable {
 public:
  ExposureTable(const RunContext& run, const Cohort& cohort)
      : views_(run.experiment.sections.at("views")), frames_(cohort.scans.size()) {
    for (std::size_t s = 0; s < frames_.size(); ++s) frames_[s] = surface_of(run, cohort.scans[s]).frame;
  }

  [[nodiscard]] std::vector<PairExposures> real(const ImageTable& images, const at::Tensor& rows) const {
    std::vector<PairExposures> exposures;
    for (const std::int64_t row : as_vector(rows)) {
      const auto i = static_cast<std::size_t>(row);
      const imaging::BoneFrame& frame = frames_[images.scan[i]];
      const auto in_frame = [&](Plane plane) {
        return imaging::in_bone_frame(imaging::projection(frame, plane, imaging::pose_of(images.rows[i]), views_),
                                      frame);
      };
      exposures.push_back({in_frame(Plane::ap), in_frame(Plane::ml)});
    }
    return exposures;
  }

  [[nodiscard]] std::vector<PairExposures> told(const ImageTable& images, const at::Tensor& rows) const {
    std::vector<PairExposures> exposures;
    for (const std::int64_t row : as_vector(rows)) {
      const double spacing = images.rows[static_cast<std::size_t>(row)].pixel_spacing;
      exposures.push_back(
          {imaging::told_projection(Plane::ap, spacing, views_), imaging::told_projection(Plane::ml, spacing, views_)});
    }
    return exposures;
  }

 private:
  const Parameters& views_;
  std::vector<imaging::BoneFrame> frames_;  ///< of each scan
};

/// The bones that a fold knows, and what it knows of them.
struct FoldGallery {
  std::vector<std::int64_t> bones;  ///< index into the bones of the run
  ShapeGallery gallery;
};

FoldGallery gallery_of(const Fold& fold, const std::vector<Mesh>& meshes, const ExposureTable& exposures) {
  const ImageTable& images = fold.images;
  FoldGallery known;
  std::vector<std::int64_t> position(images.bones.size(), -1);
  for (std::size_t b = 0; b < images.bones.size(); ++b)
    if (!images.bones[b].held_out) {
      position[b] = std::ssize(known.bones);
      known.bones.push_back(static_cast<std::int64_t>(b));
      known.gallery.meshes.push_back(meshes[b]);
    }
  const auto* bone = images.bone.data_ptr<std::int64_t>();
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return images.role[static_cast<std::size_t>(i)] != Role::query && position[static_cast<std::size_t>(bone[i])] >= 0;
  });
  known.gallery.embeddings = fold.embeddings.front().vectors.index_select(0, rows).contiguous();
  known.gallery.bone = at::tensor(position, at::kLong).index_select(0, images.bone.index_select(0, rows));
  known.gallery.images = images.pixels.gather(as_vector(rows));
  known.gallery.exposures = exposures.real(images, rows);
  return known;
}

ShapeQuery one_of(const ShapeQuery& query, std::int64_t which) {
  return {query.embeddings.narrow(0, which, 1),
          query.images.narrow(0, which, 1),
          {query.exposures[static_cast<std::size_t>(which)]},
          query.line_integrals};
}

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

}  // namespace

ShapeEvidence predict_shapes(const RunContext& run, std::span<const NamedShape> shapes, const Cohort& cohort,
                             std::span<const Fold> folds, StageReport& report) {
  const ImageTable& all = folds.front().images;
  const auto scans = first_scans(cohort, all);
  const ExposureTable exposures(run, cohort);
  const at::Tensor line_integrals = grey_values(run.experiment.sections.at("film"));
  std::vector<Mesh> meshes;
  for (const Scan* scan : scans) meshes.push_back(own_frame_mesh(run, *scan));

  // Every bone of a run is known in some fold or in none, in the same order in all.
  ShapeEvidence evidence;
  std::vector<std::int64_t> place(meshes.size(), -1);
  for (std::size_t b = 0; b < meshes.size(); ++b)
    if (std::ranges::any_of(folds, [&](const Fold& fold) { return !fold.images.bones[b].held_out; })) {
      place[b] = std::ssize(evidence.gallery);
      evidence.gallery_bones.push_back(static_cast<std::int64_t>(b));
      evidence.gallery.push_back(meshes[b]);
    }

  for (std::size_t number = 0; number < folds.size(); ++number) {
    const ImageTable& images = folds[number].images;
    const std::string which = folds.size() > 1 ? text(", fold ", number + 1, " of ", folds.size()) : "";
    FoldGallery known = gallery_of(folds[number], meshes, exposures);
    known.gallery.line_integrals = line_integrals;
    std::vector<std::int64_t> candidates;
    for (const std::int64_t b : known.bones) candidates.push_back(place[static_cast<std::size_t>(b)]);
    for (const auto& [instance, shape] : shapes) {
      report.progress(0, 0, -1, instance + " learns" + which);
      shape.fit(known.gallery);
    }
    for (std::size_t b = 0; b < images.bones.size(); ++b) {
      if (!images.bones[b].held_out) continue;
      const auto* bone = images.bone.data_ptr<std::int64_t>();
      const at::Tensor rows = images.rows_where([&](std::int64_t i) {
        return images.role[static_cast<std::size_t>(i)] == Role::query && bone[i] == static_cast<std::int64_t>(b);
      });
      if (rows.size(0) == 0) continue;
      report.progress(0, 0, -1, "shape of " + images.bones[b].id + which);
      const ShapeQuery query{folds[number].embeddings.front().vectors.index_select(0, rows).contiguous(),
                             images.pixels.gather(as_vector(rows)), exposures.told(images, rows), line_integrals};
      ShapeCase one{static_cast<std::int64_t>(b), meshes[b], surface_made_from(run, *scans[b]), candidates, {}};
      for (const NamedShape& shape : shapes) one.answers.push_back(answer_of(shape, query, one.truth, candidates));
      evidence.cases.push_back(std::move(one));
    }
  }
  return evidence;
}

}  // namespace osteon::pipeline
