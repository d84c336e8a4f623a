// Series as scanners and archives write them: compressed, enhanced multi-frame, sheared by a tilted gantry, unevenly
// spaced, without a rescale, and anonymised into one person.

#include "dicom/encoder.hpp"
#include "dicom/series_fixture.hpp"

#include <ATen/Functions.h>

namespace osteon {
namespace {

using ForeignDicom = DicomSeries;

/// Transcodes every slice of a folder.
void convert(const std::vector<std::filesystem::path>& files, const std::string& options) {
  for (const auto& file : files) {
    const std::string converted = file.string() + ".converted";
    ASSERT_EQ(
        std::system(("gdcmconv " + options + " '" + file.string() + "' '" + converted + "' > /dev/null 2>&1").c_str()),
        0)
        << "gdcmconv " << options;
    std::filesystem::rename(converted, file);
  }
}

TEST_F(ForeignDicom, ReadsEachLosslessCompressionToTheLastBit) {
  for (const std::string option : {"--jpeg", "--jpegls", "--j2k", "--rle", "--implicit"}) {
    SCOPED_TRACE(option);
    const Volume volume = write("a", "femur-01", Side::left, 0, upright_volume());
    convert(slices("a"), option);
    const Acquisition back = only_acquisition();
    EXPECT_TRUE(at::equal(back.volume.hounsfield, volume.hounsfield));
    EXPECT_TRUE(back.volume.grid == volume.grid);
    EXPECT_EQ(back.notices, std::vector<std::string>{});
    std::filesystem::remove_all(folder_ / "a");
  }
}

TEST_F(ForeignDicom, ReadsJpegBaselineAndSaysThatItHasLoss) {
  constexpr int kSide = 32;
  std::filesystem::create_directory(folder_ / "a");
  for (int z = 0; z < 3; ++z) {
    std::vector<std::uint8_t> pixels;
    for (int v = 0; v < kSide * kSide; ++v)
      pixels.push_back(static_cast<std::uint8_t>(4 * (v % kSide) + v / kSide + z));
    overwrite(folder_ / text("a/", z, ".dcm"), test::eight_bit_slice(pixels, kSide, z));
  }
  const at::Tensor original = only_acquisition().volume.hounsfield;
  convert(slices("a"), "--jpeg --lossy -q 95");
  const Acquisition back = only_acquisition();
  EXPECT_LE((back.volume.hounsfield - original).abs().max().item<int>(), 8 * 6);
  EXPECT_EQ(back.notices, std::vector<std::string>{
                              "the slices were compressed with loss, so the values are not those of the scanner"});
}

TEST_F(ForeignDicom, NamesTheFileWhoseCompressedPixelsAreDamagedAndPrintsNothing) {
  const std::map<std::string, std::string> syntaxes = {{"--jpeg", "1.2.840.10008.1.2.4.70"},
                                                       {"--jpegls", "1.2.840.10008.1.2.4.80"},
                                                       {"--j2k", "1.2.840.10008.1.2.4.90"},
                                                       {"--rle", "1.2.840.10008.1.2.5"}};
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  for (const auto& [option, syntax] : syntaxes) {
    SCOPED_TRACE(option);
    Volume volume = upright_volume();
    volume.hounsfield = volume.hounsfield.slice(0, 0, 2).contiguous();
    volume.grid.size[2] = 2;
    write("a", "femur-01", Side::left, 0, volume);
    convert(slices("a"), option);
    const std::filesystem::path file = slices("a")[1];
    const std::string whole = read_file(file);
    const std::size_t pixels = whole.find(test::tag(0x7fe00010) + "O", 132);
    ASSERT_NE(pixels, std::string::npos);
    // The first fragment, behind the empty or filled offset table, emptied.
    const std::size_t table = pixels + 12;
    const auto length = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(whole[at + 4])) +
             256U * static_cast<unsigned char>(whole[at + 5]);
    };
    const std::size_t fragment = table + 8 + length(table);
    std::string emptied = whole;
    std::fill_n(emptied.begin() + static_cast<std::ptrdiff_t>(fragment + 8), length(fragment), '\0');
    overwrite(file, emptied);
    EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
              "source/dicom: slice_0002.dcm: its pixels (transfer syntax " + syntax +
                  ") can't be decoded; copy it again from where it came, or convert it with `gdcmconv --raw IN OUT`");
    overwrite(file, whole.substr(0, whole.size() - 20));
    EXPECT_NE(refusal([&] { (void)only_acquisition(); }), "") << "cut off";
    Random random(7, option);
    for (int trial = 0; trial < 25; ++trial) {
      std::string damaged = whole;
      for (int n = 0; n < 4; ++n)
        damaged[fragment + 8 + random.below(length(fragment))] = static_cast<char>(random.below(256));
      overwrite(file, damaged);
      refusal([&] { (void)only_acquisition(); });  // an Error or a volume, never a crash
    }
    std::filesystem::remove_all(folder_ / "a");
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ForeignDicom, ReadsTheFramesOfAnEnhancedImageByTheirPositions) {
  const Volume volume = upright_volume();
  for (const bool defined : {true, false}) {
    SCOPED_TRACE(defined);
    overwrite(folder_ / "multi", test::enhanced_ct(volume, {3, 0, 6, 1, 5, 2, 4}, defined));
    const host::SourceHandle all = source();
    const auto list = all.specimens();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].side, Side::right) << "FrameLaterality";
    const Acquisition back = all.acquire(list[0], 0);
    EXPECT_TRUE(at::equal(back.volume.hounsfield, volume.hounsfield));
    EXPECT_TRUE(back.volume.grid == volume.grid);
    for (const std::string option : {"--jpegls", "--j2k", "--rle"}) {
      overwrite(folder_ / "multi", test::enhanced_ct(volume, {3, 0, 6, 1, 5, 2, 4}, defined));
      convert({folder_ / "multi"}, option);
      EXPECT_TRUE(at::equal(only_acquisition().volume.hounsfield, volume.hounsfield)) << option;
    }
  }
}

