// Volumes in NIfTI, NRRD and MetaImage: where they lie, what their values are, and who they are.

#include "source_image/image_fixture.hpp"

#include <ATen/Functions.h>

namespace osteon {
namespace {

using ImageSource = ImageFiles;
using ItkFormat = ImageFiles;

TEST_F(ItkFormat, KeepsVoxelsAndGridToTheLastBitInNrrdAndMetaImage) {
  for (const std::string ending : {".nrrd", ".mha"}) {
    SCOPED_TRACE(ending);
    const Volume volume = oblique();
    format().write_volume(volume, label("femur-01"), folder_ / ("a" + ending));
    expect_same(format().read_volume(folder_ / ("a" + ending)), volume);
  }
}

TEST_F(ItkFormat, KeepsVoxelsAndTheGridInSinglePrecisionInNifti) {
  for (const std::string ending : {".nii", ".nii.gz"}) {
    SCOPED_TRACE(ending);
    const Volume volume = oblique();
    format().write_volume(volume, label("femur-01"), folder_ / ("a" + ending));
    const Volume back = format().read_volume(folder_ / ("a" + ending));
    EXPECT_TRUE(at::equal(back.hounsfield, volume.hounsfield));
    for (const Vec3 corner : {Vec3{0, 0, 0}, Vec3{11, 8, 6}})
      EXPECT_LT(norm(back.grid.to_patient(corner) - volume.grid.to_patient(corner)), 5e-4);
  }
}

TEST_F(ItkFormat, AddsItsEndingToAName) {
  format({{"ending", std::string(".mha")}}).write_volume(oblique(), label("femur-01"), folder_ / "acquisition-1");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "acquisition-1.mha"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "something partial was left";
}

TEST_F(ItkFormat, RefusesToWriteTwoFilesForOneVolume) {
  EXPECT_EQ(refusal([&] { format().write_volume(oblique(), label("femur-01"), folder_ / "a.mhd"); }),
            "format/itk: " + (folder_ / "a.mhd").string() + ": volumes are written as .nrrd, .mha, .nii or .nii.gz");
}

TEST_F(ImageSource, TakesIdSubjectSideAndAcquisitionFromAnExport) {
  for (const std::string ending : {".nrrd", ".mha"}) {
    SCOPED_TRACE(ending);
    std::vector<Volume> volumes;
    for (const int acquisition : {0, 1}) {
      volumes.push_back(oblique());
      volumes.back().hounsfield[0] += acquisition;
      std::filesystem::create_directories(folder_ / "femur-01");
      format({{"ending", ending}})
          .write_volume(volumes.back(), label("femur-01", Side::right, acquisition),
                        folder_ / text("femur-01/acquisition-", acquisition + 1));
    }
    const host::SourceHandle all = source();
    const auto list = all.specimens();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].id, "femur-01");
    EXPECT_EQ(list[0].subject, "person-07");
    EXPECT_EQ(list[0].side, Side::right);
    ASSERT_EQ(list[0].acquisitions, 2);
    for (const int acquisition : {0, 1})
      expect_same(all.acquire(list[0], acquisition).volume, volumes[static_cast<std::size_t>(acquisition)]);
    std::filesystem::remove_all(folder_ / "femur-01");
  }
}

TEST_F(ImageSource, ReadsTheSameVolumeFromEachFormat) {
  const Volume expected = upright(hounsfield());
  const std::map<std::string, std::string> files = {
      {"a.mha", meta("MET_SHORT", hounsfield())}, {"a.nii", nifti({}, hounsfield())}, {"a.nrrd", nrrd(kPlace)}};
  for (const auto& [name, bytes] : files) {
    SCOPED_TRACE(name);
    put(folder_ / name, bytes);
    expect_same(only().volume, expected);
    std::filesystem::remove(folder_ / name);
  }
}

TEST_F(ImageSource, ReadsHeadersWithARawFileBesideThem) {
  put(folder_ / "a.raw", bytes_of(hounsfield()));
  put(folder_ / "a.mhd", meta("MET_SHORT", std::vector<std::int16_t>{}, {{"ElementDataFile", "a.raw"}}));
  expect_same(only().volume, upright(hounsfield()));
  const std::string before = source().content_digest(source().specimens().at(0), 0);
  std::vector<std::int16_t> other = hounsfield();
  other[3] += 1;
  put(folder_ / "a.raw", bytes_of(other));
  EXPECT_NE(source().content_digest(source().specimens().at(0), 0), before) << "an edited raw file is read again";
  std::filesystem::remove(folder_ / "a.mhd");
  put(folder_ / "a.nhdr", nrrd(kPlace + "data file: a.raw\n", {}));
  expect_same(only().volume, upright(other));
}

TEST_F(ImageSource, TurnsNiftiFromRightAnteriorSuperior) {
  put(folder_ / "a.nii", nifti({}, hounsfield()));
  const Grid grid = only().volume.grid;
  EXPECT_EQ(grid.origin, (Vec3{10, 20, 30}));
  EXPECT_EQ(grid.direction.column[0], (Vec3{1, 0, 0}));
}

