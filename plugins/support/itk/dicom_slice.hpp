#pragma once

// One file of a CT series: what its header says, and its pixels in Hounsfield units. DICOM PS3.3, "CT Image IOD"
// (C.8.2.1) and "Image Plane Module" (C.7.6.2); decoding by GDCM. Everything here may be called from several threads.

#include "itk/dicom_elements.hpp"

#include <osteon/geometry.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace osteon::dicom {

/// Identifies the series that format/dicom writes: their identifiers are pseudonyms already.
inline constexpr const char* kManufacturer = "Osteon";
inline constexpr const char* kDeidentification = "Osteon export: pseudonyms only";

struct Slice {
  std::filesystem::path file;

  std::string modality, sop_class, sop_class_name, image_type;
  std::string patient, study, series;  ///< PatientID, StudyInstanceUID, SeriesInstanceUID
  std::string laterality;              ///< "L", "R" or ""
  std::string description;             ///< SeriesDescription
  std::int64_t series_number = 0;
  bool pseudonymous = false;  ///< written by format/dicom

  std::int64_t rows = 0, columns = 0;
  Vec3 position, along_row, along_column;      ///< mm; unit vectors of growing column and growing row
  double row_spacing = 0, column_spacing = 0;  ///< mm between rows, between columns
  std::optional<double> between_slices;        ///< SpacingBetweenSlices, mm
  double slope = 1, intercept = 0;             ///< HU = slope · stored + intercept

  std::int64_t bits_allocated = 0, bits_stored = 0;  ///< per pixel
  bool is_signed = false;

  std::string problem;  ///< why this can't be a slice of a volume, without the file's name; "" when it can

  [[nodiscard]] bool is_ct() const;
  [[nodiscard]] bool is_localiser() const;
  [[nodiscard]] Vec3 normal() const { return cross(along_row, along_column); }
};

/// Reads up to the pixels. Throws `Error` naming the file when the header is damaged or cut off.
[[nodiscard]] Slice read_slice(const std::filesystem::path& file);

/// Decodes the pixels of one slice and applies its rescale: HU, rounded, row by row into `hounsfield` (rows × columns).
/// Throws `Error` naming the file when pixels are missing, can't be decoded, or leave the 16-bit range.
void read_hounsfield(const Slice& slice, std::span<std::int16_t> hounsfield);

}  // namespace osteon::dicom
