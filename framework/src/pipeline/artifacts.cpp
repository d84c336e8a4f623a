#include "pipeline/artifacts.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace osteon::pipeline {

using nlohmann::json;

namespace {

json vector_json(Vec3 v) { return {v.x, v.y, v.z}; }
Vec3 vec3_from(const json& j) { return {j.at(0), j.at(1), j.at(2)}; }

Mesh mesh_from(const store::Artifact& artifact, const std::string& name) {
  Mesh mesh{artifact.tensors.at(name + ".vertices"), artifact.tensors.at(name + ".triangles")};
  mesh.check();
  return mesh;
}

/// A tensor of a stored artifact, after its type and number of dimensions have been found right.
const at::Tensor& stored_tensor(const store::Artifact& artifact, const std::string& name, at::ScalarType type,
                                std::int64_t dimensions) {
  const at::Tensor& tensor = artifact.tensors.at(name);
  if (tensor.scalar_type() != type || tensor.dim() != dimensions)
    throw failure(text("its \"", name, "\" is ", tensor.dim(), "-dimensional of type ",
                       c10::toString(tensor.scalar_type()), "; expected ", dimensions, " dimensions of ",
                       c10::toString(type)));
  return tensor;
}

/// What `read` makes of an artifact. A store may have been filled by somebody else, and its digests say who can repeat
/// a mistake, not that there is none: what is missing, or of another type than what we write, is an `Error`.
template <class Read>
auto read_stored(const std::string& what, const Read& read) {
  const auto refusal = [&](const std::string& reason) {
    return failure(text("a stored ", what, " cannot be read: ", reason, "; remove it from the store and run again"));
  };
  try {
    return read();
  } catch (const Error& e) {
    throw refusal(e.what());
  } catch (const std::exception&) {  // of the JSON and tensor libraries, in their words
    throw refusal("an entry of its facts or a tensor is missing or of another type");
  }
}

void put(store::Artifact& artifact, const std::string& name, const Mesh& mesh) {
  artifact.tensors[name + ".vertices"] = mesh.vertices;
  artifact.tensors[name + ".triangles"] = mesh.triangles;
}

Side side_from(const std::string& word) {
  for (const Side side : {Side::left, Side::right})
    if (word == to_text(side)) return side;
  return Side::unknown;
}

/// One column of a stored image set's table of rows.
struct Column {
  const char* name;
  const char* unit;
  double ImageRow::*member;  ///< nullptr: the pose's number
};

constexpr std::array<Column, 13> kColumns = {{{"pose", "", nullptr},
                                              {"axial", "_deg", &ImageRow::axial},
                                              {"tilt", "_deg", &ImageRow::tilt},
                                              {"in_plane", "_deg", &ImageRow::in_plane},
                                              {"energy", "_kev", &ImageRow::energy},
                                              {"pixel_spacing", "_mm", &ImageRow::pixel_spacing},
                                              {"ml_axial", "_deg", &ImageRow::ml_axial},
                                              {"ml_tilt", "_deg", &ImageRow::ml_tilt},
                                              {"ml_in_plane", "_deg", &ImageRow::ml_in_plane},
                                              {"ap_scale", "", &ImageRow::ap_scale},
                                              {"ml_scale", "", &ImageRow::ml_scale},
                                              {"ap_cut", "", &ImageRow::ap_cut},
                                              {"ml_cut", "", &ImageRow::ml_cut}}};

constexpr double kMostPoses = 1e15;  // whole numbers below it have a double of their own

/// JSON has no NaN and nothing infinite; null stands for both.
json number(double value) { return std::isfinite(value) ? json(value) : json(); }

double number_from(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

}  // namespace

store::Artifact to_artifact(const Acquisition& acquisition) {
  store::Artifact artifact;
  if (acquisition.radiographs) {
    std::vector<std::string> notices = acquisition.notices;
    for (const auto& [name, view] :
         {std::pair("ap", &acquisition.radiographs->ap), std::pair("ml", &acquisition.radiographs->ml)}) {
      artifact.tensors[name] = view->intensity;
      artifact.facts["pair"][name] = {view->pixel_spacing, view->spacing_source};
      notices.insert(notices.end(), view->notices.begin(), view->notices.end());
    }
    if (!notices.empty()) artifact.facts["notices"] = notices;
    return artifact;
  }
  const Grid& grid = acquisition.volume.grid;
  artifact.facts = {{"size", grid.size},
                    {"spacing", vector_json(grid.spacing)},
                    {"origin", vector_json(grid.origin)},
                    {"direction",
                     {vector_json(grid.direction.column[0]), vector_json(grid.direction.column[1]),
                      vector_json(grid.direction.column[2])}}};
  artifact.tensors["hounsfield"] = acquisition.volume.hounsfield;
  if (acquisition.truth) put(artifact, "truth", *acquisition.truth);
  if (acquisition.bone_mask.defined()) artifact.tensors["bone_mask"] = acquisition.bone_mask;
  if (!acquisition.notices.empty()) artifact.facts["notices"] = acquisition.notices;
  return artifact;
}

namespace {

Acquisition read_acquisition(const store::Artifact& artifact) {
  Acquisition acquisition;
  if (artifact.facts.contains("pair")) {
    const auto view = [&](const char* name) {
      const json& scale = artifact.facts.at("pair").at(name);
      return Radiograph{stored_tensor(artifact, name, at::kFloat, 2), scale.at(0), scale.at(1)};
    };
    acquisition.radiographs = RadiographPair{view("ap"), view("ml")};
    if (artifact.facts.contains("notices")) acquisition.notices = artifact.facts.at("notices");
    return acquisition;
  }
  Grid& grid = acquisition.volume.grid;
  grid.size = artifact.facts.at("size");
  grid.spacing = vec3_from(artifact.facts.at("spacing"));
  grid.origin = vec3_from(artifact.facts.at("origin"));
  for (std::size_t i = 0; i < 3; ++i) grid.direction.column[i] = vec3_from(artifact.facts.at("direction").at(i));
  acquisition.volume.hounsfield = artifact.tensors.at("hounsfield");
  acquisition.volume.check();
  if (artifact.tensors.contains("truth.vertices")) acquisition.truth = mesh_from(artifact, "truth");
  if (artifact.tensors.contains("bone_mask")) {
    acquisition.bone_mask = stored_tensor(artifact, "bone_mask", at::kByte, 3);
    if (acquisition.bone_mask.sizes() != acquisition.volume.hounsfield.sizes())
      throw failure("its bone mask has another size than its volume");
  }
  if (artifact.facts.contains("notices")) acquisition.notices = artifact.facts.at("notices");
  return acquisition;
}

}  // namespace

Acquisition acquisition_from(const store::Artifact& artifact) {
  return read_stored("scan", [&] { return read_acquisition(artifact); });
}

store::Artifact to_artifact(const BoneSurface& surface) {
  store::Artifact artifact;
  const imaging::BoneFrame& frame = surface.frame;
  artifact.facts = {{"origin", vector_json(frame.origin)},
                    {"medial", vector_json(frame.medial)},
                    {"anterior", vector_json(frame.anterior)},
                    {"proximal", vector_json(frame.proximal)},
                    {"length", frame.length},
                    {"hip_centre", frame.hip_centre ? vector_json(*frame.hip_centre) : json()},
                    {"knee_centre", frame.knee_centre ? vector_json(*frame.knee_centre) : json()},
                    {"head_radius", frame.head_radius},
                    {"side", to_text(frame.side)},
                    {"side_by_shape", to_text(frame.side_by_shape)},
                    {"found_by", frame.found_by}};
  put(artifact, "bone", surface.mesh);
  return artifact;
}

namespace {

BoneSurface read_bone_surface(const store::Artifact& artifact) {
  const json& facts = artifact.facts;
  const auto point = [&](const char* name) {
    return facts.at(name).is_null() ? std::nullopt : std::optional(vec3_from(facts.at(name)));
  };
  return {mesh_from(artifact, "bone"),
          {vec3_from(facts.at("origin")), vec3_from(facts.at("medial")), vec3_from(facts.at("anterior")),
           vec3_from(facts.at("proximal")), facts.at("length"), point("hip_centre"), point("knee_centre"),
           facts.at("head_radius"), side_from(facts.at("side")), side_from(facts.at("side_by_shape")),
           facts.at("found_by")}};
}

}  // namespace

BoneSurface bone_surface_from(const store::Artifact& artifact) {
  return read_stored("surface", [&] { return read_bone_surface(artifact); });
}

store::Artifact to_artifact(const ImageSet& images) {
  store::Artifact artifact;
  artifact.tensors["pixels"] = images.pixels;
  const auto count = static_cast<std::int64_t>(images.rows.size());
  at::Tensor rows = at::empty({count, static_cast<std::int64_t>(kColumns.size())}, at::kDouble);
  auto* value = rows.data_ptr<double>();
  for (const ImageRow& row : images.rows) {
    *value++ = static_cast<double>(row.pose);
    for (const Column& column : kColumns)
      if (column.member != nullptr) *value++ = row.*column.member;
  }
  artifact.tensors["rows"] = rows;
  for (const Column& column : kColumns) artifact.facts["columns"].push_back(column.name);
  return artifact;
}

namespace {

ImageSet read_image_set(const store::Artifact& artifact) {
  ImageSet images{stored_tensor(artifact, "pixels", at::kByte, 3), {}};
  const at::Tensor& rows = stored_tensor(artifact, "rows", at::kDouble, 2);
  if (rows.size(0) != images.pixels.size(0) || rows.size(1) != static_cast<std::int64_t>(kColumns.size()))
    throw failure(text("its table of rows is ", rows.size(0), " x ", rows.size(1), "; ", images.pixels.size(0),
                       " images need as many rows, of ", kColumns.size(), " columns"));
  const auto* value = rows.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    ImageRow row;
    if (!(std::abs(*value) < kMostPoses))
      throw failure(text("image ", i, " is of pose ", *value, ", which is no number of one"));
    row.pose = static_cast<std::int64_t>(*value++);
    for (const Column& column : kColumns)
      if (column.member != nullptr) row.*column.member = *value++;
    images.rows.push_back(row);
  }
  return images;
}

}  // namespace