TEST_F(ImageSource, ReadsTheQformWhereThereIsNoSform) {
  Nifti what;
  what.sform_code = 0, what.qform_code = 1;  // half a turn about z: RAS → LPS
  put(folder_ / "a.nii", nifti(what, hounsfield()));
  expect_same(only().volume, upright(hounsfield()));
}

TEST_F(ImageSource, TakesTheSlicesOfALeftHandedImageInReverse) {
  Nifti what;
  what.sform = {-0.5F, 0, 0, -10, 0, -0.75F, 0, -20, 0, 0, -2, 32};  // slices towards the feet
  std::vector<std::int16_t> turned = hounsfield();
  std::rotate(turned.begin(), turned.begin() + 12, turned.end());
  put(folder_ / "a.nii", nifti(what, turned));
  expect_same(only().volume, upright(hounsfield()));
}

TEST_F(ImageSource, ReadsIntegersAndFloatsOfEachSize) {
  const Volume expected = upright(hounsfield());
  const std::map<std::string, std::string> files = {{"MET_INT", meta("MET_INT", ramp<std::int32_t>(-1000, 50))},
                                                    {"MET_FLOAT", meta("MET_FLOAT", ramp<float>(-999.8F, 50))},
                                                    {"MET_DOUBLE", meta("MET_DOUBLE", ramp<double>(-1000.3, 50))}};
  for (const auto& [type, bytes] : files) {
    SCOPED_TRACE(type);
    put(folder_ / "a.mha", bytes);
    expect_same(only().volume, expected);
  }
  put(folder_ / "a.mha", meta("MET_USHORT", ramp<std::uint16_t>(24, 50)));
  expect_same(only({{"intercept", -1024.0}}).volume, expected);
}

TEST_F(ImageSource, AppliesTheSlopeOfNifti) {
  Nifti what;
  what.slope = 2, what.intercept = -1000;
  put(folder_ / "a.nii", nifti(what, ramp<std::int16_t>(0, 25)));
  expect_same(only().volume, upright(hounsfield()));
}

TEST_F(ImageSource, FindsSubjectAndSideInNames) {
  for (const std::string name : {"p012_left.mha", "p012_right.mha", "R-007.mha", "cat 3.mha"})
    put(folder_ / name, meta("MET_SHORT", hounsfield()));
  std::map<std::string, SpecimenInfo> found;
  for (const SpecimenInfo& info : source().specimens()) found[info.id] = info;
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found.at("p012_left").subject, "p012");
  EXPECT_EQ(found.at("p012_left").side, Side::left);
  EXPECT_EQ(found.at("p012_right").subject, "p012");
  EXPECT_EQ(found.at("p012_right").side, Side::right);
  EXPECT_EQ(found.at("R-007").subject, "007");
  EXPECT_EQ(found.at("R-007").side, Side::right);
  EXPECT_EQ(found.at("cat-3").subject, "cat-3");
  EXPECT_EQ(found.at("cat-3").side, Side::unknown);
  for (const SpecimenInfo& info : source({{"side", std::string("left")}}).specimens()) EXPECT_EQ(info.side, Side::left);
}

TEST_F(ImageSource, FollowsATable) {
  for (const std::string name : {"x1.mha", "x2.mha", "unlisted.mha"})
    put(folder_ / name, meta("MET_SHORT", hounsfield()));
  const std::filesystem::path table = folder_ / "subjects.csv";
  put(table, "Subject,file,side,id,acquisition\r\n\"Person, 1\",x2.mha,L,bone,2\r\nPerson 1,x1.mha,left,bone,1\r\n");
  EXPECT_EQ(refusal({{"table", table.string()}}), "source/image: x1.mha: specimen \"bone\" has two subjects or sides");
  put(table, "subject,file,side,id,acquisition\nPerson 1,x2.mha,L,bone,2\n\nPerson 1,x1.mha,left,bone,1\n");
  const auto list = source({{"table", table.string()}}).specimens();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].id, "bone");
  EXPECT_EQ(list[0].subject, "Person 1");
  EXPECT_EQ(list[0].side, Side::left);
  EXPECT_EQ(list[0].acquisitions, 2);
}

TEST_F(ImageSource, RefusesTablesWithTheLine) {
  put(folder_ / "x1.mha", meta("MET_SHORT", hounsfield()));
  const std::filesystem::path table = folder_ / "t.csv";
  const std::map<std::string, std::string> mistakes = {
      {"name,side\nx1.mha,left\n",
       "t.csv:1: no column \"file\"; the first line must name the columns file, subject and side, separated by commas"},
      {"file,subject,side\nx1.mha,p,up\n", "t.csv:2: side is \"up\"; it must be left, right or empty"},
      {"file,subject,side\nx1.mha,,left\n", "t.csv:2: a row needs a file and a subject"},
      {"file,subject,side\nx9.mha,p,left\n",
       "t.csv:2: no NIfTI, NRRD or MetaImage file \"x9.mha\"; file names are relative to the folder source.path"},
      {"file,subject,side,acquisition\nx1.mha,p,left,zero\n", "t.csv:2: acquisition is \"zero\"; it must be 1, 2, …"},
      {"file,subject,side\n", "t.csv: the table names no file"}};
  for (const auto& [bytes, message] : mistakes) {
    put(table, bytes);
    EXPECT_EQ(refusal({{"table", table.string()}}), "source/image: " + message);
  }
}

