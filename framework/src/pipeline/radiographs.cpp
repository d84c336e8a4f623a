#include "pipeline/radiographs.hpp"

#include "host/handles.hpp"
#include "imaging/film.hpp"
#include "pipeline/words.hpp"

#include <osteon/error.hpp>
#include <osteon/png.hpp>

#include <algorithm>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

host::FormatHandle make_format(host::Registry& registry, const std::string& name) {
  const host::LoadedPlugin& plugin = registry.find("format", name);
  return {plugin, Parameters(plugin.schema, {})};
}

XraySettings settings_of(const RunOptions& options, host::Registry& registry, bool framed) {
  XraySettings settings;
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

std::optional<host::FormatHandle> format_of(host::Registry& registry, const fs::path& file) {
  const std::string name = lower_case(file.filename().string());
  for (const host::FoundPlugin& plugin : registry.list("format")) {
    if (!plugin.problem.empty()) continue;
    host::FormatHandle handle = make_format(registry, plugin.name);
    for (const std::string& ending : handle.endings())
      if (name.size() > ending.size() && name.ends_with(ending)) return handle;
  }
  return std::nullopt;
}

Radiograph read_radiograph(host::Registry& registry, const fs::path& file, const std::string& format) {
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) throw Error(text(file.string(), ": no such file"));
  if (!format.empty()) return make_format(registry, format).read_radiograph(file);
  if (const auto known = format_of(registry, file)) return known->read_radiograph(file);
  std::string formats;
  for (const host::FoundPlugin& plugin : registry.list("format"))
    if (plugin.problem.empty()) formats += (formats.empty() ? "" : ", ") + plugin.name;
  throw Error(
      text(file.filename().string(), ": no format is known by this ending; name one with --format (", formats, ")"));
}

at::Tensor PreparedPair::montage(const XraySettings& settings) const {
  const std::vector<imaging::Pose> as_it_is(1);
  return imaging::expose_pair(ap, ml, as_it_is, settings.views).pixels[0];
}

PreparedPair prepare_pair(host::Registry& registry, const XrayPair& pair, const XraySettings& settings) {
  std::vector<std::string> lines;
  const auto prepare = [&](const RadiographFile& view, const std::string& plane) {
    const Radiograph radiograph = read_radiograph(registry, view.file, pair.format);
    imaging::PreparedRadiograph prepared(radiograph, view.hints, pair.side, "the " + plane + " radiograph",
                                         settings.views, settings.film, settings.radiographs);
    lines.push_back(plane + "  " + view.file.filename().string());
    for (const std::string& fact : prepared.facts()) lines.push_back("    " + fact);
    for (const std::string& notice : radiograph.notices) lines.push_back("    notice     " + notice);
    return prepared;
  };
  auto ap = prepare(pair.ap, "AP"), ml = prepare(pair.ml, "ML");
  return {std::move(ap), std::move(ml), std::move(lines)};
}

std::vector<std::string> prepare_xrays(const RunOptions& options, const XrayPair& pair, bool framed,
                                       const fs::path& out) {
  host::Registry registry(host::Registry::search_path(options.plugin_folders));
  const XraySettings settings = settings_of(options, registry, framed);
  PreparedPair prepared = prepare_pair(registry, pair, settings);
  write_png(out, prepared.montage(settings));
  return std::move(prepared.lines);
}

}  // namespace osteon::pipeline
