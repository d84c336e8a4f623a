#include "pipeline/radiographs.hpp"

#include "host/handles.hpp"
#include "imaging/film.hpp"

#include <osteon/error.hpp>
#include <osteon/png.hpp>

#include <algorithm>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

host::FormatHandle make_format(host::Registry& registry, const std::string& name) {
  const host::LoadedPlugin& plugin = registry.find("format", name);
  return {plugin, Parameters(plugin.schema, {})};
}

/// Reads with the format named, or with the one that claims the file's ending.
Radiograph read(host::Registry& registry, const fs::path& file, const std::string& format) {
  const std::string name = lower(file.filename().string());
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) throw Error(text(file.string(), ": no such file"));
  if (!format.empty()) return make_format(registry, format).read_radiograph(file);
  std::string formats;
  for (const host::FoundPlugin& plugin : registry.list()) {
    if (plugin.kind != "format" || !plugin.problem.empty()) continue;
    const host::FormatHandle handle = make_format(registry, plugin.name);
    for (const std::string& ending : handle.endings())
      if (name.size() > ending.size() && name.ends_with(ending)) return handle.read_radiograph(file);
    formats += (formats.empty() ? "" : ", ") + plugin.name;
  }
  throw Error(
      text(file.filename().string(), ": no format is known by this ending; name one with --format (", formats, ")"));
}

struct Settings {
  Parameters views{imaging::views_schema(), {}};
  Parameters film{imaging::film_schema(), {}};
  Parameters radiographs{imaging::radiographs_schema(), {}};
};

Settings settings_of(const RunOptions& options, host::Registry& registry, bool framed) {
  Settings settings;
  if (!options.request.file.empty()) {
    const config::Plan plan = config::load(options.request, sections(), registry);
    const auto& given = plan.points.front().experiment.sections;
    settings = {given.at("views"), given.at("film"), given.at("xray")};
  }
  if (framed) {
    auto values = settings.views.values();
    values["scaling"] = std::string("framed");
    settings.views = {imaging::views_schema(), values};
  }
  return settings;
}

}  // namespace

std::vector<std::string> prepare_xrays(const RunOptions& options, const XrayRequest& request) {
  host::Registry registry(host::Registry::search_path(options.plugin_folders));
  const Settings settings = settings_of(options, registry, request.framed);
  std::vector<std::string> lines;
  const auto prepare = [&](const RadiographFile& view, const std::string& plane) {
    const Radiograph radiograph = read(registry, view.file, request.format);
    imaging::PreparedRadiograph prepared(radiograph, view.hints, request.side, "the " + plane + " radiograph",
                                         settings.views, settings.film, settings.radiographs);
    lines.push_back(plane + "  " + view.file.filename().string());
    for (const std::string& fact : prepared.facts()) lines.push_back("    " + fact);
    for (const std::string& notice : radiograph.notices) lines.push_back("    notice     " + notice);
    return prepared;
  };
  const auto ap = prepare(request.ap, "AP"), ml = prepare(request.ml, "ML");
  const std::vector<imaging::Pose> upright(1);
  write_png(request.out, imaging::expose_pair(ap, ml, upright, settings.views).pixels[0]);
  return lines;
}

}  // namespace osteon::pipeline
