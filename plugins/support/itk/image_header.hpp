#pragma once

// What a NIfTI, NRRD or MetaImage file says of its voxels, read from its own bytes. (ITK's readers fill gaps with 1 mm
// and no rotation, take a file that is cut off for a whole one, and write to the terminal.)

#include <osteon/geometry.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon::image {

enum class Number { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64 };

[[nodiscard]] std::size_t bytes_of(Number type);

/// Index → patient coordinates, LPS, mm: columns are the steps of one voxel along i, j, k.
struct Frame {
  Mat3 steps;
  Vec3 origin;
};

struct Header {
  std::vector<std::int64_t> size;  ///< voxels along each dimension
  Frame frame;
  Number type = Number::i16;
  bool big_endian = false;
  double slope = 1, intercept = 0;  ///< value = slope · stored + intercept

  std::filesystem::path data;                  ///< the file that holds the voxels
  bool compressed = false;                     ///< as a gzip or zlib stream
  std::uintmax_t stream = 0;                   ///< where in `data` the bytes or the stream begin
  std::uintmax_t skip = 0;                     ///< bytes of the unpacked stream before the voxels
  std::map<std::string, std::string> remarks;  ///< everything else that it says, keys in lower case
};

/// The endings that are read, longest first; ".nhdr" and ".mhd" are headers of a raw file beside them.
[[nodiscard]] const std::vector<std::string>& endings();

/// The ending of a file's name in lower case if it is one of `endings`, else "".
[[nodiscard]] std::string ending_of(const std::filesystem::path& file);

/// NIfTI-1 (Cox et al. 2004, nifti1.h; the sform where there is one, else the qform, turned from RAS into LPS), NRRD
/// (Kindlmann) or MetaImage (Kitware), by the file's ending. Throws `Error` naming the file for what is missing,
/// damaged or of a kind that isn't read; nothing that places the voxels is assumed.
[[nodiscard]] Header read_header(const std::filesystem::path& file);

/// Throws `Error` naming the file when it is too small for `count` voxels. To be called before memory is taken for what
/// a header promises.
void require_voxels(const Header& header, std::size_t count);

/// The stored bytes of all voxels, in the byte order of this machine. Throws `Error` naming the file when there are
/// fewer.
[[nodiscard]] std::vector<char> read_voxels(const Header& header, std::size_t count);

}  // namespace osteon::image
