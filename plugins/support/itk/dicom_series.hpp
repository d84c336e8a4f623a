#pragma once

// Slices → volume. A series is sorted by position along the slice normal, never by file name or instance number, and
// must fill a grid: no slice missing, none twice, none of another size or direction. Slices that are sheared against
// their stack (a tilted gantry) or unevenly spaced are resampled, which a notice says: see dicom_grid.hpp.

#include "itk/dicom_grid.hpp"
#include "itk/dicom_slice.hpp"

#include <osteon/volume.hpp>

#include <span>
#include <string>
#include <vector>

namespace osteon::dicom {

/// What lies among some files.
struct Findings {
  std::vector<Slice> slices;  ///< CT images that are no localisers
  std::string stranger;       ///< the first DICOM file that is no CT image, and what it is; "" when there is none
  std::size_t files = 0;      ///< looked at
  std::size_t localisers = 0, strangers = 0;
};

/// Looks into every file. Throws `Error` naming a DICOM file whose header is damaged.
[[nodiscard]] Findings find_slices(std::span<const std::filesystem::path> files);

/// The regular files of a folder, with those of the folders below it when `recursive`, in order of their paths.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder, bool recursive);

/// Sorts along the normal of the first slice; equal positions by path. Slices without a place come last.
void sort_slices(std::vector<Slice>& slices);

/// A volume, and what was decided in reading it.
struct Reading {
  Volume volume;
  std::vector<std::string> notices;
};

/// Reads sorted slices. Throws what `layout_of` and `PixelReader` throw, and when the header gives no rescale and the
/// stored values are not HU either: they are taken for HU if they are signed and the lowest is that of air or padding
/// (-3100 to -500).
[[nodiscard]] Reading read_series(std::span<const Slice> slices);

/// SHA-256 over the files' bytes, slice by slice.
[[nodiscard]] std::string digest_of(std::span<const Slice> slices);

/// "two CT series: 120 slices (first file a.dcm) and 118 slices (first file b.dcm)".
[[nodiscard]] std::string enumeration(std::span<const std::vector<Slice>> series);

/// Parts slices by SeriesInstanceUID; the largest first, then by SeriesNumber, then by UID. Each is sorted.
[[nodiscard]] std::vector<std::vector<Slice>> by_series(std::vector<Slice> slices);

}  // namespace osteon::dicom
