// Files in NIfTI, NRRD and MetaImage that are wrong in one way each.

#include "source_image/image_fixture.hpp"

#include <cmath>

namespace osteon {
namespace {

using ImageSource = ImageFiles;

TEST_F(ImageSource, RefusesValuesThatAreNoHounsfieldUnits) {
  put(folder_ / "a.mha", meta("MET_INT", ramp<std::int32_t>(-1000, 5000)));
  EXPECT_EQ(refusal(),
            "source/image: a.mha: its values run from -1000 to 114000 HU, beyond the -32768 to 32767 of a CT "
            "volume; is this a CT in Hounsfield units?");
  put(folder_ / "a.mha", meta("MET_SHORT", ramp<std::int16_t>(0, 100)));
  EXPECT_EQ(refusal(),
            "source/image: a.mha: its values run from 0 to 2300 HU, so it holds neither air nor fat; is this a "
            "CT in Hounsfield units? If it holds the stored values of one, set source.intercept (mostly "
            "-1024)");
  put(folder_ / "a.mha", meta("MET_SHORT", ramp<std::int16_t>(-20000, 100)));
  EXPECT_EQ(refusal(),
            "source/image: a.mha: its values run from -20000 to -17700 HU, and nothing in a CT lies below "
            "-10000 HU; is this a CT in Hounsfield units?");
  std::vector<float> holed = ramp<float>(-1000, 50);
  holed[2] = std::nanf("");
  put(folder_ / "a.mha", meta("MET_FLOAT", holed));
  EXPECT_EQ(refusal(), "source/image: a.mha: 1 of 24 voxels are no finite numbers; set them to -1000 HU (air)");
}

TEST_F(ImageSource, RefusesSpacingThatIsNotAboveZero) {
  for (const std::string spacing : {"0.5 0 2", "0.5 -0.75 2"}) {
    put(folder_ / "a.mha", meta("MET_SHORT", hounsfield(), {{"ElementSpacing", spacing}}));
    EXPECT_EQ(refusal(), "source/image: a.mha: its spacing is " + spacing + " mm; each must be above 0");
  }
  std::filesystem::remove(folder_ / "a.mha");
  Nifti what;
  what.sform[0] = 0;
  put(folder_ / "a.nii", nifti(what, hounsfield()));
  EXPECT_EQ(refusal(), "source/image: a.nii: its spacing along i is 0 mm; it must be above 0");
}

TEST_F(ImageSource, RefusesAxesThatAreNotPerpendicular) {
  const std::string sheared = ", not 90 (sheared, as a tilted gantry leaves it); resample it onto an upright grid";
  put(folder_ / "a.mha", meta("MET_SHORT", hounsfield(), {{"TransformMatrix", "1 0 0 0 1 0 0 0.6 0.8"}}));
  EXPECT_EQ(refusal(), "source/image: a.mha: its axes j (0, 1, 0) and k (0, 0.6, 0.8) enclose 53.1 degrees" + sheared);
  std::filesystem::remove(folder_ / "a.mha");
  Nifti what;
  what.sform = {-0.5F, 0, 0, -10, 0, -0.75F, 1.5F, -20, 0, 0, 2, 30};
  put(folder_ / "a.nii", nifti(what, hounsfield()));
  EXPECT_EQ(refusal(),
            "source/image: a.nii: its axes j (0, 1, 0) and k (0, -0.6, 0.8) enclose 126.9 degrees" + sheared);
  std::filesystem::remove(folder_ / "a.nii");
  put(folder_ / "a.nrrd", nrrd("space: left-posterior-superior\nspace directions: (0.5,0,0) (0,0.75,0) (0,1.5,2)\n"
                               "space origin: (10,20,30)\n"));
  EXPECT_EQ(refusal(), "source/image: a.nrrd: its axes j (0, 1, 0) and k (0, 0.6, 0.8) enclose 53.1 degrees" + sheared);
}

TEST_F(ImageSource, RefusesFilesThatDoNotSayWhereTheyLie) {
  put(folder_ / "a.mha", meta("MET_SHORT", hounsfield(), {{"ElementSpacing", ""}}));
  EXPECT_EQ(refusal(),
            "source/image: a.mha: its header gives no ElementSpacing, so its size in mm is unknown; export it "
            "again with its spacing");
  std::filesystem::remove(folder_ / "a.mha");
  put(folder_ / "a.nrrd", nrrd("spacings: 0.5 0.75 2\n"));
  EXPECT_EQ(refusal(),
            "source/image: a.nrrd: its header gives no \"space\", so its place and size in mm are unknown; "
            "export it again with its spacing and direction");
  std::filesystem::remove(folder_ / "a.nrrd");
  Nifti what;
  what.sform_code = 0;
  put(folder_ / "a.nii", nifti(what, hounsfield()));
  EXPECT_EQ(refusal(),
            "source/image: a.nii: its header has neither an sform nor a qform, so it does not say where left "
            "and right are; convert it again from its original, or set the sform");
}

TEST_F(ImageSource, RefusesImagesThatAreNoVolumes) {
  Nifti what;
  what.dim = {4, 4, 3, 2, 5, 1, 1, 1};
  put(folder_ / "a.nii", nifti(what, std::vector<std::int16_t>(120)));
  EXPECT_EQ(
      refusal(),
      "source/image: a.nii: a CT volume has three dimensions of two voxels or more; this has 4 x 3 x 2 x 5 voxels");
}

TEST_F(ImageSource, ReadsBigEndianAndPackedVoxels) {
  std::vector<std::int16_t> swapped;
  for (const std::int16_t value : hounsfield())
    swapped.push_back(
        static_cast<std::int16_t>(static_cast<std::uint16_t>(value) << 8 | static_cast<std::uint16_t>(value) >> 8));
  put(folder_ / "a.mha", meta("MET_SHORT", swapped, {{"BinaryDataByteOrderMSB", "True"}}));
  expect_same(only().volume, upright(hounsfield()));
  std::filesystem::remove(folder_ / "a.mha");
  for (const std::string ending : {".nrrd", ".mha", ".nii.gz"}) {
    SCOPED_TRACE(ending);
    const std::filesystem::path file = folder_ / ("a" + ending);
    format().write_volume(oblique(), label("femur-01"), file);  // compressed
    EXPECT_TRUE(at::equal(only().volume.hounsfield, oblique().hounsfield));
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 30);
    EXPECT_NE(refusal().find("its voxels are damaged or cut off: expected 1512 bytes, unpacked, found "),
              std::string::npos)
        << refusal();
    std::filesystem::remove(file);
  }
}

TEST_F(ImageSource, RefusesHeadersThatPointElsewhere) {
  put(folder_ / "a.mhd", meta("MET_SHORT", std::vector<std::int16_t>{}, {{"ElementDataFile", "../secret.raw"}}));
  EXPECT_EQ(refusal(),
            "source/image: a.mhd: its voxels should lie in \"../secret.raw\", which is not one plain file in "
            "the same folder; save it as one file (.nrrd, .mha)");
  std::filesystem::remove(folder_ / "a.mhd");
  put(folder_ / "b.raw", bytes_of(hounsfield()));
  put(folder_ / "a.mha", meta("MET_SHORT", std::vector<std::int16_t>{}, {{"ElementDataFile", "b.raw"}}));
  EXPECT_EQ(refusal(),
            "source/image: a.mha: its voxels should lie in \"b.raw\", but only .nhdr and .mhd may name another "
            "file; save it as one file (.nrrd, .mha)");
}

TEST_F(ImageSource, RefusesFilesThatAreCutOff) {
  const std::string mha = meta("MET_SHORT", hounsfield()), nii = nifti({}, hounsfield()), nhdr = nrrd(kPlace);
  const std::string cut =
      ": its voxels are damaged or cut off: expected 48 bytes, found 38; copy it again from where it came";
  for (const auto& [name, bytes] :
       std::map<std::string, std::string>{{"a.mha", mha}, {"a.nii", nii}, {"a.nrrd", nhdr}}) {
    put(folder_ / name, bytes.substr(0, bytes.size() - 10));
    EXPECT_EQ(refusal(), "source/image: " + name + cut);
    std::filesystem::remove(folder_ / name);
  }
  put(folder_ / "a.nii", nii.substr(0, 100));
  EXPECT_EQ(refusal(), "source/image: a.nii: no NIfTI-1 image: its header of 348 bytes is missing or cut off");
}

TEST_F(ImageSource, SurvivesFilesThatAreCutOffAnywhereOrHaveAnyByteChanged) {
  format().write_volume(oblique(), label("femur-01"), folder_ / "whole.nii.gz");
  std::ifstream in(folder_ / "whole.nii.gz", std::ios::binary);
  const std::string packed{std::istreambuf_iterator<char>(in), {}};
  in.close();
  std::filesystem::remove(folder_ / "whole.nii.gz");
  const std::map<std::string, std::string> files = {{"a.mha", meta("MET_SHORT", hounsfield())},
                                                    {"a.nii", nifti({}, hounsfield())},
                                                    {"a.nii.gz", packed},
                                                    {"a.nrrd", nrrd(kPlace)}};
  const auto read = [&](const std::filesystem::path& file) {
    try {
      (void)format().read_volume(file);  // an Error or a volume, never a crash
    } catch (const Error&) {
    }
  };
  Random random(5, "damage");
  for (const auto& [name, whole] : files) {
    for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 60) {
      put(folder_ / name, whole.substr(0, length));
      read(folder_ / name);
    }
    for (int trial = 0; trial < 150; ++trial) {
      std::string damaged = whole;
      for (int n = 0; n < 3; ++n)
        damaged[random.below(std::min<std::size_t>(whole.size(), 400))] = static_cast<char>(random.below(256));
      put(folder_ / name, damaged);
      read(folder_ / name);
    }
  }
}

}  // namespace
}  // namespace osteon
