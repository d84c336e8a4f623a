#pragma once

// Whether a predicted shape agrees with the X-rays that it was predicted from, as bones of the run did that it did not
// know. What a method calls its residual may leave out what it found no partner for, so the outlines are also compared
// here, all of them.

#include "pipeline/finished_run.hpp"
#include "pipeline/shape_gallery.hpp"
#include "pipeline/shapes.hpp"

#include <algorithm>
#include <span>

namespace osteon::pipeline {

/// Of one X-ray pair.
struct Misfit {
  double residual = 0;  ///< mm, as the method says; NaN where it says nothing
  /// mm between the outline of the re-rendered bone and that of what is bright in the X-ray, on average: the area
  /// between both, over the length of the latter.
  double ap = 0, ml = 0;
  double scale = 0;  ///< by how many per cent the method had to take AP larger or smaller than ML

  [[nodiscard]] double outlines() const { return std::max(ap, ml); }
};

/// `query` has one pair, and `prediction` its fitted exposures.
[[nodiscard]] Misfit misfit_of(const ShapeQuery& query, const ShapePrediction& prediction, const Parameters& views);

/// Misfits of bones that a method had not learnt from: those that the run's first folds hold out, until there are a
/// dozen pairs of them or no folds are left. From the store where they were made before. Empty where the run holds
/// nobody out. Leaves the method as it learnt from a fold.
[[nodiscard]] std::vector<Misfit> held_out_misfits(const RunImages& run, const KnownShapes& known,
                                                   const NamedShape& shape);

/// What is unusual about a misfit, in words for a person.
[[nodiscard]] std::vector<std::string> doubts_about(const Misfit& misfit, std::span<const Misfit> usual);

}  // namespace osteon::pipeline
