// TIFF pictures, as libtiff itself writes them.

#include "fixture.hpp"

#include <ATen/ATen.h>

#include <tiffio.h>

namespace osteon {
namespace {

struct Written {
  const char* mode = "w";  // "wl" and "wb": the order of bytes
  int bits = 8, channels = 1, colours = PHOTOMETRIC_MINISBLACK, orientation = ORIENTATION_TOPLEFT;
  int compression = COMPRESSION_NONE, planes = PLANARCONFIG_CONTIG, format = SAMPLEFORMAT_UINT, tile = 0;
  int purpose = 0;
};

/// 21 rows of 35 pixels: value = 7 × row + column (times 257 where the words have 16 bits).
constexpr int kRows = 21, kColumns = 35;

at::Tensor expected() {
  return (at::arange(kRows, at::kFloat).mul(7).unsqueeze(1) + at::arange(kColumns, at::kFloat)).div(255);
}

void write_page(TIFF* tiff, const Written& how) {
  TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, how.purpose);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, kColumns);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, kRows);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, how.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, how.channels);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, how.format);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, how.colours);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, how.planes);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, how.orientation);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, how.compression);
  if (how.colours == PHOTOMETRIC_PALETTE) {
    std::vector<std::uint16_t> map(256);
    for (int i = 0; i < 256; ++i) map[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(257 * i);
    TIFFSetField(tiff, TIFFTAG_COLORMAP, map.data(), map.data(), map.data());
  }
  const auto word = [&](std::vector<unsigned char>& to, int y, int x) {
    const int value = how.colours == PHOTOMETRIC_MINISWHITE ? 255 - (7 * y + x) : 7 * y + x;
    for (int byte = 0; byte < how.bits / 8; ++byte) to.push_back(static_cast<unsigned char>(value));
  };
  const int copies = how.planes == PLANARCONFIG_CONTIG ? how.channels : 1;
  if (how.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, how.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, how.tile);
    for (int top = 0; top < kRows; top += how.tile)
      for (int left = 0; left < kColumns; left += how.tile) {
        std::vector<unsigned char> tile;
        for (int y = top; y < top + how.tile; ++y)
          for (int x = left; x < left + how.tile; ++x)
            for (int c = 0; c < copies; ++c) word(tile, y, x);
        ASSERT_GE(TIFFWriteTile(tiff, tile.data(), static_cast<unsigned>(left), static_cast<unsigned>(top), 0, 0), 0);
      }
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 4);
    for (int plane = 0; plane < how.channels / copies; ++plane)
      for (int y = 0; y < kRows; ++y) {
        std::vector<unsigned char> row;
        for (int x = 0; x < kColumns; ++x)
          for (int c = 0; c < copies; ++c) word(row, y, x);
        ASSERT_EQ(TIFFWriteScanline(tiff, row.data(), static_cast<unsigned>(y), static_cast<std::uint16_t>(plane)), 1);
      }
  }
  ASSERT_EQ(TIFFWriteDirectory(tiff), 1);
}

class Tiff : public Radiographs {
 protected:
  void write(const std::vector<Written>& pages) const {
    TIFF* const tiff = TIFFOpen((folder_ / "x.tif").c_str(), pages[0].mode);
    ASSERT_NE(tiff, nullptr);
    for (const Written& page : pages) write_page(tiff, page);
    TIFFClose(tiff);
  }
  [[nodiscard]] Radiograph read() const { return format("itk").read_radiograph(folder_ / "x.tif"); }
  [[nodiscard]] std::string refused() const {
    return refusal([&] { (void)read(); });
  }
};

TEST_F(Tiff, OfEveryLayoutHasItsPixels) {
  std::vector<std::pair<const char*, Written>> cases(12);
  cases[0] = {"8 bits", {}};
  cases[1] = {"16 bits, little-endian", {.mode = "wl", .bits = 16}};
  cases[2] = {"16 bits, big-endian", {.mode = "wb", .bits = 16}};
  cases[3] = {"white is 0", {.colours = PHOTOMETRIC_MINISWHITE}};
  cases[4] = {"white is 0, 16 bits, tiles", {.bits = 16, .colours = PHOTOMETRIC_MINISWHITE, .tile = 16}};
  cases[5] = {"tiles", {.tile = 16}};
  cases[6] = {"LZW", {.compression = COMPRESSION_LZW}};
  cases[7] = {"deflate, 16 bits, tiles", {.bits = 16, .compression = COMPRESSION_ADOBE_DEFLATE, .tile = 32}};
  cases[8] = {"colours", {.channels = 3, .colours = PHOTOMETRIC_RGB}};
  cases[9] = {"colours in planes", {.channels = 3, .colours = PHOTOMETRIC_RGB, .planes = PLANARCONFIG_SEPARATE}};
  cases[10] = {"palette", {.colours = PHOTOMETRIC_PALETTE}};
  cases[11] = {"BigTIFF", {.mode = "w8"}};
  for (const auto& [what, how] : cases) {
    SCOPED_TRACE(what);
    write({how});
    const Radiograph found = read();
    EXPECT_TRUE(at::allclose(found.intensity, expected()));
    EXPECT_EQ(found.notices.size(), how.colours == PHOTOMETRIC_RGB || how.colours == PHOTOMETRIC_PALETTE ? 1U : 0U);
    EXPECT_EQ(found.pixel_spacing, 0);
  }
}

TEST_F(Tiff, StoredFromAnotherCornerIsUpright) {
  write({{.orientation = ORIENTATION_TOPRIGHT}});
  EXPECT_TRUE(at::allclose(read().intensity, expected().flip(1)));
  write({{.bits = 16, .orientation = ORIENTATION_BOTRIGHT}});
  EXPECT_TRUE(at::allclose(read().intensity, expected().flip({0, 1})));
  write({{.orientation = ORIENTATION_BOTLEFT}});
  EXPECT_TRUE(at::allclose(read().intensity, expected().flip(0)));
  write({{.orientation = ORIENTATION_LEFTTOP}});
  EXPECT_EQ(refused(),
            "format/itk: x.tif: it is stored lying on its side (orientation 5); turn it upright and save it again");
}

TEST_F(Tiff, OfSeveralPagesIsRefusedButMayHaveAReducedCopy) {
  write({{}, {.purpose = FILETYPE_REDUCEDIMAGE}});
  EXPECT_TRUE(at::allclose(read().intensity, expected()));
  write({{}, {}, {.purpose = FILETYPE_REDUCEDIMAGE}});
  EXPECT_EQ(refused(), "format/itk: x.tif: it holds 2 pages; a radiograph is one");
}

TEST_F(Tiff, OfOtherNumbersOrCutOffIsRefused) {
  write({{.bits = 32, .format = SAMPLEFORMAT_IEEEFP}});
  EXPECT_EQ(refused(),
            "format/itk: x.tif: its pixels are neither 8 nor 16 bits; save it as a grey picture of 8 or 16 bits");
  write({{.bits = 16, .channels = 3, .colours = PHOTOMETRIC_RGB, .planes = PLANARCONFIG_SEPARATE}});
  EXPECT_EQ(refused(), "format/itk: x.tif: colours of 16 bits in planes or a palette; save it as a grey picture");
  write({{}});
  const std::string whole = read_file(folder_ / "x.tif");
  for (std::size_t kept = 0; kept < whole.size(); kept += 61) {
    write_file(folder_ / "x.tif", whole.substr(0, kept));
    EXPECT_NE(refused(), "") << kept << " of " << whole.size() << " bytes";
  }
}

}  // namespace
}  // namespace osteon
