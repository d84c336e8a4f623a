// Series of CT slices: written by format/dicom, read by format/dicom and source/dicom, and damaged in every way that a
// series comes damaged in.

#include "dicom/series_fixture.hpp"

#include <osteon/random.hpp>

#include <thread>

namespace osteon {
namespace {

using DicomFormat = DicomSeries;
using DicomSource = DicomSeries;

TEST_F(DicomFormat, ReadsTheSameVoxelsAndTheSameGridToTheLastBit) {
  const Volume volume = oblique_volume();
  format().write_volume(volume, label("femur-01", Side::left), folder_ / "a");
  const Volume back = format().read_volume(folder_ / "a");
  EXPECT_TRUE(back.grid == volume.grid);
  EXPECT_TRUE(at::equal(back.hounsfield, volume.hounsfield));
}

TEST_F(DicomFormat, KeepsEveryGridThatADrawGives) {
  Random random(3, "grids");
  for (int trial = 0; trial < 12; ++trial) {
    Volume volume = oblique_volume();
    Grid grid = volume.grid;
    grid.spacing = {random.uniform(0.2, 3), random.uniform(0.2, 3), random.uniform(0.2, 3)};
    grid.origin = {random.uniform(-2000, 2000), random.uniform(-2000, 2000), random.uniform(-2000, 2000)};
    grid.direction = rotation(normalised({random.normal(), random.normal(), random.normal()}), random.uniform(0, 3));
    volume.grid = grid.canonical();
    const std::filesystem::path folder = folder_ / std::to_string(trial);
    format().write_volume(volume, label("femur-01", Side::left), folder);
    EXPECT_TRUE(format().read_volume(folder).grid == volume.grid) << trial;
  }
}

TEST_F(DicomFormat, WritesTheSameBytesTwice) {
  for (const char* name : {"a", "b"}) write(name, "femur-01");
  for (const auto& file : slices("a")) EXPECT_EQ(read_file(file), read_file(folder_ / "b" / file.filename())) << file;
}

TEST_F(DicomFormat, ReadsTheSeriesThatOneFileBelongsTo) {
  const Volume volume = write("a", "femur-01");
  EXPECT_TRUE(at::equal(format().read_volume(folder_ / "a/slice_0003.dcm").hounsfield, volume.hounsfield));
}

TEST_F(DicomFormat, RefusesHounsfieldUnitsThatDoNotFit) {
  Volume volume = oblique_volume();
  volume.hounsfield[0][0][0] = 31744;
  EXPECT_EQ(refusal([&] { format().write_volume(volume, label("femur-01", Side::left), folder_ / "a"); }),
            "format/dicom: the volume's largest value is 31744 HU; 16-bit DICOM with the intercept -1024 holds at most "
            "31743 HU");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
}

TEST_F(DicomFormat, RefusesAFolderThatIsNotEmpty) {
  write("a", "femur-01");
  EXPECT_EQ(refusal([&] { write("a", "femur-01"); }),
            "format/dicom: " + (folder_ / "a").string() +
                ": is there already and not empty; remove it, or choose another "
                "folder");
}

TEST_F(DicomFormat, SaysWhereItCouldNotWriteAndLeavesNothing) {
  write_file(folder_ / "file", "no folder");
  EXPECT_EQ(refusal([&] { write("file/a", "femur-01"); }),
            "format/dicom: " + (folder_ / "file/a").string() + ".partial: cannot make the folder: Not a directory");
}

TEST_F(DicomFormat, RefusesTwoSeriesInAFolder) {
  two_series_in_one_folder();
  EXPECT_EQ(
      refusal([&] { (void)format().read_volume(folder_ / "a"); }),
      "format/dicom: " + (folder_ / "a").string() +
          ": the folder holds two CT series: 7 slices (first file slice_0001.dcm) and 5 slices (first file "
          "other_0001.dcm); name one file of the series that is meant, or put each series in a folder of its own");
}

TEST_F(DicomSource, KeepsIdSubjectAndSideOfAnExport) {
  write("left", "femur-01-l", Side::left);
  write("right", "femur-01-r", Side::right);
  const auto list = source().specimens();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, "femur-01-l");
  EXPECT_EQ(list[1].id, "femur-01-r");
  EXPECT_EQ(list[0].subject, "person-07");
  EXPECT_EQ(list[0].side, Side::left);
  EXPECT_EQ(list[1].side, Side::right);
}

TEST_F(DicomSource, SortsByPositionWhateverTheFilesAreCalled) {
  const Volume volume = write("a", "femur-01");
  std::vector<std::string> names = {"zulu", "IM7", "1.2.3", "b.txt", "slice", "x.dcm", "0"};
  for (const auto& file : slices("a")) {
    std::filesystem::rename(file, folder_ / "a" / names.back());
    set_text(folder_ / "a" / names.back(), 0x0020, 0x0013, "IS", names.back().substr(0, 1) == "z" ? "1" : "9");
    names.pop_back();
  }
  const Acquisition back = only_acquisition();
  EXPECT_TRUE(back.volume.grid == volume.grid);
  EXPECT_TRUE(at::equal(back.volume.hounsfield, volume.hounsfield));
}

TEST_F(DicomSource, TakesSeriesOfOnePersonAndSideAsAcquisitions) {
  const Volume second = write("s1/second", "femur-01", Side::left, 1);
  const Volume first = write("s1/first", "femur-01", Side::left, 0);
  write("s2", "femur-02", Side::right, 0);
  const auto list = source().specimens();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].acquisitions, 2);
  EXPECT_EQ(list[1].acquisitions, 1);
  EXPECT_TRUE(at::equal(source().acquire(list[0], 0).volume.hounsfield, first.hounsfield));
  EXPECT_TRUE(at::equal(source().acquire(list[0], 1).volume.hounsfield, second.hounsfield));
}

