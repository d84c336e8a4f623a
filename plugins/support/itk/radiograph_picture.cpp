// Radiographs as pictures: PNG and JPEG through ITK's ImageIO classes, TIFF through libtiff.

#include "itk/dicom_elements.hpp"
#include "itk/picture_pixels.hpp"
#include "itk/radiograph_file.hpp"

#include <osteon/error.hpp>

#include <itkJPEGImageIO.h>
#include <itkPNGImageIO.h>

#include <ATen/Functions.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>

#include <jpeglib.h>

namespace osteon {

namespace picture {

namespace {

std::string ending_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(endings().begin(), endings().end(), ending) == endings().end() ? "" : ending;
}

itk::ImageIOBase::Pointer reader_for(const std::string& ending) {
  itk::Object::GlobalWarningDisplayOff();
  if (ending == ".png") return itk::PNGImageIO::New().GetPointer();
  return itk::JPEGImageIO::New().GetPointer();
}

constexpr double kMostJpegPixels = 1024;  // in a byte: 64 in a bit, with room to spare

/// Reads the whole picture once: on a damaged one, libpng under ITK 5.2 would end the program; here it says why.
void require_sound_png(const std::filesystem::path& file, const std::string& name) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  bool sound = png_image_begin_read_from_file(&image, file.c_str()) != 0;
  if (sound) try {
      require_room(file, name, image.width, image.height);
    } catch (const Error&) {
      png_image_free(&image);
      throw;
    }
  if (sound && static_cast<double>(image.width) * static_cast<double>(image.height) <= kMostPixels) {
    std::vector<png_byte> pixels(PNG_IMAGE_SIZE(image));
    sound = png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) != 0;
  }
  const std::string why = image.message;
  png_image_free(&image);
  if (!sound) throw Error(text(name, ": a damaged PNG picture (", why, "); copy it again from where it came"));
}

/// libjpeg ends the program on a damaged picture; with this it comes back to `back`.
struct JpegErrors {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> why{};
};

[[noreturn]] void jpeg_failed(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->manager.format_message(info, errors->why.data());
  std::longjmp(errors->back, 1);
}

/// Whether libjpeg decodes the whole picture. A jump passes no destructor: what it needs is libjpeg's own memory.
bool decodes(std::FILE* file, double most_pixels, JpegErrors& errors) {
  constexpr int kMostScans = 200;  // a progressive picture has about ten; thousands are made to take hours
  jpeg_decompress_struct info{};
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = jpeg_failed;
  // A warning is damage, and the first one the end: behind a file's end libjpeg would invent all rows that are missing.
  errors.manager.emit_message = [](j_common_ptr at, int level) {
    if (level < 0) jpeg_failed(at);
  };
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_stdio_src(&info, file);
  jpeg_read_header(&info, TRUE);
  if (static_cast<double>(info.image_width) * info.image_height > most_pixels) {
    std::strncpy(errors.why.data(), "it promises more pixels than its bytes can hold", errors.why.size() - 1);
    std::longjmp(errors.back, 1);
  }
  if (static_cast<double>(info.image_width) * info.image_height <= kMostPixels) {
    info.buffered_image = jpeg_has_multiple_scans(&info);
    jpeg_start_decompress(&info);
    for (int scan = 1; info.buffered_image && !jpeg_input_complete(&info); ++scan) {
      if (scan > kMostScans) {
        std::strncpy(errors.why.data(), "it has too many scans", errors.why.size() - 1);
        std::longjmp(errors.back, 1);
      }
      jpeg_start_output(&info, info.input_scan_number);
      jpeg_finish_output(&info);
    }
    if (info.buffered_image) jpeg_start_output(&info, info.input_scan_number);
    JSAMPARRAY row = (*info.mem->alloc_sarray)(reinterpret_cast<j_common_ptr>(&info), JPOOL_IMAGE,
                                               info.output_width * static_cast<unsigned>(info.output_components), 1);
    while (info.output_scanline < info.output_height) jpeg_read_scanlines(&info, row, 1);
    if (info.buffered_image) jpeg_finish_output(&info);
    jpeg_finish_decompress(&info);  // reads to the end, as ITK will
  }
  jpeg_destroy_decompress(&info);
  return true;
}

/// As for PNG: on a damaged picture ITK 5.2 crashes in libjpeg when it tidies up, and prints to the terminal.
void require_sound_jpeg(const std::filesystem::path& file, const std::string& name) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> open(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (!open) throw Error(text(name, ": cannot read the file"));
  std::error_code problem;
  const auto size = static_cast<double>(std::filesystem::file_size(file, problem));
  JpegErrors errors;
  if (!decodes(open.get(), kMostJpegPixels * size, errors))
    throw Error(text(name, ": a damaged JPEG picture (", errors.why.data(), "); copy it again from where it came"));
}

