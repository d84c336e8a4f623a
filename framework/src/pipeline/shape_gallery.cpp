#include "pipeline/shape_gallery.hpp"

#include "imaging/film.hpp"
#include "imaging/views.hpp"
#include "pipeline/stage_tools.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <map>
#include <string>

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

Schema reconstruction_schema() {
  return {"What shape methods know and are told",
          {Parameter::text("told", "nominal",
                           "Of an X-ray: the nominal view at the spacing that the image claims, or exactly how it was "
                           "taken, which nobody knows of a real one.")
               .one_of({"nominal", "exact"}),
           Parameter::integer("people", 0,
                              "Whose bones' shapes they learn from, drawn anew in each fold from those who are not "
                              "held out; 0 is all of them. (The network is trained on all.)")
               .at_least(0),
           Parameter::integer("seed", 1, "Of that draw.").at_least(0)}};
}

std::set<std::string> known_people(const Parameters& reconstruction, const ImageTable& images, std::size_t fold) {
  std::set<std::string> people;
  for (const EvidenceBone& bone : images.bones)
    if (!bone.held_out) people.insert(bone.subject);
  const std::int64_t wanted = reconstruction.integer("people");
  if (wanted == 0 || wanted >= std::ssize(people)) return people;
  const std::vector<std::string> all(people.begin(), people.end());
  const auto order = Random(static_cast<std::uint64_t>(reconstruction.integer("seed")), "known people", fold)
                         .permutation(std::ssize(all));
  people.clear();
  for (std::int64_t i = 0; i < wanted; ++i)
    people.insert(all[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  return people;
}

double stated_scale_error(const config::Experiment& experiment) {
  constexpr double kPercent = 0.01;
  if (experiment.sections.at("reconstruction").text("told") == "exact") return 0;
  return kPercent * experiment.sections.at("views").real("scale_error");
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
          query.line_integrals,
          query.scale_error};
}

KnownShapes::KnownShapes(const RunContext& run, const Cohort& cohort, const ImageTable& images)
    : run_(run),
      views_(run.experiment.sections.at("views")),
      scans_(first_scans(cohort, images)),
      is_told_exactly_(run.experiment.sections.at("reconstruction").text("told") == "exact"),
      scale_error_(stated_scale_error(run.experiment)),
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

std::vector<PairExposures> KnownShapes::told(const ImageTable& images, const at::Tensor& rows) const {
  std::vector<PairExposures> result;
  for (const std::int64_t row : as_vector(rows)) {
    const auto image = static_cast<std::size_t>(row);
    result.push_back(is_told_exactly_ ? real_pair(images, image) : told_pair(images.rows[image].pixel_spacing, views_));
  }
  return result;
}

ShapeGallery KnownShapes::gallery(const ImageTable& images, const at::Tensor& embeddings,
                                  const std::function<bool(std::size_t)>& is_known) const {
  ShapeGallery known;
  std::vector<std::int64_t> position(images.bones.size(), -1);
  std::map<std::string, std::int64_t> people;
  for (std::size_t b = 0; b < images.bones.size(); ++b) {
    if (!is_known(b)) continue;
    position[b] = std::ssize(known.meshes);
    known.meshes.push_back(meshes_[b]);
    known.person.push_back(people.try_emplace(images.bones[b].subject, std::ssize(people)).first->second);
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
  known.told = told(images, rows);
  known.scale_error = scale_error_;
  return known;
}

ShapeQuery KnownShapes::query(const ImageTable& images, const at::Tensor& embeddings, std::size_t bone) const {
  const auto* shown = images.bone.data_ptr<std::int64_t>();
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return images.role[static_cast<std::size_t>(i)] == Role::query && shown[i] == static_cast<std::int64_t>(bone);
  });
  ShapeQuery query{embeddings.index_select(0, rows).contiguous(), {}, {}, line_integrals_, scale_error_};
  if (rows.size(0) == 0) return query;
  query.images = images.pixels.gather(as_vector(rows));
  query.exposures = told(images, rows);
  return query;
}

}  // namespace osteon::pipeline
