#pragma once

// The rows of the shape tables: what each method, each baseline and each bound is worth on each held-out bone.

#include "methods.hpp"

#include <limits>

namespace osteon::shape_error {

/// What one prediction of one bone is worth, or the mean of several.
struct Outcome {
  double rms = 0, mean = 0, hd95 = 0, hausdorff = 0;         ///< mm, symmetric
  double relative = 0;                                       ///< rms in % of the true bone's bounding-box diagonal
  double better = std::numeric_limits<double>::quiet_NaN();  ///< candidates with a smaller rms; NaN: not asked
  double worst = 0;                                          ///< mm, the largest rms of those averaged
  std::string worst_of;                                      ///< whose that was: bone, X-ray pair, bone chosen
  RegionErrors regions = unknown_regions();
};

struct Row {
  std::string name;
  bool is_baseline = false;
  std::vector<std::optional<Outcome>> cases;  ///< in the order of the evidence; nothing where the row has no answer
  std::string note;                           ///< of every figure
  std::string verdict;                        ///< of the figures of RMS
};

/// How rows are called.
inline constexpr const char* kMeanRow = "mean shape";
inline constexpr const char* kScaledMeanRow = "mean shape scaled to the length";
inline constexpr const char* kLengthRow = "nearest by length";
inline constexpr const char* kTwoScalarsRow = "nearest by length and volume";
inline constexpr const char* kRandomRow = "random bone";
inline constexpr const char* kOppositeRow = "opposite femur of the same person";
inline constexpr const char* kOracleRow = "best bone in the gallery (oracle)";
inline constexpr const char* kFloorRow = "iso-surface of its own CT (floor)";

Outcome outcome(const Laid& laid, const Comparison& comparison, std::size_t c);
/// Each figure the mean over the outcomes, which are not none; `worst` is the largest.
Outcome mean_outcome(const std::vector<Outcome>& outcomes);

/// Three rows a method at most: all X-ray pairs together, one pair, its 3D ceiling (a bound).
std::vector<Row> method_rows(const Method& method, const Comparison& comparison);

/// What no X-ray is needed for, and the bounds.
std::vector<Row> baseline_rows(Comparison& comparison);

}  // namespace osteon::shape_error
