#pragma once

// What the files say of their place, read from their own bytes: ITK's readers fill gaps with 1 mm and no rotation and
// say nothing of it.

#include <osteon/geometry.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace osteon::image {

/// Index → patient coordinates, LPS, mm: columns are the steps of one voxel along i, j, k.
struct Frame {
  Mat3 steps;
  Vec3 origin;
};

/// A NIfTI-1 header's frame (Cox et al. 2004, nifti1.h): the sform where there is one, else the qform, turned from RAS
/// into LPS. Throws `Error` naming the file when there is neither, or no header.
[[nodiscard]] Frame nifti_frame(const std::filesystem::path& file);

/// The "key: value" lines of a NRRD header, or the "key = value" lines of a MetaImage's, keys in lower case.
[[nodiscard]] std::map<std::string, std::string> header_lines(const std::filesystem::path& file);

/// Throws `Error` naming the file unless its lines give a place: NRRD "space" and "space directions", MetaImage
/// "ElementSpacing" with values above 0.
void require_place(const std::filesystem::path& file);

}  // namespace osteon::image
