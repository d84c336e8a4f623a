#pragma once

// Two surfaces compared by the metric plugin that measures pairs of surfaces, and what a person gets to see of it.

#include "host/handles.hpp"

#include <map>
#include <string>
#include <vector>

namespace osteon::pipeline {

using Given = std::map<std::string, ParameterValue>;

/// The metric named, or where the name is "" the only installed one that needs meshes and nothing else and takes all
/// parameters of `given`. Throws `Error` where there is none, or more than one, or the one named is no such metric.
[[nodiscard]] host::MetricHandle surface_metric(host::Registry& registry, const std::string& name, const Given& given);

/// What the metric says of one bone, `truth`, for which one answer, `predicted`, was given.
[[nodiscard]] MetricResult compare(const host::MetricHandle& metric, const std::string& truth_name, const Mesh& truth,
                                   const std::string& predicted_name, const Mesh& predicted);

/// Tables of the figures for a terminal, and their notes.
[[nodiscard]] std::string tables_of(const std::vector<MetricValue>& values);

/// The distance in mm that gets the last colour: 98 % of the vertices lie nearer, rounded up to 1, 2 or 5 times a power
/// of ten.
[[nodiscard]] double colour_limit(const SurfacePair& pair);

/// Truth and prediction, coloured by distance, from two sides, with a colour bar: uint8 `[H, W, 3]`.
[[nodiscard]] at::Tensor picture_of(const SurfacePair& pair);

/// Bytes of a PLY file: the predicted surface as it was laid onto the truth, with colours and, as `quality`, the
/// distance in mm.
[[nodiscard]] std::string coloured_ply(const SurfacePair& pair);

}  // namespace osteon::pipeline
