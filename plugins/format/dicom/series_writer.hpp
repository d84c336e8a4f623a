#pragma once

// A CT volume as a series of DICOM files, one per slice. DICOM PS3.3, "CT Image IOD" (A.3); written by GDCM.

#include <osteon/format.hpp>

namespace osteon::dicom {

/// Stored value = HU + 1024; the rescale intercept is -1024, the slope 1.
inline constexpr int kIntercept = -1024;

/// Writes slice_0001.dcm, … into `folder`, which must not exist or be empty; it appears when the series is complete.
void write_series(const Volume& volume, const VolumeLabel& label, const std::filesystem::path& folder);

}  // namespace osteon::dicom