TEST_F(DicomSource, GivesNothingOfThePatientAway) {
  for (const char* name : {"Mueller", "Schmidt"}) {
    const std::string folder = std::string(name) + "_Anna_1971";
    write(folder, "femur-01");
    for (const auto& file : slices(folder)) {
      make_foreign(file);
      set_text(file, 0x0010, 0x0010, "PN", std::string(name) + "^Anna");
      set_text(file, 0x0010, 0x0020, "LO", std::string(name) + "-4711");
      set_text(file, 0x0020, 0x000e, "UI", std::string("1.2.3.") + name[0]);
    }
  }
  const auto numbered = source().specimens();
  ASSERT_EQ(numbered.size(), 2U);
  EXPECT_EQ(numbered[0].id, "bone-01");
  EXPECT_EQ(numbered[1].id, "bone-02");
  EXPECT_EQ(numbered[0].subject, "person-01");
  EXPECT_EQ(numbered[1].subject, "person-02");

  const host::SourceHandle one = source(), two = source();
  one.keep_secret("a");
  two.keep_secret("b");
  const auto salted = one.specimens(), otherwise = two.specimens();
  ASSERT_EQ(salted.size(), 2U);
  EXPECT_NE(salted[0].id, salted[1].id);
  EXPECT_EQ(salted[0].id.size(), std::string("bone-12345678").size());
  for (const auto& specimen : salted)
    for (const auto& other : otherwise) {
      EXPECT_NE(specimen.id, other.id);
      EXPECT_NE(specimen.subject, other.subject);
    }
}

TEST_F(DicomSource, TakesTheSideThatIsGiven) {
  write("a", "femur-01", Side::unknown);
  EXPECT_EQ(source().specimens().at(0).side, Side::unknown);
  EXPECT_EQ(source({{"side", std::string("left")}}).specimens().at(0).side, Side::left);
  EXPECT_EQ(source({{"side", std::string("right")}}).specimens().at(0).side, Side::right);
}

TEST_F(DicomSource, RescalesEachSliceByItself) {
  Volume volume = write("a", "femur-01");
  set_text(slices("a")[2], 0x0028, 0x1052, "DS", "-1000");
  set_text(slices("a")[4], 0x0028, 0x1053, "DS", "0.5");  // HU = stored / 2 - 1024, rounded
  volume.hounsfield[2] += 24;
  auto plane = volume.hounsfield[4];
  plane.copy_(((plane.to(at::kDouble) + 1024) / 2 - 1024 + 0.25).round());  // half away from zero, as all are negative
  const at::Tensor back = only_acquisition().volume.hounsfield;
  EXPECT_TRUE(at::equal(back[2], volume.hounsfield[2]));
  EXPECT_LE((back[4] - volume.hounsfield[4]).abs().max().item<int>(), 1);
}

TEST_F(DicomSource, TrustsThePositionsBeforeTheSliceDistance) {
  const Volume volume = write("a", "femur-01");
  for (const auto& file : slices("a")) set_text(file, 0x0018, 0x0088, "DS", "5");
  EXPECT_TRUE(only_acquisition().volume.grid == volume.grid);
}

