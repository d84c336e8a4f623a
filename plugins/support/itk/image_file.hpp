#pragma once

// Volumes in NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd), written through ITK and read by
// their own words: see image_header.hpp. All functions may be called from several threads.

#include "itk/image_header.hpp"

#include <osteon/volume.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon::image {

/// A file with its header read and checked; voxels are read on demand.
class ImageFile {
 public:
  /// Throws `Error` naming the file when it is no three-dimensional image of one number a voxel, when it does not say
  /// where it lies, and when its spacing is not above 0 or its axes are not perpendicular.
  explicit ImageFile(const std::filesystem::path& file);

  /// Canonical, right-handed: the slices of a left-handed image are taken in reverse order.
  [[nodiscard]] const Grid& grid() const { return grid_; }

  /// A text that the file carries under a key in lower case (NRRD and MetaImage); "" when it has none.
  [[nodiscard]] std::string remark(const std::string& key) const;

  /// value + `intercept`, rounded. Throws `Error` with the numbers when a value is not finite or leaves 16 bits.
  [[nodiscard]] Volume hounsfield(double intercept) const;

  /// uint8 `[K, J, I]`: 1 where the value is `label`, or any but 0 when `label` is 0.
  [[nodiscard]] at::Tensor labelled(double label) const;

 private:
  template <class Body>
  void each(const Body& body) const;

  std::filesystem::path file_;
  Header header_;
  Grid grid_;
  bool reversed_ = false;
};

/// The files that hold an image: itself and, for a header, the raw file that it names. Throws `Error` when that name is
/// not a file in the same folder.
[[nodiscard]] std::vector<std::filesystem::path> parts_of(const std::filesystem::path& file);

/// Writes int16 voxels, compressed, under a temporary name, and renames. `remarks` are kept by .nrrd and .mha; .nii and
/// .nii.gz keep the grid in single precision only. Throws `Error` for other endings.
void write(const Volume& volume, const std::map<std::string, std::string>& remarks, const std::filesystem::path& file);

}  // namespace osteon::image