TEST_F(ForeignDicom, RefusesAnEnhancedImageThatLacksFrames) {
  const Volume volume = upright_volume();
  overwrite(folder_ / "multi", test::enhanced_ct(volume, {0, 1, 2, 5, 6}, true));
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: 2 slice(s) missing between 34 mm (multi, frame 3) and 40 mm (multi, frame 4): the other "
            "slices lie 2 mm apart; export the whole series again");
  std::string cut = test::enhanced_ct(volume, {0, 1, 2, 3, 4, 5, 6}, true);
  overwrite(folder_ / "multi", cut.substr(0, cut.size() - 100));
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: multi, frame 7: the file is cut off: expected 216 bytes of pixels, found 116; copy it again "
            "from where it came");
  overwrite(folder_ / "multi", test::enhanced_ct(volume, {0, 1, 2, 3, 4, 5, 6}, true));
  set_text(folder_ / "multi", 0x0028, 0x0008, "IS", "9");
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: multi: not usable as a CT slice: it says that it holds 9 frames and describes 7");
}

TEST_F(ForeignDicom, SurvivesEnhancedImagesWithAnyByteChanged) {
  const std::string whole = test::enhanced_ct(upright_volume(), {0, 1, 2, 3, 4, 5, 6}, false);
  Random random(5, "enhanced");
  for (int trial = 0; trial < 200; ++trial) {
    std::string damaged = whole;
    for (int n = 0; n < 3; ++n) damaged[128 + random.below(1600)] = static_cast<char>(random.below(256));
    overwrite(folder_ / "multi", damaged);
    refusal([&] { (void)format().read_volume(folder_); });
  }
}

/// A volume that is linear in patient coordinates, so that linear resampling is exact.
double ramp(Vec3 p) { return 10 * p.x + 20 * p.y + 4 * p.z - 600; }

