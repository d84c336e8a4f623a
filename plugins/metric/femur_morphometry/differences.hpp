#pragma once

// How far the measures of predicted femurs are from those of the true ones.

#include "femur/morphometry.hpp"

#include <osteon/metric.hpp>

#include <array>
#include <map>
#include <vector>

namespace osteon::morphometry {

inline constexpr std::size_t kMeasures = 5;
struct Measure {
  const char* name;
  const char* unit;
};
inline constexpr std::array<Measure, kMeasures> kMeasureNames = {
    {{"head centre", "mm"}, {"head radius", "mm"}, {"length", "mm"}, {"neck–shaft angle", "°"}, {"anteversion", "°"}}};

/// One number a measure; NaN where it is undefined.
using Values = std::array<double, kMeasures>;

/// A bone's own measures; the first is undefined, for a centre is no number.
Values values_of(const femur::Morphometry& bone);
/// Absolute differences; the first is the distance of the centres when the prediction is moved by `onto_truth`.
Values difference(const femur::Morphometry& truth, const femur::Morphometry& predicted, const Affine& onto_truth);
/// Absolute differences of values alone.
Values difference(const Values& truth, const Values& predicted);
/// The mean over those that are defined, measure by measure.
Values mean(const std::vector<Values>& values);

/// A surface in place of the truth of a case.
using Prediction = std::pair<std::size_t, const Mesh*>;

/// The differences of all predictions, each once: laid onto the truth without scaling, measured by the same code.
/// `names` says whose a surface is, for errors.
std::map<Prediction, Values> differences(const std::vector<ShapeCase>& cases,
                                         const std::vector<femur::Morphometry>& truths,
                                         const std::map<Prediction, std::string>& names);

}  // namespace osteon::morphometry
