#pragma once

// The elements of a DICOM file up to its pixels, read without trust: every length is checked against the file before it
// is believed. (GDCM's own parser ends the whole program on some damaged files.) DICOM PS3.5, chapter 7, and PS3.10,
// chapter 7.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace osteon::dicom {

struct Elements {
  std::map<std::uint32_t, std::string> values;  ///< tag as 0xggggeeee → bytes; short elements of the top level
  std::string transfer_syntax;
  bool encapsulated = false;        ///< the pixels are compressed
  std::uintmax_t pixel_offset = 0;  ///< of the pixels' first byte in the file; 0 when there are none
  std::uintmax_t file_size = 0;

  /// Without padding; "" when absent.
  [[nodiscard]] std::string text(std::uint32_t tag) const;
  /// A 16-bit number (VR US); 0 when absent.
  [[nodiscard]] std::int64_t number(std::uint32_t tag) const;
};

/// By content: the word DICM behind the 128 bytes of the preamble.
[[nodiscard]] bool is_dicom(const std::filesystem::path& file);

/// Throws `Error` naming the file when it is damaged, cut off within its header, or in an encoding that isn't read.
[[nodiscard]] Elements read_elements(const std::filesystem::path& file);

/// Throws `Error` naming the file unless its compressed pixels are complete to the last fragment.
void require_fragments(const std::filesystem::path& file, const Elements& elements);

}  // namespace osteon::dicom