/// Writes a series whose slice k (from 0) lies at `place(k)` and shows the ramp there.
template <class Place>
void write_ramp(const host::FormatHandle& format, const VolumeLabel& label, const std::filesystem::path& folder,
                const Place& place,
                const std::function<void(const std::filesystem::path&, const std::string&)>& set_position) {
  Volume volume{at::empty({9, 9, 12}, at::kShort), {{12, 9, 9}, {0.5, 0.75, 2}, {10, 20, 30}, {}}};
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 9; ++k)
    for (int j = 0; j < 9; ++j)
      for (int i = 0; i < 12; ++i)
        *voxel++ = static_cast<std::int16_t>(std::lround(ramp(place(k) + Vec3{0.5 * i, 0.75 * j, 0})));
  format.write_volume(volume, label, folder);
  for (int k = 0; k < 9; ++k) {
    const Vec3 p = place(k);
    set_position(folder / text("slice_000", k + 1, ".dcm"), test::numbers({p.x, p.y, p.z}));
  }
}

/// Largest difference from the ramp over the voxels that no air around the slices has touched.
double off_the_ramp(const Volume& volume) {
  double worst = 0;
  int counted = 0;
  const auto voxels = volume.hounsfield.accessor<std::int16_t, 3>();
  for (int k = 0; k < volume.grid.size[2]; ++k)
    for (int j = 1; j + 1 < volume.grid.size[1]; ++j)
      for (int i = 1; i + 1 < volume.grid.size[0]; ++i) {
        bool touched = false;
        for (const int dj : {-1, 0, 1})
          for (const int di : {-1, 0, 1}) touched = touched || voxels[k][j + dj][i + di] == -1000;
        if (touched) continue;
        ++counted;
        worst = std::max(worst, std::abs(voxels[k][j][i] - ramp(volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k}))));
      }
  EXPECT_GT(counted, 9 * 5 * 8);
  return worst;
}

TEST_F(ForeignDicom, ResamplesATiltedGantryOntoAnUprightGridAndSaysSo) {
  const double tilt = std::tan(radians(15));
  const auto place = [&](int k) { return Vec3{10, std::round(1e4 * (20 + 2 * k * tilt)) / 1e4, 30.0 + 2 * k}; };
  write_ramp(format(), label("femur-01", Side::left), folder_ / "a", place,
             [](const auto& file, const std::string& words) { set_text(file, 0x0020, 0x0032, "DS", words); });
  const Acquisition back = only_acquisition();
  EXPECT_EQ(back.notices, std::vector<std::string>{"the slices are sheared by 15 degrees against their stack (a tilted "
                                                   "gantry) and were resampled, linearly, onto an upright grid"});
  EXPECT_EQ(back.volume.grid.size, (std::array<std::int64_t, 3>{12, 9 + 6, 9}));
  EXPECT_NEAR(norm(back.volume.grid.origin - Vec3{10, 20, 30}), 0, 1e-9);
  EXPECT_LE(off_the_ramp(back.volume), 1) << "the rounding of slices and result";
  EXPECT_EQ(back.volume.hounsfield[0][14][0].item<int>(), -1000) << "air where the first slice does not reach";
}

TEST_F(ForeignDicom, ResamplesUnevenSlicesToAnEvenDistanceAndSaysSo) {
  const auto place = [](int k) { return Vec3{10, 20, 30 + 2.0 * k + (k % 3 == 1 ? 0.5 : 0)}; };
  write_ramp(format(), label("femur-01", Side::left), folder_ / "a", place,
             [](const auto& file, const std::string& words) { set_text(file, 0x0020, 0x0032, "DS", words); });
  const Acquisition back = only_acquisition();
  EXPECT_EQ(back.notices, std::vector<std::string>{"the slices lie up to 0.5 mm off an even distance of 2 mm and were "
                                                   "resampled, linearly, to it"});
  EXPECT_EQ(back.volume.grid.spacing.z, 2);
  EXPECT_LE(off_the_ramp(back.volume), 1.5);
}