TEST_F(ImageSource, RefusesTwoFilesForOneSpecimen) {
  put(folder_ / "a.mha", meta("MET_SHORT", hounsfield()));
  put(folder_ / "a.nii", nifti({}, hounsfield()));
  EXPECT_EQ(refusal(),
            "source/image: a.mha and a.nii: two files for specimen \"a\"; name them apart, or give "
            "source.table with the column acquisition");
}

TEST_F(ImageSource, ReadsOneFile) {
  put(folder_ / "a.mha", meta("MET_SHORT", hounsfield()));
  put(folder_ / "b.mha", meta("MET_SHORT", hounsfield()));
  EXPECT_EQ(source({{"path", (folder_ / "b.mha").string()}}).specimens().at(0).id, "b");
}

TEST_F(ImageSource, SaysWhereItLooked) {
  put(folder_ / "notes.txt", "nothing");
  EXPECT_EQ(refusal(), "source/image: " + folder_.string() +
                           ": no CT volume found: looked for .nii, .nii.gz, .nrrd, .nhdr, .mha and .mhd in this folder "
                           "and all below it; source.path must name CT volumes");
  EXPECT_EQ(refusal({{"path", (folder_ / "none").string()}}),
            "source/image: " + (folder_ / "none").string() +
                ": no such file or folder; source.path must name CT volumes in NIfTI, NRRD or MetaImage");
  EXPECT_EQ(
      refusal({{"path", (folder_ / "notes.txt").string()}}),
      "source/image: " + (folder_ / "notes.txt").string() + ": not a NIfTI, NRRD or MetaImage file by its ending");
}

TEST_F(ImageSource, GivesTheLabelledVoxelsAsABoneMask) {
  put(folder_ / "a.mha", meta("MET_SHORT", hounsfield()));
  std::vector<std::uint8_t> labels(24, 0);
  labels[5] = 1, labels[6] = 1, labels[7] = 2;
  put(folder_ / "a_seg.nii", nifti(
                                 [] {
                                   Nifti what;
                                   what.datatype = 2, what.bits = 8;
                                   return what;
                                 }(),
                                 labels));
  const auto marked = [&](std::map<std::string, ParameterValue> given) {
    const at::Tensor mask = only(given).bone_mask;
    std::vector<std::int64_t> where;
    for (std::int64_t v = 0; v < mask.numel(); ++v)
      if (mask.data_ptr<std::uint8_t>()[v] != 0) where.push_back(v);
    return where;
  };
  const ParameterValue folder = (folder_ / "labels").string(), suffix = std::string("_seg");
  using Places = std::vector<std::int64_t>;
  EXPECT_EQ(marked({{"label_suffix", suffix}}), (Places{5, 6}));
  EXPECT_EQ(marked({{"label_suffix", suffix}, {"label", std::int64_t{2}}}), (Places{7}));
  std::filesystem::remove(folder_ / "a_seg.nii");
  std::filesystem::create_directory(folder_ / "labels");
  put(folder_ / "labels/a.mha", meta("MET_UCHAR", labels));
  EXPECT_EQ(marked({{"labels", folder}, {"label", std::int64_t{0}}}), (Places{5, 6, 7}));
  std::filesystem::remove_all(folder_ / "labels");
  EXPECT_FALSE(only().bone_mask.defined());
}

TEST_F(ImageSource, RefusesALabelMapThatIsMissingOrElsewhere) {
  put(folder_ / "a.mha", meta("MET_SHORT", hounsfield()));
  const std::map<std::string, ParameterValue> beside = {{"label_suffix", std::string("_seg")}};
  EXPECT_EQ(refusal(beside),
            "source/image: a.mha: its label map is missing: expected a_seg.mha beside it, or with another "
            "of the endings that are read");
  const std::vector<std::uint8_t> labels(24, 1);
  put(folder_ / "a_seg.mha", meta("MET_UCHAR", labels, {{"Offset", "10 20 31"}}));
  EXPECT_EQ(refusal(beside),
            "source/image: a_seg.mha and a.mha: the label map lies up to 1 mm off its volume (another "
            "origin, spacing or direction); resample it to the volume's grid");
  put(folder_ / "a_seg.mha", meta("MET_UCHAR", labels, {{"DimSize", "3 4 2"}}));
  EXPECT_EQ(refusal(beside),
            "source/image: a_seg.mha and a.mha: the label map has 3x4x2 voxels, its volume 4x3x2; "
            "resample it to the volume's grid");
}

}  // namespace
}  // namespace osteon
