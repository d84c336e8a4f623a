// TIFF pictures through libtiff. ITK 5.2 has a copy of its own of a version of 2019, which does not come back from
// pages that lead in a circle, asks for a gigabyte where a few bytes promise it, and prints to the terminal.

#include "itk/picture_pixels.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <tiffio.h>

namespace osteon::picture {

namespace {

using Tiff = std::unique_ptr<TIFF, void (*)(TIFF*)>;

struct Layout {
  std::uint32_t columns = 0, rows = 0;
  std::uint16_t channels = 1, bits = 1, format = SAMPLEFORMAT_UINT, planes = PLANARCONFIG_CONTIG, orientation = 1;
  std::uint16_t colours = PHOTOMETRIC_MINISBLACK, compression = COMPRESSION_NONE;
};

Layout layout_of(TIFF* tiff) {
  Layout found;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &found.columns);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &found.rows);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &found.channels);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &found.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &found.format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &found.planes);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &found.orientation);
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &found.colours);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &found.compression);
  return found;
}

[[noreturn]] void damaged(const std::string& name) {
  throw Error(text(name, ": the picture is damaged or cut off; copy it again from where it came"));
}

/// Reduced copies and masks are no pages. Leaves the file at its first page.
void require_one_page(TIFF* tiff, const std::string& name) {
  constexpr int kMostPages = 1000;
  int pages = 1;
  for (int read = 1; !TIFFLastDirectory(tiff); ++read) {
    // libtiff knows where it has been, so a circle is damage too
    if (read == kMostPages || !TIFFReadDirectory(tiff)) damaged(name);
    std::uint32_t purpose = 0;
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &purpose);
    if ((purpose & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0) ++pages;
  }
  if (pages > 1) throw Error(text(name, ": it holds ", pages, " pages; a radiograph is one"));
  if (TIFFCurrentDirectory(tiff) != 0 && !TIFFSetDirectory(tiff, 0)) damaged(name);
}

void read_rows(TIFF* tiff, const Layout& layout, Pixels& pixels, const std::string& name) {
  const std::size_t row = pixels.bytes.size() / layout.rows;
  if (TIFFScanlineSize64(tiff) != row) damaged(name);
  for (std::uint32_t y = 0; y < layout.rows; ++y)
    if (TIFFReadScanline(tiff, pixels.bytes.data() + y * row, y, 0) < 0) damaged(name);
}

void read_tiles(TIFF* tiff, const std::filesystem::path& file, const Layout& layout, Pixels& pixels,
                const std::string& name) {
  std::uint32_t width = 0, height = 0;
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
  const std::size_t pixel = pixels.bytes.size() / layout.rows / layout.columns;
  if (width < 1 || height < 1 || static_cast<double>(width) * height > kMostPixels) damaged(name);
  require_room(file, name, width, height);
  std::vector<char> tile(std::size_t{width} * height * pixel);
  if (TIFFTileSize64(tiff) != tile.size()) damaged(name);
  for (std::uint32_t y = 0; y < layout.rows; y += std::min(height, layout.rows - y))
    for (std::uint32_t x = 0; x < layout.columns; x += std::min(width, layout.columns - x)) {
      if (TIFFReadTile(tiff, tile.data(), x, y, 0, 0) < 0) damaged(name);
      const std::size_t inside = std::min(width, layout.columns - x) * pixel;
      for (std::uint32_t row = 0; row < std::min(height, layout.rows - y); ++row)
        std::memcpy(pixels.bytes.data() + ((y + std::size_t{row}) * layout.columns + x) * pixel,
                    tile.data() + std::size_t{row} * width * pixel, inside);
    }
}

template <class Word>
void invert(Pixels& pixels) {
  auto* words = reinterpret_cast<Word*>(pixels.bytes.data());
  const std::size_t count = pixels.bytes.size() / sizeof(Word);
  for (std::size_t i = 0; i < count; i += pixels.channels) words[i] = static_cast<Word>(~words[i]);
}

/// Rows or columns of a picture that was stored from another corner than the upper left.
void turn_upright(const Layout& layout, Pixels& pixels) {
  const std::size_t row = pixels.bytes.size() / layout.rows, pixel = row / layout.columns;
  char* const bytes = pixels.bytes.data();
  if (layout.orientation == ORIENTATION_BOTLEFT || layout.orientation == ORIENTATION_BOTRIGHT)
    for (std::uint32_t y = 0; y < layout.rows / 2; ++y)
      std::swap_ranges(bytes + y * row, bytes + (y + 1) * row, bytes + (layout.rows - 1 - y) * row);
  if (layout.orientation == ORIENTATION_TOPRIGHT || layout.orientation == ORIENTATION_BOTRIGHT)
    for (std::uint32_t y = 0; y < layout.rows; ++y)
      for (std::uint32_t x = 0; x < layout.columns / 2; ++x)
        std::swap_ranges(bytes + y * row + x * pixel, bytes + y * row + (x + 1) * pixel,
                         bytes + (y + 1) * row - (x + 1) * pixel);
}

