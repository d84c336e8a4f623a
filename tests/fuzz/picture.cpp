// Radiographs as PNG, JPEG and TIFF: the first byte says as which the rest is read.

#include "harness.hpp"

#include "itk/radiograph_file.hpp"

namespace osteon::fuzz {
namespace {

std::string read_picture(std::string_view bytes) {
  if (bytes.empty()) return "no bytes";
  const char* const name = bytes[0] == 'p' ? "x.png" : bytes[0] == 'j' ? "x.jpg" : "x.tif";
  const std::filesystem::path file = put(name, bytes.substr(1));
  return message_of([&] { (void)read_radiograph_file(file); });
}

const Registered kPicture("picture", read_picture);

}  // namespace
}  // namespace osteon::fuzz
