#pragma once

// From the places of a series' slices to a regular grid. What a scanner writes is not always one: the slices of a
// tilted gantry are shifted against each other within their planes, and some reconstructions and exports leave uneven
// gaps.

#include "itk/dicom_slice.hpp"

#include <osteon/volume.hpp>

#include <span>
#include <string>
#include <vector>

namespace osteon::dicom {

/// How sorted slices lie and the grid that they become.
struct Layout {
  Grid grid;  ///< canonical
  /// Of each slice where the slices must be resampled, else empty: its distance from the first along the normal in
  /// units of the grid's, and its shift along columns and rows in pixels, from the grid's first column and row.
  std::vector<Vec3> places;
  std::vector<std::string> notices;

  [[nodiscard]] bool needs_resampling() const { return !places.empty(); }
};

/// Slices count as even when each lies within a tenth of the slice distance of its place, and as upright when none is
/// shifted by more than half a pixel. Beyond that they are resampled, with a notice: uneven ones when no gap is below
/// half or above one and a half of the usual (the median), shifted ones when the shift grows evenly along the stack, at
/// 45° or less. Throws `Error` for everything else, with the slice and the numbers.
[[nodiscard]] Layout layout_of(std::span<const Slice> slices);

/// The slices `[K, rows, columns]` (int16) on the layout's grid, linear in each direction; -1000 HU where no slice
/// reaches.
[[nodiscard]] at::Tensor resampled(const at::Tensor& slices, const Layout& layout);

}  // namespace osteon::dicom
