#pragma once

// What every stage does the same way.

#include "pipeline/stages.hpp"

namespace osteon::pipeline {

/// Returns the artifact of `ingredients`, made by `make` if the store has none. A second process that wants the same
/// one waits for this.
Stored find_or_make(const RunContext& run, const store::Ingredients& ingredients, StageReport& report,
                    const std::function<store::Artifact()>& make);

/// "views.height" → "96": the part of a framework section in a key.
[[nodiscard]] std::map<std::string, std::string> section_parts(const config::Experiment& experiment,
                                                               const std::string& section);

void merge(std::map<std::string, std::string>& parts, const std::map<std::string, std::string>& more);

/// int64 `[N]` as a vector.
[[nodiscard]] std::vector<std::int64_t> as_vector(const at::Tensor& rows);

/// Pixels as vectors, float32 `[N, P]` between 0 and 1: area-averaged to at most 96 rows, so that a full-size run fits
/// into memory too. With `is_upright` each view is turned upright first.
[[nodiscard]] at::Tensor raw_pixels(const training::Pixels& pixels, bool is_upright = false);

/// Ends the stage for the reporters and keeps its record.
void finish(StageReport& report, Records& records, const std::string& detail);

template <class H>
H make_handle(const RunContext& run, std::string_view kind) {
  const config::PluginChoice& choice = run.experiment.only(kind);
  return H(run.registry.find(kind, choice.plugin), choice.parameters);
}

}  // namespace osteon::pipeline