TEST_F(ForeignDicom, TakesSlicesWithinATenthOfTheirDistanceAsEven) {
  const Volume volume = write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0020, 0x0032, "DS", "10\\20\\34.19");
  const Acquisition back = only_acquisition();
  EXPECT_TRUE(at::equal(back.volume.hounsfield, volume.hounsfield));
  EXPECT_EQ(back.notices, std::vector<std::string>{});
}

TEST_F(ForeignDicom, RefusesSlicesThatLieTooUnevenly) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0020, 0x0032, "DS", "10\\20\\32.9");
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: the slices at 32 mm (slice_0002.dcm) and 32.9 mm (slice_0003.dcm) lie 0.9 mm apart, the "
            "others 2 mm; gaps below half of the usual one are not resampled: export the series with one slice "
            "distance");
}

TEST_F(ForeignDicom, RefusesSlicesThatAreShiftedSidewaysWithoutRule) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0020, 0x0032, "DS", "15\\20\\34");
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: slice_0003.dcm: the slice is shifted sideways by 5 mm against the first one, and not as a "
            "tilted gantry would shift it (by 0.22 mm there); export the series again, or remove the slices of another "
            "scan");
}

TEST_F(ForeignDicom, RefusesAStackThatIsShearedTooFar) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  for (int k = 0; k < 7; ++k)
    set_text(folder_ / text("a/slice_000", k + 1, ".dcm"), 0x0020, 0x0032, "DS",
             test::numbers({10.0 + 3 * k, 20, 30.0 + 2 * k}));
  EXPECT_EQ(
      refusal([&] { (void)only_acquisition(); }),
      "source/dicom: slice_0001.dcm: the slices of its series are sheared by 56.3 degrees against their stack; up "
      "to 45 degrees are resampled: export the series on an upright grid");
}

TEST_F(ForeignDicom, TakesSignedValuesThatReachAirForHounsfieldUnitsWhereTheRescaleIsMissing) {
  Volume volume = upright_volume();  // stored values are HU + 1024
  volume.hounsfield.clamp_(-2024, 1000).sub_(1024).clamp_(-2048, 1000);
  write("a", "femur-01", Side::left, 0, volume);
  for (const auto& file : slices("a"))
    for (const int element : {0x1052, 0x1053}) set_text(file, 0x0028, element, "DS", "");
  const Acquisition back = only_acquisition();
  EXPECT_TRUE(at::equal(back.volume.hounsfield, volume.hounsfield + 1024));
  const int low = back.volume.hounsfield.min().item<int>(), high = back.volume.hounsfield.max().item<int>();
  EXPECT_EQ(back.notices,
            std::vector<std::string>{text("the headers give no RescaleSlope and RescaleIntercept; stored values, from ",
                                          low, " to ", high, ", were taken for Hounsfield units")});
}

TEST_F(ForeignDicom, RefusesStoredValuesThatAreNoHounsfieldUnitsWhereTheRescaleIsMissing) {
  Volume volume = upright_volume();
  volume.hounsfield.clamp_(-1000, 1500);
  volume.hounsfield[0][0][0] = -1000;
  volume.hounsfield[0][0][1] = 1500;
  write("a", "femur-01", Side::left, 0, volume);
  for (const auto& file : slices("a"))
    for (const int element : {0x1052, 0x1053}) set_text(file, 0x0028, element, "DS", "");
  EXPECT_EQ(
      refusal([&] { (void)only_acquisition(); }),
      "source/dicom: slice_0001.dcm: its header gives no RescaleSlope and RescaleIntercept, and the series' stored "
      "values, from 24 to 2524, are no Hounsfield units (signed, the lowest between -3100 and -500); export the "
      "series again with its rescale");
}