TEST_F(DicomSource, DigestsTheContentOfTheFiles) {
  write("a", "femur-01");
  const auto specimen = source().specimens().at(0);
  const std::string before = source().content_digest(specimen, 0);
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(source().content_digest(specimen, 0), before);
  std::string bytes = read_file(slices("a")[3]);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(slices("a")[3], bytes);
  EXPECT_NE(source().content_digest(specimen, 0), before);
}

TEST_F(DicomSource, ReadsInSeveralThreads) {
  const std::vector<Volume> written = {write("a", "femur-01", Side::left, 0), write("b", "femur-01", Side::left, 1)};
  const host::SourceHandle shared = source();
  std::vector<Volume> read(8);
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < read.size(); ++n)
    threads.emplace_back([&, n] {
      const auto specimen = shared.specimens().at(0);
      read[n] = shared.acquire(specimen, static_cast<int>(n % 2)).volume;
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t n = 0; n < read.size(); ++n) EXPECT_TRUE(at::equal(read[n].hounsfield, written[n % 2].hounsfield));
}

TEST_F(DicomSource, RefusesTwoSeriesInAFolderUnlessTheLargestIsWanted) {
  const Volume larger = two_series_in_one_folder();
  EXPECT_EQ(
      refusal([&] { (void)source().specimens(); }),
      "source/dicom: " + folder_.string() +
          ": one folder holds two CT series: 7 slices (first file slice_0001.dcm) and 5 slices (first file "
          "other_0001.dcm); put each series in a folder of its own, or set source.series = \"largest\" to take the "
          "largest of each folder");
  const host::SourceHandle largest = source({{"series", std::string("largest")}});
  const auto list = largest.specimens();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_TRUE(at::equal(largest.acquire(list[0], 0).volume.hounsfield, larger.hounsfield));
}

TEST_F(DicomSource, RefusesAVolumeWithMissingSlices) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  for (const int n : {3, 4}) std::filesystem::remove(folder_ / text("a/slice_000", n, ".dcm"));
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: 2 slice(s) missing between 32 mm (slice_0002.dcm) and 38 mm (slice_0005.dcm): the other "
            "slices lie 2 mm apart; export the whole series again");
}

TEST_F(DicomSource, RefusesASliceThatIsThereTwice) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  std::filesystem::copy(folder_ / "a/slice_0002.dcm", folder_ / "a/slice_0002_copy.dcm");
  EXPECT_EQ(
      refusal([&] { (void)only_acquisition(); }),
      "source/dicom: slice_0002.dcm and slice_0002_copy.dcm: two slices of one series at the same position, 32 mm "
      "along the normal; remove one of them");
}

TEST_F(DicomSource, RefusesASliceOfAnotherSize) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_short(folder_ / "a/slice_0003.dcm", 0x0028, 0x0011, 10);
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: slice_0003.dcm: the slice has 10x9 pixels, not the 12x9 of the first slice of its series, "
            "slice_0001.dcm; remove the file, or put it in a folder of its own series");
}

TEST_F(DicomSource, RefusesASliceOfAnotherDirection) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0020, 0x0037, "DS", "0.6\\0.8\\0\\-0.8\\0.6\\0");
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: slice_0003.dcm: the slice has another direction (ImageOrientationPatient) than the first "
            "slice of its series, slice_0001.dcm; remove the file, or put it in a folder of its own series");
}

TEST_F(DicomSource, RefusesASliceWithoutAPlace) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0020, 0x0032, "DS", "10\\20\\nan");
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: slice_0003.dcm: not usable as a CT slice: its header gives no ImagePositionPatient, so its "
            "place is unknown");
}

TEST_F(DicomSource, RefusesAFileThatIsCutOff) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  const std::filesystem::path file = folder_ / "a/slice_0003.dcm";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 100);
  EXPECT_EQ(refusal([&] { (void)only_acquisition(); }),
            "source/dicom: " + file.filename().string() +
                ": the file is cut off: expected 216 bytes of pixels, found 116; copy it again from where it came");
}

TEST_F(DicomSource, RefusesAFileThatIsCutOffInItsHeader) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  const std::filesystem::path file = folder_ / "a/slice_0003.dcm";
  std::filesystem::resize_file(file, 700);
  EXPECT_EQ(refusal([&] { (void)source().specimens(); }),
            "source/dicom: " + file.filename().string() +
                ": the file is damaged or cut off at byte 700; copy it again from where it came, or remove it");
}

