// Radiographs as PNG, JPEG and TIFF pictures, through ITK's ImageIO classes.

#include "itk/dicom_elements.hpp"
#include "itk/radiograph_file.hpp"

#include <osteon/error.hpp>

#include <itkJPEGImageIO.h>
#include <itkPNGImageIO.h>
#include <itkTIFFImageIO.h>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon {

namespace picture {

namespace {

constexpr double kMostPixels = 4e8;

std::string ending_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(endings().begin(), endings().end(), ending) == endings().end() ? "" : ending;
}

itk::ImageIOBase::Pointer reader_for(const std::string& ending) {
  itk::Object::GlobalWarningDisplayOff();
  if (ending == ".png") return itk::PNGImageIO::New().GetPointer();
  if (ending.starts_with(".j")) return itk::JPEGImageIO::New().GetPointer();
  return itk::TIFFImageIO::New().GetPointer();
}

/// The first channel, once all colours are known to be equal (to a 64th of the range: JPEG's colours round) and nothing
/// shines through.
template <class Word>
at::Tensor grey_of(const std::vector<char>& bytes, std::int64_t rows, std::int64_t columns, unsigned channels,
                   const std::string& name) {
  at::Tensor result = at::empty({rows, columns}, at::kFloat);
  auto* to = result.data_ptr<float>();
  const auto* from = reinterpret_cast<const Word*>(bytes.data());
  constexpr double kRange = static_cast<double>(static_cast<Word>(~Word{0}));
  const unsigned colours = channels < 3 ? 1 : 3;
  for (std::int64_t i = 0; i < rows * columns; ++i, from += channels) {
    for (unsigned c = 1; c < colours; ++c)
      if (std::abs(static_cast<double>(from[c]) - static_cast<double>(from[0])) > kRange / 64)
        throw Error(text(name, ": a colour picture; a radiograph is grey: export it without coloured marks or lines"));
    if (channels > colours && from[colours] != static_cast<Word>(~Word{0}))
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

Radiograph read_radiograph(const std::filesystem::path& file) {
  const std::string name = file.filename().string(), ending = ending_of(file);
  std::error_code problem;
  if (!std::filesystem::is_regular_file(file, problem)) throw Error(text(name, ": no such file"));
  if (ending.empty()) throw Error(text(name, ": neither DICOM nor a picture by its ending (.png, .jpg, .tif)"));
  const itk::ImageIOBase::Pointer io = reader_for(ending);
  Radiograph result;
  try {
    io->SetFileName(file.string());
    if (!io->CanReadFile(file.c_str()))
      throw Error(text(name, ": damaged, or not what its ending says; copy it again from where it came"));
    io->ReadImageInformation();
    const unsigned dimensions = io->GetNumberOfDimensions(), channels = io->GetNumberOfComponents();
    if (dimensions > 2 && io->GetDimensions(2) > 1)
      throw Error(text(name, ": it holds ", io->GetDimensions(2), " pages; a radiograph is one"));
    const auto columns = static_cast<std::int64_t>(io->GetDimensions(0));
    const auto rows = static_cast<std::int64_t>(io->GetDimensions(1));
    if (columns < 1 || rows < 1 || static_cast<double>(columns) * static_cast<double>(rows) > kMostPixels ||
        channels < 1 || channels > 4)
      throw Error(text(name, ": ", columns, " x ", rows, " pixels of ", channels, " numbers can't be read"));
    const auto type = io->GetComponentType();
    if (type != itk::IOComponentEnum::UCHAR && type != itk::IOComponentEnum::USHORT)
      throw Error(text(name, ": its pixels are neither 8 nor 16 bits; save it as a grey picture of 8 or 16 bits"));
    itk::ImageIORegion region(dimensions);
    for (unsigned axis = 0; axis < dimensions; ++axis) region.SetSize(axis, io->GetDimensions(axis));
    io->SetIORegion(region);
    std::vector<char> bytes(static_cast<std::size_t>(io->GetImageSizeInBytes()));
    io->Read(bytes.data());
    result.intensity = type == itk::IOComponentEnum::UCHAR
                           ? grey_of<unsigned char>(bytes, rows, columns, channels, name)
                           : grey_of<unsigned short>(bytes, rows, columns, channels, name);
    if (channels >= 3)
      result.notices.push_back(text(name, ": stored in colours that are all grey; taken for a grey picture"));
  } catch (const itk::ExceptionObject&) {
    throw Error(text(name, ": the picture is damaged or cut off; copy it again from where it came"));
  }
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