ImageSet image_set_from(const store::Artifact& artifact) {
  return read_stored("image set", [&] { return read_image_set(artifact); });
}

std::string index_header() {
  std::string header = "file";
  for (const Column& column : kColumns) header += text(",", column.name, column.unit);
  return header + "\n";
}

std::string index_line(const std::string& file, const ImageRow& row) {
  std::string line = file;
  for (const Column& column : kColumns)
    line += column.member == nullptr ? text(",", row.pose) : text(",", row.*column.member);
  return line + "\n";
}

MetricValue metric_value_from(const json& j) {
  MetricValue value;
  value.table = j.at("table");
  value.row = j.at("row");
  value.column = j.at("column");
  value.value = number_from(j.at("value"));
  value.unit = j.at("unit");
  value.larger_is_better = j.at("larger_is_better");
  value.is_baseline = j.at("is_baseline");
  value.count = j.at("count");
  value.counted = j.at("counted");
  if (!j.at("interval").is_null())
    value.interval = {number_from(j.at("interval").at(0)), number_from(j.at("interval").at(1))};
  value.note = j.at("note");
  if (!j.contains("people")) return value;  // of a run that is older than this key
  for (const auto& [person, part] : j.at("people").items())
    value.people.push_back({person, number_from(part.at(0)), number_from(part.at(1))});
  return value;
}