TEST_F(DicomFormat, SurvivesFilesThatAreCutOffAnywhereOrHaveAnyByteChanged) {
  Volume volume = upright_volume();
  volume.hounsfield = volume.hounsfield.slice(0, 0, 2).contiguous();
  volume.grid.size[2] = 2;
  write("a", "femur-01", Side::left, 0, volume);
  const std::filesystem::path file = folder_ / "a/slice_0002.dcm";
  const std::string whole = read_file(file);
  for (std::size_t length = 132; length < whole.size(); length += 7) {
    overwrite(file, whole.substr(0, length));
    EXPECT_NE(refusal([&] { (void)format().read_volume(folder_ / "a"); }), "") << length;
  }
  Random random(5, "damage");
  for (int trial = 0; trial < 300; ++trial) {
    std::string damaged = whole;
    for (int n = 0; n < 3; ++n) damaged[128 + random.below(whole.size() - 128)] = static_cast<char>(random.below(256));
    overwrite(file, damaged);
    refusal([&] { (void)format().read_volume(folder_ / "a"); });  // an Error or a volume, never a crash
  }
}

TEST_F(DicomSource, RefusesAFileThatEndsBeforeItSaysWhatItIs) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  const std::filesystem::path file = folder_ / "a/slice_0007.dcm";
  std::filesystem::resize_file(file, 132);
  EXPECT_EQ(
      refusal([&] { (void)source().specimens(); }),
      "source/dicom: " + file.filename().string() +
          ": the file is damaged or cut off: its header ends before it says what it is; copy it again from where it "
          "came, or remove it");
}

TEST_F(DicomSource, RefusesValuesBeyondSixteenBits) {
  write("a", "femur-01", Side::left, 0, upright_volume());
  set_text(folder_ / "a/slice_0003.dcm", 0x0028, 0x1052, "DS", "-99999");
  const std::string message = refusal([&] { (void)only_acquisition(); });
  EXPECT_EQ(message,
            "source/dicom: slice_0003.dcm: a pixel has -98955 HU after the rescale, beyond the 16 bits of a CT volume; "
            "check RescaleSlope (1) and RescaleIntercept (-99999)");
}

TEST_F(DicomSource, RefusesImagesOfAnotherModality) {
  write("a", "femur-01");
  for (const auto& file : slices("a")) make_magnetic_resonance(file);
  EXPECT_EQ(refusal([&] { (void)source().specimens(); }),
            "source/dicom: " + folder_.string() +
                ": no CT image found: slice_0001.dcm is \"MR Image Storage\" of modality MR, not a CT image; "
                "source.path must name a folder of CT series");
}

TEST_F(DicomSource, LeavesOutLocalisersAndOtherObjectsBesideASeries) {
  const Volume volume = write("a", "femur-01");
  write("b", "femur-02");
  std::filesystem::rename(folder_ / "b/slice_0001.dcm", folder_ / "a/scout.dcm");
  std::filesystem::rename(folder_ / "b/slice_0002.dcm", folder_ / "a/resonance.dcm");
  std::filesystem::remove_all(folder_ / "b");
  set_text(folder_ / "a/scout.dcm", 0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\LOCALIZER");
  make_magnetic_resonance(folder_ / "a/resonance.dcm");
  write_file(folder_ / "a/README.txt", "not DICOM");
  const host::SourceHandle all = source();
  EXPECT_TRUE(at::equal(all.acquire(all.specimens().at(0), 0).volume.hounsfield, volume.hounsfield));
  EXPECT_EQ(all.notices(), (std::vector<std::string>{"1 localiser left out",
                                                     "1 DICOM object that is no CT image left out; "
                                                     "resonance.dcm is \"MR Image Storage\" of modality MR"}));
}

TEST_F(DicomSource, SaysWhereItLookedInAnEmptyFolder) {
  EXPECT_EQ(refusal([&] { (void)source().specimens(); }),
            "source/dicom: " + folder_.string() +
                ": no CT image found: looked for DICOM files (by content, whatever their names) in this folder and all "
                "below it, among 0 files; source.path must name a folder of CT series");
  std::filesystem::remove_all(folder_);
  EXPECT_EQ(
      refusal([&] { (void)source().specimens(); }),
      "source/dicom: " + folder_.string() + ": no such folder; source.path must name a folder of CT series in DICOM");
}

TEST_F(DicomSource, GoesOnWithTheOtherBonesWhenOneIsDamaged) {
  write("a", "femur-01");
  write("b", "femur-02");
  std::filesystem::remove(folder_ / "a/slice_0004.dcm");
  const host::SourceHandle all = source();
  const auto list = all.specimens();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_NE(refusal([&] { (void)all.acquire(list[0], 0); }), "");
  EXPECT_EQ(refusal([&] { (void)all.acquire(list[1], 0); }), "");
  EXPECT_EQ(all.content_digest(list[0], 0).size(), 64U);
}

}  // namespace
}  // namespace osteon
