// A run's records as JSON and as CSV; see the header.

#include "records.hpp"

#include "reports/text.hpp"

#include <osteon/error.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <initializer_list>

namespace osteon::files {

namespace {

using Json = nlohmann::ordered_json;

/// JSON has no number for what is not finite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string to_file(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string csv_line(std::initializer_list<std::string> fields) {
  std::string line;
  bool first = true;
  for (const std::string& field : fields) {
    if (!std::exchange(first, false)) line += ',';
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      line += field;
      continue;
    }
    line += '"';
    for (const char c : field) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + "\r\n";
}

const char* truth(bool value) { return value ? "true" : "false"; }

}  // namespace

std::string number_text(double value) { return std::isnan(value) ? "" : reports::number_text(value); }
std::string number_text(float value) { return std::isnan(value) ? "" : reports::number_text(value); }

std::string environment_json(const RunStarted& run) {
  Json json = Json::object();
  if (!run.environment.contains("command")) json["command"] = run.command;
  for (const auto& [name, value] : run.environment) json[name] = value;
  return to_file(json);
}

std::string metrics_json(const RunStarted& run, const RunFinished& end, const std::vector<MetricValue>& values) {
  Json list = Json::array();
  for (const MetricValue& value : values) {
    Json interval, people = Json::object();
    for (const PersonPart& part : value.people) people[part.person] = {number(part.sum), number(part.count)};
    if (value.interval) interval = {number(value.interval->first), number(value.interval->second)};
    list.push_back({{"table", value.table},
                    {"row", value.row},
                    {"column", value.column},
                    {"value", number(value.value)},
                    {"unit", value.unit},
                    {"larger_is_better", value.larger_is_better},
                    {"is_baseline", value.is_baseline},
                    {"count", value.count},
                    {"counted", value.counted},
                    {"interval", interval},
                    {"people", people},
                    {"note", value.note}});
  }
  return to_file({{"title", run.title},
                  {"point", run.point},
                  {"status", end.status},
                  {"seconds", end.status == "running" ? Json() : number(end.seconds)},
                  {"message", end.message},
                  {"values", list}});
}

std::string metrics_csv(const std::vector<MetricValue>& values) {
  std::string csv = csv_line({"table", "row", "column", "value", "unit", "larger_is_better", "is_baseline", "count",
                              "counted", "interval_low", "interval_high", "note"});
  for (const MetricValue& value : values)
    csv += csv_line({value.table, value.row, value.column, number_text(value.value), value.unit,
                     truth(value.larger_is_better), truth(value.is_baseline), std::to_string(value.count),
                     value.counted, value.interval ? number_text(value.interval->first) : "",
                     value.interval ? number_text(value.interval->second) : "", value.note});
  return csv;
}

std::string curves_csv(const std::vector<Scalar>& curves) {
  std::string csv = csv_line({"curve", "step", "value"});
  for (const Scalar& point : curves) csv += csv_line({point.curve, number_text(point.step), number_text(point.value)});
  return csv;
}

std::string charts_json(const std::vector<Chart>& charts) {
  static constexpr const char* kMarks[] = {"line", "points", "bars"};  // in the order of ChartSeries::Mark
  const auto numbers = [](const std::vector<double>& values) {
    Json list = Json::array();
    for (const double value : values) list.push_back(number(value));
    return list;
  };
  Json all = Json::array();
  for (const Chart& chart : charts) {
    Json series = Json::array(), guides = Json::array();
    for (const ChartSeries& one : chart.series)
      series.push_back({{"name", one.name},
                        {"mark", kMarks[static_cast<int>(one.mark)]},
                        {"is_baseline", one.is_baseline},
                        {"x", numbers(one.x)},
                        {"y", numbers(one.y)},
                        {"hover", one.hover}});
    for (const Chart::Guide& guide : chart.guides) guides.push_back({{"name", guide.name}, {"x", number(guide.x)}});
    all.push_back({{"section", chart.section},
                   {"title", chart.title},
                   {"x_label", chart.x_label},
                   {"y_label", chart.y_label},
                   {"log_x", chart.log_x},
                   {"note", chart.note},
                   {"series", series},
                   {"guides", guides}});
  }
  return to_file({{"charts", all}});
}

std::string map_csv(const PicturedMap& map) {
  const std::size_t n = map.rows.size();
  const at::Tensor &points = map.map.points, &images = map.map.images;
  if (!points.defined() || points.scalar_type() != at::kFloat || points.dim() != 2 || points.size(1) != 2 ||
      points.size(0) != std::ssize(map.rows) || !images.defined() || images.scalar_type() != at::kLong ||
      images.numel() != points.size(0) || map.bones.size() != n || map.roles.size() != n || map.held_out.size() != n)
    throw failure(text("map \"", map.map.title, "\": for each of its ", n,
                       " images there must be a point (float32 [n, 2]), a number, a bone, a role and whether it was "
                       "held out"));
  const at::Tensor places = points.contiguous(), numbers = images.contiguous();
  const float* p = places.data_ptr<float>();
  std::string csv =
      csv_line({"image", "bone", "x", "y", "role", "held_out", "pose", "axial", "tilt", "in_plane", "energy"});
  for (std::size_t i = 0; i < n; ++i) {
    const ImageRow& row = map.rows[i];
    csv +=
        csv_line({std::to_string(numbers.data_ptr<std::int64_t>()[i]), map.bones[i], number_text(p[2 * i]),
                  number_text(p[2 * i + 1]), map.roles[i], truth(map.held_out[i]), std::to_string(row.pose),
                  number_text(row.axial), number_text(row.tilt), number_text(row.in_plane), number_text(row.energy)});
  }
  return csv;
}

std::string left_out_csv(const std::vector<SpecimenLeftOut>& specimens) {
  std::string csv = csv_line({"specimen", "stage", "reason"});
  for (const SpecimenLeftOut& left : specimens) csv += csv_line({left.specimen, left.stage, left.reason});
  return csv;
}

}  // namespace osteon::files
