#pragma once

// Slices → volume. A series is sorted by position along the slice normal, never by file name or instance number, and
// must fill a regular grid: no slice missing, none twice, none of another size or direction, none shifted sideways.

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
};

/// Looks into every file. Throws `Error` naming a DICOM file whose header is damaged.
[[nodiscard]] Findings find_slices(std::span<const std::filesystem::path> files);

/// The regular files of a folder, with those of the folders below it when `recursive`, in order of their paths.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder, bool recursive);

/// Sorts along the normal of the first slice; equal positions by path. Slices without a place come last.
void sort_slices(std::vector<Slice>& slices);

/// The grid that sorted slices fill, canonical. Throws `Error` naming the file or the folder and what is wrong.
[[nodiscard]] Grid grid_of(std::span<const Slice> slices);

/// Reads sorted slices. Throws what `grid_of` and `read_hounsfield` throw.
[[nodiscard]] Volume read_series(std::span<const Slice> slices);

/// SHA-256 over the files' bytes, slice by slice.
[[nodiscard]] std::string digest_of(std::span<const Slice> slices);

/// "two CT series: 120 slices (first file a.dcm) and 118 slices (first file b.dcm)".
[[nodiscard]] std::string enumeration(std::span<const std::vector<Slice>> series);

/// Parts slices by SeriesInstanceUID; the largest first, then by SeriesNumber, then by UID. Each is sorted.
[[nodiscard]] std::vector<std::vector<Slice>> by_series(std::vector<Slice> slices);

}  // namespace osteon::dicom