Pixels read_with_itk(const std::filesystem::path& file, const std::string& name, const std::string& ending) {
  const itk::ImageIOBase::Pointer io = reader_for(ending);
  try {
    if (ending == ".png")
      require_sound_png(file, name);
    else
      require_sound_jpeg(file, name);
    io->SetFileName(file.string());
    if (!io->CanReadFile(file.c_str()))
      throw Error(text(name, ": damaged, or not what its ending says; copy it again from where it came"));
    io->ReadImageInformation();
    const unsigned dimensions = io->GetNumberOfDimensions(), channels = io->GetNumberOfComponents();
    const auto columns = static_cast<std::int64_t>(io->GetDimensions(0));
    const auto rows = static_cast<std::int64_t>(io->GetDimensions(1));
    if (columns < 1 || rows < 1 || static_cast<double>(columns) * static_cast<double>(rows) > kMostPixels ||
        channels < 1 || channels > 4)
      throw Error(text(name, ": ", columns, " x ", rows, " pixels of ", channels, " numbers can't be read"));
    require_room(file, name, static_cast<double>(columns), static_cast<double>(rows));
    const auto type = io->GetComponentType();
    if (type != itk::IOComponentEnum::UCHAR && type != itk::IOComponentEnum::USHORT)
      throw Error(text(name, ": its pixels are neither 8 nor 16 bits; save it as a grey picture of 8 or 16 bits"));
    itk::ImageIORegion region(dimensions);
    for (unsigned axis = 0; axis < dimensions; ++axis) region.SetSize(axis, io->GetDimensions(axis));
    io->SetIORegion(region);
    Pixels pixels{rows, columns, channels, type == itk::IOComponentEnum::USHORT, {}};
    pixels.bytes.resize(static_cast<std::size_t>(io->GetImageSizeInBytes()));
    io->Read(pixels.bytes.data());
    return pixels;
  } catch (const itk::ExceptionObject&) {
    throw Error(text(name, ": the picture is damaged or cut off; copy it again from where it came"));
  }
}

/// The first channel, once all colours are known to be equal (to a 64th of the range: JPEG's colours round) and nothing
/// shines through.
template <class Word>
at::Tensor grey_of(const Pixels& pixels, const std::string& name) {
  at::Tensor result = at::empty({pixels.rows, pixels.columns}, at::kFloat);
  auto* to = result.data_ptr<float>();
  const auto* from = reinterpret_cast<const Word*>(pixels.bytes.data());
  constexpr double kRange = static_cast<double>(static_cast<Word>(~Word{0}));
  const unsigned colours = pixels.channels < 3 ? 1 : 3;
  for (std::int64_t i = 0; i < pixels.rows * pixels.columns; ++i, from += pixels.channels) {
    for (unsigned c = 1; c < colours; ++c)
      if (std::abs(static_cast<double>(from[c]) - static_cast<double>(from[0])) > kRange / 64)
        throw Error(text(name, ": a colour picture; a radiograph is grey: export it without coloured marks or lines"));
    if (pixels.channels > colours && from[colours] != static_cast<Word>(~Word{0}))
      throw Error(text(name, ": the picture is partly transparent; export it as a plain grey picture"));
    to[i] = static_cast<float>(static_cast<double>(from[0]) / kRange);
  }
  return result;
}

}  // namespace

const std::vector<std::string>& endings() {
  static const std::vector<std::string> list = {".png", ".jpg", ".jpeg", ".tif", ".tiff"};
  return list;
}

void require_room(const std::filesystem::path& file, const std::string& name, double columns, double rows) {
  constexpr double kMostPackedPixels = 8 * 1032;  // in a byte: deflate's most, of pixels of one bit
  std::error_code problem;
  const std::uintmax_t size = std::filesystem::file_size(file, problem);
  if (problem || columns * rows > kMostPackedPixels * static_cast<double>(size))
    throw Error(text(name, ": its header promises ", columns, " x ", rows, " pixels, which can't be in its ", size,
                     " bytes; copy it again from where it came"));
}

Radiograph read_radiograph(const std::filesystem::path& file) {
  const std::string name = file.filename().string(), ending = ending_of(file);
  std::error_code problem;
  if (!std::filesystem::is_regular_file(file, problem)) throw Error(text(name, ": no such file"));
  if (ending.empty()) throw Error(text(name, ": neither DICOM nor a picture by its ending (.png, .jpg, .tif)"));
  const Pixels pixels = ending.starts_with(".t") ? read_tiff(file, name) : read_with_itk(file, name, ending);
  Radiograph result;
  result.intensity = pixels.wide ? grey_of<std::uint16_t>(pixels, name) : grey_of<std::uint8_t>(pixels, name);
  if (pixels.channels >= 3)
    result.notices.push_back(text(name, ": stored in colours that are all grey; taken for a grey picture"));
  result.spacing_source = "a picture carries none";
  return result;
}

}  // namespace picture

Radiograph read_radiograph_file(const std::filesystem::path& file) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(file, problem)) throw Error(text(file.filename().string(), ": no such file"));
  return dicom::is_dicom(file) ? dicom::read_radiograph(file) : picture::read_radiograph(file);
}

}  // namespace osteon
