#pragma once

// What every stage does the same way.

#include "pipeline/network_input.hpp"
#include "pipeline/stages.hpp"

namespace osteon::pipeline {

/// Returns the artifact of `ingredients`, made by `make` if the store has none. A second process that wants the same
/// one waits for this. Ranks from 1 on make nothing: what is missing is an `Error`.
Stored find_or_make(const RunContext& run, const store::Ingredients& ingredients, StageReport& report,
                    const std::function<store::Artifact()>& make);

/// "views.height" → "96": the part of a framework section in a key.
[[nodiscard]] std::map<std::string, std::string> section_parts(const config::Experiment& experiment,
                                                               const std::string& section);

void merge(std::map<std::string, std::string>& parts, const std::map<std::string, std::string>& more);

/// int64 `[N]` as a vector.
[[nodiscard]] std::vector<std::int64_t> as_vector(const at::Tensor& rows);

/// Pixels as vectors, float32 `[N, P]` between 0 and 1: area-averaged to at most 96 rows, so that a full-size run fits
/// into memory too.
[[nodiscard]] at::Tensor raw_pixels(const training::Pixels& pixels, const NetworkInput& input);

/// Ends the stage for the reporters and keeps its record.
void finish(StageReport& report, Records& records, const std::string& detail);

/// The plugin of a table that holds one: "source", "query_renderer".
template <class H>
H make_handle(const RunContext& run, std::string_view table) {
  const config::PluginChoice& choice = run.experiment.only(table);
  return H(run.registry.find(choice.kind, choice.plugin), choice.parameters);
}

/// What makes the X-rays of the gallery's scans and those of the scans that ask.
struct Renderers {
  explicit Renderers(const RunContext& run)
      : gallery(make_handle<host::RendererHandle>(run, "renderer")),
        queries(make_handle<host::RendererHandle>(run, config::kQueryRenderer)) {}

  [[nodiscard]] const host::RendererHandle& of(bool is_gallery) const { return is_gallery ? gallery : queries; }
  [[nodiscard]] std::string names() const {
    return gallery.name() == queries.name() ? gallery.name() : gallery.name() + ", " + queries.name();
  }

  host::RendererHandle gallery, queries;
};

}  // namespace osteon::pipeline
