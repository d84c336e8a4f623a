#pragma once

// Subsets of images by angle and energy, for experiments on pairs: the study compares distances within six of them.

#include <osteon/image_set.hpp>

#include <span>
#include <string>

namespace osteon::imaging {

/// Closed interval.
struct Range {
  double low, high;
  [[nodiscard]] bool holds(double value) const { return value >= low - 1e-9 && value <= high + 1e-9; }
};

/// The images whose axial and in-plane angles (of both planes) and whose energies lie in the ranges: indices,
/// ascending.
[[nodiscard]] std::vector<std::int64_t> subset(std::span<const ImageRow> rows, Range axial, Range in_plane,
                                               Range energy);

struct Subset {
  std::string name;
  Range axial, in_plane, energy;
};

/// The study's six: within 4° at 146 to 158 keV, within 4°, within 7°, one angle up to 22° and the other within 4° (two
/// of them), all.
[[nodiscard]] std::vector<Subset> study_subsets();

}  // namespace osteon::imaging
