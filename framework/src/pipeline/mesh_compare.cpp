#include "pipeline/mesh_compare.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace osteon::pipeline {

namespace {

/// "needs meshes alone and takes alignment, samples, …".
std::string wanted(const Given& given) {
  std::string words = "needs meshes alone and takes ";
  for (auto entry = given.begin(); entry != given.end(); ++entry)
    words += (entry == given.begin() ? "" : ", ") + entry->first;
  return words;
}

bool takes(const Schema& schema, const Given& given) {
  return std::ranges::all_of(given, [&](const auto& entry) {
    const Parameter* parameter = schema.find(entry.first);
    return parameter != nullptr && parameter->standard.index() == entry.second.index();
  });
}

bool needs_meshes_alone(const host::LoadedPlugin& plugin, const Given& given) {
  return host::MetricHandle(plugin, Parameters(plugin.schema, given)).needs() == std::set{Need::meshes};
}

std::string figure_text(const MetricValue& value) {
  if (!std::isfinite(value.value)) return "–";
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.3f", value.value);
  return value.unit.empty() ? digits : text(digits, " ", value.unit);
}

/// Characters that UTF-8 text shows.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void add_once(std::vector<std::string>& words, const std::string& word) {
  if (std::ranges::find(words, word) == words.end()) words.push_back(word);
}

std::string table_of(const std::vector<MetricValue>& values, const std::string& table) {
  std::vector<std::string> rows, columns, notes;
  std::map<std::pair<std::string, std::string>, std::string> cells;
  std::size_t head = 0, cell = 0;
  for (const MetricValue& value : values) {
    if (value.table != table) continue;
    add_once(rows, value.row);
    add_once(columns, value.column);
    if (!value.note.empty()) add_once(notes, value.note);
    const std::string figure = figure_text(value);
    cells[{value.row, value.column}] = figure;
    head = std::max(head, width_of(value.row));
    cell = std::max({cell, width_of(figure), width_of(value.column)});
  }
  const auto padding = [](std::size_t to, const std::string& word) { return std::string(to - width_of(word), ' '); };
  std::string lines = table + "\n" + std::string(head + 2, ' ');
  for (const std::string& column : columns) lines += "  " + padding(cell, column) + column;
  for (const std::string& row : rows) {
    lines += "\n  " + row + padding(head, row);
    for (const std::string& column : columns)
      lines += "  " + padding(cell, cells[{row, column}]) + cells[{row, column}];
  }
  for (const std::string& note : notes) lines += "\n  " + note;
  return lines + "\n";
}

}  // namespace

host::MetricHandle surface_metric(host::Registry& registry, const std::string& name, const Given& given) {
  if (!name.empty()) {
    const host::LoadedPlugin& plugin = registry.find("metric", name);
    if (!takes(plugin.schema, given) || !needs_meshes_alone(plugin, given))
      throw Error(text("--metric ", name, ": it measures no pair of surfaces: expected a metric that ", wanted(given)));
    return {plugin, Parameters(plugin.schema, given)};
  }
  std::vector<const host::LoadedPlugin*> fit;
  std::string names;
  for (const host::FoundPlugin& found : registry.list("metric")) {
    if (!found.problem.empty()) continue;
    const host::LoadedPlugin& plugin = registry.find(found.kind, found.name);
    if (!takes(plugin.schema, given) || !needs_meshes_alone(plugin, given)) continue;
    fit.push_back(&plugin);
    names += (names.empty() ? "" : ", ") + found.name;
  }
  if (fit.empty())
    throw Error(text("no installed metric measures a pair of surfaces: expected one that ", wanted(given),
                     "; build Osteon with Open3D, or name the folder of such a plugin with --plugins DIR"));
  if (fit.size() > 1)
    throw Error(text(fit.size(), " installed metrics measure a pair of surfaces: choose with --metric one of ", names));
  return {*fit.front(), Parameters(fit.front()->schema, given)};
}

MetricResult compare(const host::MetricHandle& metric, const std::string& truth_name, const Mesh& truth,
                     const std::string& predicted_name, const Mesh& predicted) {
  Evidence::Contents contents;
  contents.bone = at::empty({0}, at::kLong);
  contents.bones = {{truth_name, truth_name, Side::unknown, true}};
  ShapeCase::Answer answer;
  answer.estimator = predicted_name;
  answer.together.mesh = predicted;
  ShapeCase one;
  one.truth = truth;
  one.answers = {answer};
  contents.shapes.cases = {one};
  return metric.evaluate(contents);
}

std::string tables_of(const std::vector<MetricValue>& values) {
  std::vector<std::string> tables;
  for (const MetricValue& value : values) add_once(tables, value.table);
  std::string lines;
  for (const std::string& table : tables) {
    if (!lines.empty()) lines += "\n";
    lines += table_of(values, table);
  }
  return lines;
}

}  // namespace osteon::pipeline