TEST_F(ForeignDicom, RefusesHalfARescaleAndOneOfAnotherKind) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0028, 0x1053, "DS", "");
  EXPECT_EQ(
      refusal([&] { (void)only_acquisition(); }),
      "source/dicom: slice_0003.dcm: not usable as a CT slice: its header gives no RescaleSlope, so its values are "
      "not Hounsfield units");
  set_text(folder_ / "a/slice_0003.dcm", 0x0028, 0x1053, "DS", "1");
  set_text(folder_ / "a/slice_0003.dcm", 0x0028, 0x1054, "LO", "MGML");
  EXPECT_EQ(
      refusal([&] { (void)only_acquisition(); }),
      "source/dicom: slice_0003.dcm: not usable as a CT slice: its RescaleType is \"MGML\", so its values are not "
      "Hounsfield units");
}

TEST_F(ForeignDicom, RefusesZeroAndNegativeSpacing) {
  for (const std::string spacing : {"0\\0.5", "0.5\\-0.5"}) {
    std::filesystem::remove_all(folder_ / "a");
    write("a", "femur-01", Side::left, 0, upright_volume());
    set_text(folder_ / "a/slice_0001.dcm", 0x0028, 0x0030, "DS", spacing);
    std::string words = spacing;
    words.replace(words.find('\\'), 1, " x ");
    EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
              "source/dicom: slice_0001.dcm: not usable as a CT slice: its PixelSpacing is " + words +
                  " mm; both must be above 0");
  }
}

TEST_F(ForeignDicom, RefusesBigEndianFilesWithTheWayOut) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0001.dcm", 0x0002, 0x0010, "UI", "1.2.840.10008.1.2.2");
  EXPECT_EQ(refusal([&] { (void)source().specimens(); }),
            "source/dicom: slice_0001.dcm: the file is in big-endian encoding, which is not read; convert it with "
            "`gdcmconv --explicit IN OUT`");
}

/// Series of several studies, as another program writes them.
void write_studies(
    const std::vector<std::filesystem::path>& files, const std::string& patient, const std::string& study,
    const std::function<void(const std::filesystem::path&, int, int, const std::string&, std::string)>& set) {
  for (const auto& file : files) {
    set(file, 0x0008, 0x0070, "LO", "Vendor");
    set(file, 0x0010, 0x0020, "LO", patient);
    set(file, 0x0020, 0x000d, "UI", study);
    set(file, 0x0020, 0x000e, "UI", study + ".1");
  }
}

TEST_F(ForeignDicom, TakesEachStudyForAPersonWhereThePatientIdNamesNobody) {
  for (const char* name : {"a", "b"}) {
    write(name, "femur-01");
    write_studies(slices(name), "Anon^000", text("1.2.3.", name[0] - 'a' + 1), set_text);
  }
  const host::SourceHandle all = source();
  const auto list = all.specimens();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_NE(list[0].subject, list[1].subject);
  EXPECT_EQ(all.notices(),
            std::vector<std::string>{"the PatientID of 2 studies names nobody; each study was taken for a "
                                     "person of its own"});
}

TEST_F(ForeignDicom, SaysWhenStudiesShareAPatientIdAndPartsThemOnRequest) {
  for (const char* name : {"a", "b"}) {
    write(name, "femur-01");
    write_studies(slices(name), "CT-COHORT-7", text("1.2.3.", name[0] - 'a' + 1), set_text);
  }
  const host::SourceHandle merged = source();
  ASSERT_EQ(merged.specimens().size(), 1U);
  EXPECT_EQ(merged.specimens().at(0).acquisitions, 2);
  EXPECT_EQ(merged.notices(),
            std::vector<std::string>{"2 studies share 1 PatientID; the series of a PatientID were taken for the same "
                                     "person's. If one PatientID stands for several people, set source.person = "
                                     "\"study\""});
  const host::SourceHandle apart = source({{"person", std::string("study")}});
  ASSERT_EQ(apart.specimens().size(), 2U);
  EXPECT_NE(apart.specimens().at(0).subject, apart.specimens().at(1).subject);
  EXPECT_EQ(apart.notices(), std::vector<std::string>{});
}

}  // namespace
}  // namespace osteon