/// Palettes, JPEG's colours, colours in planes: as libtiff turns them into red, green, blue and opacity of 8 bits.
void read_as_colours(TIFF* tiff, const Layout& layout, Pixels& pixels, const std::string& name) {
  std::array<char, 1024> why{};
  if (!TIFFRGBAImageOK(tiff, why.data())) throw Error(text(name, ": ", why.data(), "; save it as a grey picture"));
  std::vector<std::uint32_t> colours(std::size_t{layout.rows} * layout.columns);
  if (!TIFFReadRGBAImageOriented(tiff, layout.columns, layout.rows, colours.data(), ORIENTATION_TOPLEFT, 1))
    damaged(name);
  pixels.channels = 4;
  pixels.bytes.resize(4 * colours.size());
  for (std::size_t i = 0; i < colours.size(); ++i) {
    pixels.bytes[4 * i] = static_cast<char>(TIFFGetR(colours[i]));
    pixels.bytes[4 * i + 1] = static_cast<char>(TIFFGetG(colours[i]));
    pixels.bytes[4 * i + 2] = static_cast<char>(TIFFGetB(colours[i]));
    pixels.bytes[4 * i + 3] = static_cast<char>(TIFFGetA(colours[i]));
  }
}

}  // namespace

Pixels read_tiff(const std::filesystem::path& file, const std::string& name) {
  TIFFSetWarningHandler(nullptr);
  TIFFSetErrorHandler(nullptr);
  const Tiff tiff(TIFFOpen(file.c_str(), "r"), &TIFFClose);
  if (!tiff) throw Error(text(name, ": damaged, or not what its ending says; copy it again from where it came"));
  const Layout layout = layout_of(tiff.get());
  if (layout.columns < 1 || layout.rows < 1 || layout.channels < 1 || layout.channels > 4 ||
      static_cast<double>(layout.columns) * layout.rows > kMostPixels)
    throw Error(
        text(name, ": ", layout.columns, " x ", layout.rows, " pixels of ", layout.channels, " numbers can't be read"));
  require_room(file, name, layout.columns, layout.rows);
  require_one_page(tiff.get(), name);
  if ((layout.bits != 8 && layout.bits != 16) || layout.format != SAMPLEFORMAT_UINT)
    throw Error(text(name, ": its pixels are neither 8 nor 16 bits; save it as a grey picture of 8 or 16 bits"));
  if (!TIFFIsCODECConfigured(layout.compression))
    throw Error(text(name, ": its compression (", layout.compression, ") can't be read; save it without compression"));
  if (layout.orientation > ORIENTATION_BOTLEFT)
    throw Error(text(name, ": it is stored lying on its side (orientation ", layout.orientation,
                     "); turn it upright and save it again"));

  Pixels pixels{layout.rows, layout.columns, layout.channels, layout.bits == 16, {}};
  const bool grey =
      layout.colours == PHOTOMETRIC_MINISBLACK || (layout.colours == PHOTOMETRIC_MINISWHITE && layout.channels <= 2);
  const bool plain = layout.channels == 1 || layout.planes == PLANARCONFIG_CONTIG;
  if (!plain || !(grey || (layout.colours == PHOTOMETRIC_RGB && layout.channels >= 3))) {
    if (pixels.wide) throw Error(text(name, ": colours of 16 bits in planes or a palette; save it as a grey picture"));
    read_as_colours(tiff.get(), layout, pixels, name);
    return pixels;
  }
  pixels.bytes.resize(std::size_t{layout.rows} * layout.columns * layout.channels * (layout.bits / 8));
  if (TIFFIsTiled(tiff.get()))
    read_tiles(tiff.get(), file, layout, pixels, name);
  else
    read_rows(tiff.get(), layout, pixels, name);
  if (layout.colours == PHOTOMETRIC_MINISWHITE)
    pixels.wide ? invert<std::uint16_t>(pixels) : invert<std::uint8_t>(pixels);
  turn_upright(layout, pixels);
  return pixels;
}

}  // namespace osteon::picture