json to_json(const MetricValue& value) {
  json j = {{"table", value.table},
            {"row", value.row},
            {"column", value.column},
            {"value", number(value.value)},
            {"unit", value.unit},
            {"larger_is_better", value.larger_is_better},
            {"is_baseline", value.is_baseline},
            {"count", value.count},
            {"counted", value.counted},
            {"interval", nullptr},
            {"note", value.note},
            {"people", json::object()}};
  if (value.interval) j["interval"] = {number(value.interval->first), number(value.interval->second)};
  for (const PersonPart& part : value.people) j["people"][part.person] = {number(part.sum), number(part.count)};
  return j;
}

namespace {

json numbers(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

std::vector<double> numbers_from(const json& list) {
  std::vector<double> values;
  for (const json& value : list) values.push_back(number_from(value));
  return values;
}

constexpr std::array kMarks{"line", "points", "bars"};  // in the order of ChartSeries::Mark

ChartSeries series_from(const json& j, const std::string& chart) {
  const std::string word = j.at("mark");
  const auto mark = std::ranges::find(kMarks, word) - kMarks.begin();
  if (mark == std::ssize(kMarks))
    throw failure(text("its chart \"", chart, "\" has marks called \"", word, "\"; line, points and bars are known"));
  return {j.at("name"),
          static_cast<ChartSeries::Mark>(mark),
          numbers_from(j.at("x")),
          numbers_from(j.at("y")),
          j.at("is_baseline"),
          j.at("hover")};
}

Chart chart_from(const json& j) {
  Chart chart{j.at("section"), j.at("title"), j.at("x_label"), j.at("y_label"), {}, {}, j.at("log_x"), j.at("note")};
  for (const json& series : j.at("series")) chart.series.push_back(series_from(series, chart.title));
  for (const json& guide : j.at("guides")) chart.guides.push_back({guide.at(0), number_from(guide.at(1))});
  return chart;
}

}  // namespace

json to_json(const Chart& chart) {
  json series = json::array(), guides = json::array();
  for (const ChartSeries& one : chart.series)
    series.push_back({{"name", one.name},
                      {"mark", kMarks[static_cast<std::size_t>(one.mark)]},
                      {"x", numbers(one.x)},
                      {"y", numbers(one.y)},
                      {"is_baseline", one.is_baseline},
                      {"hover", one.hover}});
  for (const Chart::Guide& guide : chart.guides) guides.push_back({guide.name, number(guide.x)});
  return {{"section", chart.section}, {"title", chart.title}, {"x_label", chart.x_label}, {"y_label", chart.y_label},
          {"series", series},         {"guides", guides},     {"log_x", chart.log_x},     {"note", chart.note}};
}

store::Artifact to_artifact(const MetricResult& result) {
  store::Artifact artifact;
  json charts = json::array(), maps = json::array();
  for (const Chart& chart : result.charts) charts.push_back(to_json(chart));
  for (std::size_t i = 0; i < result.maps.size(); ++i) {
    const std::string name = "map" + std::to_string(i);
    maps.push_back({result.maps[i].title, result.maps[i].note});
    artifact.tensors[name + ".images"] = result.maps[i].images;
    artifact.tensors[name + ".points"] = result.maps[i].points;
  }
  json values = json::array(), captions = json::array();
  for (const MetricValue& value : result.values) values.push_back(to_json(value));
  for (std::size_t i = 0; i < result.surfaces.size(); ++i) {
    const std::string name = "surface" + std::to_string(i);
    captions.push_back(result.surfaces[i].caption);
    put(artifact, name + ".truth", result.surfaces[i].truth);
    put(artifact, name + ".predicted", result.surfaces[i].predicted);
    artifact.tensors[name + ".distance"] = result.surfaces[i].distance;
  }
  artifact.facts = {{"values", std::move(values)},
                    {"surfaces", std::move(captions)},
                    {"charts", std::move(charts)},
                    {"maps", std::move(maps)}};
  return artifact;
}

namespace {

MetricResult read_metric_result(const store::Artifact& artifact) {
  MetricResult result;
  for (const json& value : artifact.facts.at("values")) result.values.push_back(metric_value_from(value));
  const json& captions = artifact.facts.at("surfaces");
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const std::string name = "surface" + std::to_string(i);
    result.surfaces.push_back({captions[i], mesh_from(artifact, name + ".truth"),
                               mesh_from(artifact, name + ".predicted"), artifact.tensors.at(name + ".distance")});
  }
  for (const json& chart : artifact.facts.at("charts")) result.charts.push_back(chart_from(chart));
  const json& maps = artifact.facts.at("maps");
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::string name = "map" + std::to_string(i);
    result.maps.push_back(
        {maps[i].at(0), maps[i].at(1), artifact.tensors.at(name + ".images"), artifact.tensors.at(name + ".points")});
  }
  return result;
}

}  // namespace

MetricResult metric_result_from(const store::Artifact& artifact) {
  return read_stored("result", [&] { return read_metric_result(artifact); });
}

}  // namespace osteon::pipeline
