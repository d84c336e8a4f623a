#pragma once

// Volumes in NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd), read and written through ITK. Where
// a volume lies is taken from the file's own words, never assumed: what ITK would fill in (a spacing of 1 mm, no
// rotation) is refused here. All functions may be called from several threads.

#include <osteon/volume.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace osteon::image {

/// The endings that are read, longest first; ".nhdr" and ".mhd" are headers of a raw file beside them.
[[nodiscard]] const std::vector<std::string>& endings();

/// The ending of a file's name in lower case if it is one of `endings`, else "".
[[nodiscard]] std::string ending_of(const std::filesystem::path& file);

/// A file with its header read and checked; voxels are read on demand.
class ImageFile {
 public:
  /// Throws `Error` naming the file when it is no three-dimensional image of one number a voxel, when it does not say
  /// where it lies, and when its spacing is not above 0 or its axes are not perpendicular.
  explicit ImageFile(const std::filesystem::path& file);
  ~ImageFile();
  ImageFile(const ImageFile&) = delete;
  ImageFile& operator=(const ImageFile&) = delete;

  /// Canonical, right-handed: the slices of a left-handed image are taken in reverse order.
  [[nodiscard]] const Grid& grid() const;

  /// A text that the file carries under a key (NRRD and MetaImage); "" when it has none.
  [[nodiscard]] std::string remark(const std::string& key) const;

  /// value + `intercept`, rounded. Throws `Error` with the numbers when a value is not finite or leaves 16 bits.
  [[nodiscard]] Volume hounsfield(double intercept) const;

  /// uint8 `[K, J, I]`: 1 where the value is `label`, or any but 0 when `label` is 0.
  [[nodiscard]] at::Tensor labelled(double label) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The files that hold an image: itself and, for a header, the raw file that it names. Throws `Error` when that name is
/// not a file in the same folder.
[[nodiscard]] std::vector<std::filesystem::path> parts_of(const std::filesystem::path& file);

/// Writes int16 voxels, compressed, under a temporary name, and renames. `remarks` are kept by .nrrd and .mha; .nii and
/// .nii.gz keep the grid in single precision only. Throws `Error` for other endings.
void write(const Volume& volume, const std::map<std::string, std::string>& remarks, const std::filesystem::path& file);

}  // namespace osteon::image
