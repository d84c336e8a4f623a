#include "pipeline/artifacts.hpp"

#include <cmath>

namespace osteon::pipeline {

using nlohmann::json;

namespace {

json to_json(Vec3 v) { return {v.x, v.y, v.z}; }
Vec3 vec3_from(const json& j) { return {j.at(0), j.at(1), j.at(2)}; }

Mesh mesh_from(const store::Artifact& artifact, const std::string& name) {
  return {artifact.tensors.at(name + ".vertices"), artifact.tensors.at(name + ".triangles")};
}

void put(store::Artifact& artifact, const std::string& name, const Mesh& mesh) {
  artifact.tensors[name + ".vertices"] = mesh.vertices;
  artifact.tensors[name + ".triangles"] = mesh.triangles;
}

MetricValue value_from(const json& j) {
  MetricValue value;
  value.table = j.at("table");
  value.row = j.at("row");
  value.column = j.at("column");
  if (!j.at("value").is_null()) value.value = j.at("value");
  value.unit = j.at("unit");
  value.larger_is_better = j.at("larger_is_better");
  value.is_baseline = j.at("is_baseline");
  value.count = j.at("count");
  value.counted = j.at("counted");
  if (!j.at("interval").is_null()) value.interval = {j.at("interval").at(0), j.at("interval").at(1)};
  value.note = j.at("note");
  return value;
}

}  // namespace

store::Artifact to_artifact(const Acquisition& acquisition) {
  store::Artifact artifact;
  const Grid& grid = acquisition.volume.grid;
  artifact.facts = {
      {"size", grid.size},
      {"spacing", to_json(grid.spacing)},
      {"origin", to_json(grid.origin)},
      {"direction",
       {to_json(grid.direction.column[0]), to_json(grid.direction.column[1]), to_json(grid.direction.column[2])}}};
  artifact.tensors["hounsfield"] = acquisition.volume.hounsfield;
  if (acquisition.truth) put(artifact, "truth", *acquisition.truth);
  if (acquisition.bone_mask.defined()) artifact.tensors["bone_mask"] = acquisition.bone_mask;
  if (!acquisition.notices.empty()) artifact.facts["notices"] = acquisition.notices;
  return artifact;
}

Acquisition acquisition_from(const store::Artifact& artifact) {
  Acquisition acquisition;
  Grid& grid = acquisition.volume.grid;
  grid.size = artifact.facts.at("size");
  grid.spacing = vec3_from(artifact.facts.at("spacing"));
  grid.origin = vec3_from(artifact.facts.at("origin"));
  for (std::size_t i = 0; i < 3; ++i) grid.direction.column[i] = vec3_from(artifact.facts.at("direction").at(i));
  acquisition.volume.hounsfield = artifact.tensors.at("hounsfield");
  acquisition.volume.check();
  if (artifact.tensors.contains("truth.vertices")) acquisition.truth = mesh_from(artifact, "truth");
  if (artifact.tensors.contains("bone_mask")) acquisition.bone_mask = artifact.tensors.at("bone_mask");
  if (artifact.facts.contains("notices")) acquisition.notices = artifact.facts.at("notices");
  return acquisition;
}

store::Artifact to_artifact(const BoneSurface& surface) {
  store::Artifact artifact;
  const imaging::BoneFrame& frame = surface.frame;
  artifact.facts = {{"origin", to_json(frame.origin)},
                    {"medial", to_json(frame.medial)},
                    {"anterior", to_json(frame.anterior)},
                    {"proximal", to_json(frame.proximal)},
                    {"length", frame.length}};
  put(artifact, "bone", surface.mesh);
  return artifact;
}

BoneSurface bone_surface_from(const store::Artifact& artifact) {
  const json& facts = artifact.facts;
  return {mesh_from(artifact, "bone"),
          {vec3_from(facts.at("origin")), vec3_from(facts.at("medial")), vec3_from(facts.at("anterior")),
           vec3_from(facts.at("proximal")), facts.at("length")}};
}

store::Artifact to_artifact(const ImageSet& images) {
  store::Artifact artifact;
  artifact.tensors["pixels"] = images.pixels;
  json rows = json::array();
  for (const ImageRow& row : images.rows)
    rows.push_back({{"pose", row.pose},
                    {"axial", row.axial},
                    {"tilt", row.tilt},
                    {"in_plane", row.in_plane},
                    {"energy", row.energy},
                    {"pixel_spacing", row.pixel_spacing}});
  artifact.facts = {{"images", std::move(rows)}};
  return artifact;
}

ImageSet image_set_from(const store::Artifact& artifact) {
  ImageSet images{artifact.tensors.at("pixels"), {}};
  for (const json& row : artifact.facts.at("images"))
    images.rows.push_back({row.at("pose"), row.at("axial"), row.at("tilt"), row.at("in_plane"), row.at("energy"),
                           row.at("pixel_spacing")});
  return images;
}

json to_json(const MetricValue& value) {
  json j = {{"table", value.table},
            {"row", value.row},
            {"column", value.column},
            {"value", nullptr},
            {"unit", value.unit},
            {"larger_is_better", value.larger_is_better},
            {"is_baseline", value.is_baseline},
            {"count", value.count},
            {"counted", value.counted},
            {"interval", nullptr},
            {"note", value.note}};
  if (!std::isnan(value.value)) j["value"] = value.value;
  if (value.interval) j["interval"] = {value.interval->first, value.interval->second};
  return j;
}

store::Artifact to_artifact(const MetricResult& result) {
  store::Artifact artifact;
  json values = json::array(), captions = json::array();
  for (const MetricValue& value : result.values) values.push_back(to_json(value));
  for (std::size_t i = 0; i < result.surfaces.size(); ++i) {
    const std::string name = "surface" + std::to_string(i);
    captions.push_back(result.surfaces[i].caption);
    put(artifact, name + ".truth", result.surfaces[i].truth);
    put(artifact, name + ".predicted", result.surfaces[i].predicted);
    artifact.tensors[name + ".distance"] = result.surfaces[i].distance;
  }
  artifact.facts = {{"values", std::move(values)}, {"surfaces", std::move(captions)}};
  return artifact;
}

MetricResult metric_result_from(const store::Artifact& artifact) {
  MetricResult result;
  for (const json& value : artifact.facts.at("values")) result.values.push_back(value_from(value));
  const json& captions = artifact.facts.at("surfaces");
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const std::string name = "surface" + std::to_string(i);
    result.surfaces.push_back({captions[i], mesh_from(artifact, name + ".truth"),
                               mesh_from(artifact, name + ".predicted"), artifact.tensors.at(name + ".distance")});
  }
  return result;
}

}  // namespace osteon::pipeline
