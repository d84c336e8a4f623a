#pragma once

// One slice of a CT series, a file or a frame of one: what its header says, and its pixels in Hounsfield units. DICOM
// PS3.3, "CT Image IOD" (C.8.2.1), "Image Plane Module" (C.7.6.2) and, for enhanced images, "Multi-frame Functional
// Groups" (C.7.6.16). Compressed pixels are decoded by GDCM. All but `PixelReader` may be called from several threads.

#include "itk/dicom_decoder.hpp"
#include "itk/dicom_elements.hpp"

#include <osteon/geometry.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace osteon::dicom {

/// Identifies the series that format/dicom writes: their identifiers are pseudonyms already.
inline constexpr const char* kManufacturer = "Osteon";
inline constexpr const char* kDeidentification = "Osteon export: pseudonyms only";

struct Slice {
  std::filesystem::path file;
  std::int64_t frame = 0, frames = 1;  ///< of the file, from 0

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
  bool rescale_assumed = false;                ///< the header gives neither; stored values may be HU already

  std::int64_t bits_allocated = 0, bits_stored = 0;  ///< per pixel
  bool is_signed = false;
  bool encapsulated = false;  ///< compressed
  bool lossy = false;         ///< compressed with loss, now or before
  std::string transfer_syntax;
  std::uintmax_t pixel_offset = 0;  ///< of this frame's first byte in the file, where not compressed

  std::string problem;  ///< why this can't be a slice of a volume, without the file's name; "" when it can

  [[nodiscard]] bool is_ct() const;
  [[nodiscard]] bool is_localiser() const;
  [[nodiscard]] Vec3 normal() const { return cross(along_row, along_column); }
  /// For messages: the file's own name, never its folder's (which may be a patient's), and the frame.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] PixelPlace pixels() const { return {file, pixel_offset, encapsulated}; }
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(rows * columns * (bits_allocated / 8)); }
};

/// Reads up to the pixels: one slice, or one of each frame. Throws `Error` naming the file when the header is damaged
/// or cut off.
[[nodiscard]] std::vector<Slice> read_slices(const std::filesystem::path& file);

/// Reads the pixels of slices. Frames of one compressed file are decoded together. Belongs to one thread.
class PixelReader {
 public:
  /// Throws `Error` naming the file when it is too small for the pixels that its header promises.
  static void require_room(const Slice& slice);

  /// Decodes the pixels of one slice and applies its rescale: HU, rounded, row by row into `hounsfield` (rows ×
  /// columns). Throws `Error` naming the file when pixels are missing, can't be decoded, or leave the 16-bit range.
  void read_hounsfield(const Slice& slice, std::span<std::int16_t> hounsfield);

 private:
  [[nodiscard]] std::string native(const Slice& slice) const;
  [[nodiscard]] std::string decoded(const Slice& slice);

  Decoder decoder_;
  std::filesystem::path file_;  ///< whose frames are in `pixels_`
  std::string pixels_;
};

}  // namespace osteon::dicom
