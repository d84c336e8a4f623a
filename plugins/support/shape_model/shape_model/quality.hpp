#pragma once

// What a shape model is worth, measured between surfaces (Davies, Twining & Taylor, "Statistical models of shape",
// 2008, chapter 9; Styner et al., "Evaluation of 3D correspondence methods for model building", IPMI 2003).

#include "shape_model/shape_model.hpp"

#include <functional>
#include <vector>

namespace osteon::shape_model {

/// Share of the variance that the first 1, 2, … modes carry.
[[nodiscard]] std::vector<double> compactness(const ShapeModel& model);

/// For each bone the RMS distance, mm, between it and the nearest member of the model that is built from the others.
[[nodiscard]] std::vector<double> generalisation(const std::vector<Points>& shapes, const std::vector<Mesh>& bones,
                                                 const std::function<ShapeModel(const std::vector<Points>&)>& built);

/// For each of so many random members the RMS distance, mm, to the nearest bone; `shapes` aligned, with the triangles
/// of the model.
[[nodiscard]] std::vector<double> specificity(const ShapeModel& model, const std::vector<Points>& shapes,
                                              std::int64_t members, std::uint64_t seed);

}  // namespace osteon::shape_model
