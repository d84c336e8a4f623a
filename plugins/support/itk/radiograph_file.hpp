#pragma once

// Radiographs as files: DICOM (computed and digital radiography, secondary captures) and PNG, JPEG and TIFF pictures.
// Bone comes out bright. All functions may be called from several threads.

#include <osteon/radiograph.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon {

namespace dicom {

/// One projection image. The spacing is that at the bone: PixelSpacing where it is calibrated, else ImagerPixelSpacing
/// over the magnification that the header estimates or that its distances give (PS3.3, 10.7.1.3); 0 where none of these
/// is known. Throws `Error` naming the file for everything that is no projection X-ray of one grey frame.
[[nodiscard]] Radiograph read_radiograph(const std::filesystem::path& file);

}  // namespace dicom

namespace picture {

[[nodiscard]] const std::vector<std::string>& endings();

/// 8 or 16 bits of grey, or colours that are all grey. The spacing is 0: what a picture says of dots per inch is how
/// large somebody wished to print it. Throws `Error` naming the file.
[[nodiscard]] Radiograph read_radiograph(const std::filesystem::path& file);

}  // namespace picture

/// Either of the two, told apart by content.
[[nodiscard]] Radiograph read_radiograph_file(const std::filesystem::path& file);

}  // namespace osteon
