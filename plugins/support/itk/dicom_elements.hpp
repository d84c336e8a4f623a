#pragma once

// The elements of a DICOM file up to its pixels, read without trust: every length is checked against the file before it
// is believed. (GDCM's own parser ends the whole program on some damaged files.) DICOM PS3.5, chapter 7, and PS3.10,
// chapter 7.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon::dicom {

/// One level of elements: those of a file, or of one item of a sequence.
struct Group {
  std::map<std::uint32_t, std::string> values;            ///< tag as 0xggggeeee → bytes; short elements
  std::map<std::uint32_t, std::vector<Group>> sequences;  ///< the items of the sequences that describe frames

  /// Without padding; "" when absent.
  [[nodiscard]] std::string text(std::uint32_t tag) const;
  /// A 16-bit number (VR US); 0 when absent.
  [[nodiscard]] std::int64_t number(std::uint32_t tag) const;
};

/// The sequences of an enhanced multi-frame image that are read (PS3.3, C.7.6.16): what all frames share, what each has
/// of its own, and within both the macros for pixel measures, plane position and orientation, rescale, frame type and
/// anatomy.
inline constexpr std::uint32_t kShared = 0x52009229, kPerFrame = 0x52009230;
inline constexpr std::array<std::uint32_t, 6> kFrameMacros = {0x00289110, 0x00209113, 0x00209116,
                                                              0x00289145, 0x00189329, 0x00209071};

struct Elements : Group {
  std::string transfer_syntax;
  bool encapsulated = false;        ///< the pixels are compressed
  std::uintmax_t pixel_offset = 0;  ///< of the pixels' first byte in the file; 0 when there are none
  std::uintmax_t file_size = 0;
};

/// By content: the word DICM behind the 128 bytes of the preamble.
[[nodiscard]] bool is_dicom(const std::filesystem::path& file);

/// Throws `Error` naming the file when it is damaged, cut off within its header, or in an encoding that isn't read.
[[nodiscard]] Elements read_elements(const std::filesystem::path& file);

/// Where a file's pixels lie.
struct PixelPlace {
  std::filesystem::path file;
  std::uintmax_t offset = 0;
  bool encapsulated = false;
};

/// Throws `Error`, beginning with `name`, unless the file is large enough for `expected` bytes of pixels: all of them,
/// or what no codec goes below. To be called before memory is taken for what a header promises.
void require_pixels(const PixelPlace& place, const std::string& name, std::uintmax_t expected);

/// Throws `Error` naming the file unless its compressed pixels are complete to the last fragment.
void require_fragments(const std::filesystem::path& file, const Elements& elements);

}  // namespace osteon::dicom
