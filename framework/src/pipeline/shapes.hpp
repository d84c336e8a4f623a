#pragma once

// What the shape plugins say of the held-out bones.

#include "pipeline/stages.hpp"

#include "host/handles.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace osteon::pipeline {

using NamedShape = std::pair<std::string, host::ShapeHandle>;

/// In each fold every shape plugin learns from the bones that are not held out, and predicts those that are from their
/// query images: from all of a bone's images together, and from each alone. The true mesh is not in what it is told.
[[nodiscard]] ShapeEvidence predict_shapes(const RunContext& run, std::span<const NamedShape> shapes,
                                           const Cohort& cohort, std::span<const Fold> folds, StageReport& report);

}  // namespace osteon::pipeline
