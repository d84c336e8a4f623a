#include "pipeline/shape_gallery.hpp"

#include "imaging/film.hpp"
#include "imaging/views.hpp"
#include "pipeline/stage_tools.hpp"

#include <ATen/Functions.h>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kGreyValues = 256;

BoneSurface surface_of(const RunContext& run, const Scan& scan) {
  return bone_surface_from(run.store.load(scan.surface.key));
}

std::vector<const Scan*> first_scans(const Cohort& cohort, const ImageTable& images) {
  std::vector<const Scan*> scans(images.bones.size(), nullptr);
  for (const Scan* scan : cohort.of_acquisition(0))
    for (std::size_t b = 0; b < images.bones.size(); ++b)
      if (images.specimen[b] == scan->specimen) scans[b] = scan;
  return scans;
}

}  // namespace

PairExposures told_pair(double pixel_spacing, const Parameters& views) {
  return {imaging::told_projection(Plane::ap, pixel_spacing, views),
          imaging::told_projection(Plane::ml, pixel_spacing, views)};
}

at::Tensor grey_values(const Parameters& film) {
  const imaging::Film mapping(film);
  at::Tensor table = at::empty({kGreyValues}, at::kFloat);
  for (std::int64_t grey = 0; grey < kGreyValues; ++grey)
    table.data_ptr<float>()[grey] = static_cast<float>(mapping.line_integral(static_cast<std::uint8_t>(grey)));
  return table;
}

ShapeQuery one_of(const ShapeQuery& query, std::int64_t which) {
  return {query.embeddings.narrow(0, which, 1),
          query.images.narrow(0, which, 1),
          {query.exposures[static_cast<std::size_t>(which)]},
          query.line_integrals};
}

KnownShapes::KnownShapes(const RunContext& run, const Cohort& cohort, const ImageTable& images)
    : run_(run),
      views_(run.experiment.sections.at("views")),
      scans_(first_scans(cohort, images)),
      line_integrals_(grey_values(run.experiment.sections.at("film"))) {
  for (const Scan& scan : cohort.scans) frames_.push_back(surface_of(run, scan).frame);
  for (const Scan* scan : scans_) {
    const BoneSurface surface = surface_of(run, *scan);
    meshes_.push_back(imaging::in_bone_frame(surface.mesh, surface.frame));
  }
}

std::optional<Mesh> KnownShapes::made_from(std::size_t bone) const {
  const Scan& scan = *scans_[bone];
  const auto truth = acquisition_from(run_.store.load(scan.volume.key)).truth;
  if (!truth) return std::nullopt;
  return imaging::in_bone_frame(*truth, surface_of(run_, scan).frame);
}

PairExposures KnownShapes::real_pair(const ImageTable& images, std::size_t image) const {
  const imaging::BoneFrame& frame = frames_[images.scan[image]];
  const auto in_frame = [&](Plane plane) {
    return imaging::in_bone_frame(imaging::projection(frame, plane, imaging::pose_of(images.rows[image]), views_),
                                  frame);
  };
  return {in_frame(Plane::ap), in_frame(Plane::ml)};
}

ShapeGallery KnownShapes::gallery(const ImageTable& images, const at::Tensor& embeddings,
                                  const std::function<bool(std::size_t)>& is_known) const {
  ShapeGallery known;
  std::vector<std::int64_t> position(images.bones.size(), -1);
  for (std::size_t b = 0; b < images.bones.size(); ++b) {
    if (!is_known(b)) continue;
    position[b] = std::ssize(known.meshes);
    known.meshes.push_back(meshes_[b]);
  }
  const auto* bone = images.bone.data_ptr<std::int64_t>();
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return images.role[static_cast<std::size_t>(i)] != Role::query && position[static_cast<std::size_t>(bone[i])] >= 0;
  });
  known.embeddings = embeddings.index_select(0, rows).contiguous();
  known.bone = at::tensor(position, at::kLong).index_select(0, images.bone.index_select(0, rows));
  known.images = images.pixels.gather(as_vector(rows));
  for (const std::int64_t row : as_vector(rows))
    known.exposures.push_back(real_pair(images, static_cast<std::size_t>(row)));
  known.line_integrals = line_integrals_;
  return known;
}

ShapeQuery KnownShapes::query(const ImageTable& images, const at::Tensor& embeddings, std::size_t bone) const {
  const auto* shown = images.bone.data_ptr<std::int64_t>();
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return images.role[static_cast<std::size_t>(i)] == Role::query && shown[i] == static_cast<std::int64_t>(bone);
  });
  ShapeQuery query{embeddings.index_select(0, rows).contiguous(), {}, {}, line_integrals_};
  if (rows.size(0) == 0) return query;
  query.images = images.pixels.gather(as_vector(rows));
  for (const std::int64_t row : as_vector(rows))
    query.exposures.push_back(told_pair(images.rows[static_cast<std::size_t>(row)].pixel_spacing, views_));
  return query;
}

}  // namespace osteon::pipeline
