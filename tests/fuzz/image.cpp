// Volumes in NIfTI, NRRD and MetaImage, plain and packed: the first byte says as which the rest is read.

#include "harness.hpp"

#include "itk/image_file.hpp"

#include <array>

namespace osteon::fuzz {
namespace {

std::string read_image(std::string_view bytes) {
  constexpr std::array<const char*, 6> kNames = {"image.nii",  "image.nii.gz", "image.nrrd",
                                                 "image.nhdr", "image.mha",    "image.mhd"};
  if (bytes.empty()) return "no bytes";
  static const std::filesystem::path raw = put("image.raw", std::string(64, '\1'));
  const std::filesystem::path file = put(kNames[static_cast<unsigned char>(bytes[0]) % kNames.size()], bytes.substr(1));
  return message_of([&] {
    const image::ImageFile whole(file);
    (void)image::parts_of(file);
    (void)message_of([&] { (void)whole.labelled(1); });
    (void)whole.hounsfield(0);
  });
}

const Registered kImage("image", read_image);

}  // namespace
}  // namespace osteon::fuzz
