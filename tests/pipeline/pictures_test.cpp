// `osteon view` and `osteon render`: what they write and print, and that a stored image set opens without Osteon.

#include "command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace osteon::test {
namespace {

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

TEST(View, DrawsABoneAndPrintsTheSameFacts) {
  const Workplace place;
  const auto outcome = place.osteon("view " + small_profile() + " --png out/bone.png");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(read(place.folder() / "out/bone.png").substr(1, 3), "PNG");
  for (const char* words : {"phantom-001, scan 1 of 3", "mm long", "by its shape", "mirrored", "found by", "medial",
                            "anterior", "proximal", "mm a pixel at the isocentre, magnification 1.111"})
    EXPECT_NE(outcome.out.find(words), std::string::npos) << words << "\n" << outcome.out;
  EXPECT_EQ(digests(place.folder() / "runs/.store", "source").size(), 1U) << "it made more than the one volume";

  const auto second = place.osteon("view " + small_profile() + " phantom-002 --scan 2 --png second.png");
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_NE(second.out.find("phantom-002, scan 2 of 3"), std::string::npos) << second.out;
}

TEST(View, UnknownSpecimensAndScansAreMistakes) {
  const Workplace place;
  const auto specimen = place.osteon("view " + small_profile() + " phantom-020");
  EXPECT_EQ(specimen.code, 2);
  EXPECT_NE(specimen.err.find("there is no specimen \"phantom-020\" among the 4 of this source; did you mean \""),
            std::string::npos)
      << specimen.err;
  const auto scan = place.osteon("view " + small_profile() + " phantom-001 --scan 9");
  EXPECT_EQ(scan.code, 2);
  EXPECT_EQ(scan.err, "specimen phantom-001 has 3 scans; there is no number 9\n");
}

/// A .npy file read as its format says (NumPy's format description, version 1.0), without Osteon.
struct Array {
  std::string description;
  std::string bytes;
};
Array open_npy(const fs::path& file) {
  const std::string all = read(file);
  EXPECT_EQ(all.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  std::uint16_t length = 0;
  std::memcpy(&length, all.data() + 8, 2);
  EXPECT_EQ((10 + length) % 64, 0);
  return {all.substr(10, length), all.substr(10 + length)};
}

TEST(Render, WritesPngsASheetAndAnIndexAndTheStoreOpensWithoutOsteon) {
  const Workplace place;
  const auto outcome = place.osteon("render " + small_profile() + " --set 'film.energies=[60,80]' --png out");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  // 4 bones: 2 gallery scans of 3 × 3 poses, one query scan of 3 poses; 2 energies.
  EXPECT_NE(outcome.out.find("rendered 168 X-rays, "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("wrote 168 X-rays to out, "), std::string::npos) << outcome.out;
  EXPECT_TRUE(fs::exists(place.folder() / "out/phantom-001-1/00017.png"));
  EXPECT_TRUE(fs::exists(place.folder() / "out/phantom-001-3.png")) << "the contact sheet";
  const std::string index = read(place.folder() / "out/index.csv");
  EXPECT_EQ(index.substr(0, index.find('\n')),
            "file,pose,axial_deg,tilt_deg,in_plane_deg,energy_kev,pixel_spacing_mm,ml_axial_deg,ml_tilt_deg,"
            "ml_in_plane_deg,ap_scale,ml_scale,ap_cut,ml_cut");
  EXPECT_EQ(count_of(index, "\n"), 169U);
  EXPECT_NE(index.find("\nphantom-001-1/00000.png,0,-20,0,-21,60,18.75,-20,0,-21,1,1,"), std::string::npos)
      << index.substr(0, 400);

  int sets = 0;
  for (const auto& entry : fs::recursive_directory_iterator(place.folder() / "runs/.store")) {
    if (entry.path().filename() != "pixels.npy") continue;
    ++sets;
    const Array pixels = open_npy(entry.path()), rows = open_npy(entry.path().parent_path() / "rows.npy");
    EXPECT_NE(pixels.description.find("'descr': '|u1'"), std::string::npos) << pixels.description;
    EXPECT_NE(rows.description.find("'descr': '<f8'"), std::string::npos) << rows.description;
    const std::size_t images = pixels.bytes.size() / (32 * 32);
    EXPECT_TRUE(images == 18 || images == 6) << images;
    EXPECT_EQ(rows.bytes.size(), images * 13 * 8);
    double energy = 0;
    std::memcpy(&energy, rows.bytes.data() + 4 * 8, 8);
    EXPECT_EQ(energy, 60);
    EXPECT_GT(static_cast<unsigned char>(*std::max_element(
                  pixels.bytes.begin(), pixels.bytes.end(),
                  [](char a, char b) { return static_cast<unsigned char>(a) < static_cast<unsigned char>(b); })),
              60)
        << "a bone half as bright as the brightest of finer images";
  }
  EXPECT_EQ(sets, 12);
  const auto again = place.osteon("render " + small_profile() + " --set 'film.energies=[60,80]' --png out");
  EXPECT_NE(again.out.find("rendered none: the store had them all"), std::string::npos) << again.out;
}

TEST(Render, TheStoredSetOpensInNumPy) {
  const Workplace place;
  if (place.shell("python3 -c 'import numpy'").code != 0) GTEST_SKIP() << "python3 has no numpy here";
  ASSERT_EQ(place.osteon("render " + small_profile() + " --png out").code, 0);
  const auto outcome = place.shell(
      "python3 -c \"import numpy, pathlib; f = next(pathlib.Path('runs/.store').rglob('pixels.npy')); "
      "p = numpy.load(f); r = numpy.load(f.parent / 'rows.npy'); assert p.dtype == 'uint8' and p.shape[1:] == (32, "
      "32); "
      "assert r.shape == (len(p), 13)\"");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(Render, ADetectorThatMissesTheBoneIsWarnedOf) {
  const Workplace place;
  const auto outcome =
      place.osteon("render " + small_profile() +
                   " --set views.detector_width=40 --set 'views.detector_shift=[300.0, 0.0]' --png out");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE((outcome.out + outcome.err).find("the detector misses the bone in "), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace osteon::test
