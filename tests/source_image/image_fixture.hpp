#pragma once

// A folder for one test, and NIfTI, NRRD and MetaImage files written byte by byte, so that each can be wrong in one
// way.

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

namespace osteon {

class ImageFiles : public ::testing::Test {
 protected:
  ImageFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "osteon-image-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ImageFiles() override { std::filesystem::remove_all(folder_); }

  static host::Registry& registry() {
    static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    return registry;
  }
  static host::FormatHandle format(const std::map<std::string, ParameterValue>& given = {}) {
    const auto& plugin = registry().find("format", "itk");
    return {plugin, Parameters(plugin.schema, given)};
  }
  [[nodiscard]] host::SourceHandle source(std::map<std::string, ParameterValue> given = {}) const {
    const auto& plugin = registry().find("source", "image");
    given.try_emplace("path", folder_.string());
    return {plugin, Parameters(plugin.schema, given)};
  }
  [[nodiscard]] Acquisition only(const std::map<std::string, ParameterValue>& given = {}) const {
    const host::SourceHandle all = source(given);
    const auto list = all.specimens();
    EXPECT_EQ(list.size(), 1U);
    return all.acquire(list.at(0), 0);
  }
  [[nodiscard]] std::string refusal(const std::map<std::string, ParameterValue>& given = {}) const {
    return refusal([&] { (void)only(given); });
  }
  static std::string refusal(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& e) {
      EXPECT_EQ(e.cause(), Error::Cause::mistake) << e.what();
      return e.what();
    }
    return "";
  }

  static VolumeLabel label(const std::string& id, Side side = Side::left, int acquisition = 0) {
    return {{id, "person-07", side, 1}, acquisition};
  }

  static Volume noise(const Grid& grid) {
    Volume volume{at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort), grid};
    Random random(11, "voxels");
    auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
    for (std::int64_t v = 0; v < volume.hounsfield.numel(); ++v)
      voxel[v] = static_cast<std::int16_t>(random.uniform(-1024, 3000));
    return volume;
  }
  /// Tilted, three different spacings.
  static Volume oblique() {
    Grid grid{{12, 9, 7}, {0.4321987, 0.7654321, 1.2500003}, {-123.45678, 45.6789, -987.65432}, {}};
    grid.direction = rotation(normalised({1, -2, 3}), 0.3);
    return noise(grid.canonical());
  }

  static void put(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }

  template <class Number>
  static std::string bytes_of(const std::vector<Number>& values) {
    std::string bytes(values.size() * sizeof(Number), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }

  /// 4 x 3 x 2 voxels: 0 … 23, times `step`, plus `first`.
  template <class Number>
  static std::vector<Number> ramp(Number first, Number step) {
    std::vector<Number> values;
    for (int v = 0; v < 24; ++v) values.push_back(static_cast<Number>(first + step * static_cast<Number>(v)));
    return values;
  }
  static std::vector<std::int16_t> hounsfield() { return ramp<std::int16_t>(-1000, 50); }

  /// A MetaImage of 4 x 3 x 2 voxels; lines of `changes` replace those of the same key.
  template <class Number>
  static std::string meta(const std::string& type, const std::vector<Number>& voxels,
                          const std::vector<std::pair<std::string, std::string>>& changes = {}) {
    std::vector<std::pair<std::string, std::string>> lines = {
        {"ObjectType", "Image"},     {"NDims", "3"},
        {"BinaryData", "True"},      {"BinaryDataByteOrderMSB", "False"},
        {"CompressedData", "False"}, {"TransformMatrix", "1 0 0 0 1 0 0 0 1"},
        {"Offset", "10 20 30"},      {"ElementSpacing", "0.5 0.75 2"},
        {"DimSize", "4 3 2"},        {"ElementType", type},
        {"ElementDataFile", "LOCAL"}};
    for (const auto& [key, value] : changes)
      for (auto& line : lines)
        if (line.first == key) line.second = value;
    std::string header;
    for (const auto& [key, value] : lines)
      if (!value.empty()) header += key + " = " + value + "\n";
    return header + bytes_of(voxels);
  }

  struct Nifti {
    std::array<float, 12> sform{-0.5F, 0, 0, -10, 0, -0.75F, 0, -20, 0, 0, 2, 30};  ///< RAS; LPS 0.5, 0.75, 2 mm
    std::int16_t sform_code = 1, qform_code = 0, datatype = 4, bits = 16;
    std::array<float, 4> pixdim{1, 0.5F, 0.75F, 2};
    std::array<float, 6> quaternion{0, 0, 1, -10, -20, 30};  ///< b, c, d, offsets
    float slope = 0, intercept = 0;
    std::array<std::int16_t, 8> dim{3, 4, 3, 2, 1, 1, 1, 1};
  };
  template <class Number>
  static std::string nifti(const Nifti& what, const std::vector<Number>& voxels) {
    std::string header(352, '\0');
    const auto at = [&](std::size_t place, const auto& value) { std::memcpy(&header[place], &value, sizeof value); };
    at(0, std::int32_t{348});
    at(40, what.dim);
    at(70, what.datatype);
    at(72, what.bits);
    at(76, what.pixdim);
    at(108, 352.0F);
    at(112, what.slope);
    at(116, what.intercept);
    header[123] = 2;  // mm
    at(252, what.qform_code);
    at(254, what.sform_code);
    at(256, what.quaternion);
    at(280, what.sform);
    header.replace(344, 4, std::string("n+1\0", 4));
    return header + bytes_of(voxels);
  }

  static std::string nrrd(const std::string& lines, const std::vector<std::int16_t>& voxels = hounsfield()) {
    return "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\nencoding: raw\nendian: little\n" + lines + "\n" +
           bytes_of(voxels);
  }

  /// What a NRRD header needs beside its sizes.
  const std::string kPlace =
      "space: left-posterior-superior\nspace directions: (0.5,0,0) (0,0.75,0) (0,0,2)\nspace origin: (10,20,30)\n";
  std::filesystem::path folder_;
};

/// The volume that every small file of the fixture holds.
inline Volume upright(const std::vector<std::int16_t>& values) {
  Volume volume{at::empty({2, 3, 4}, at::kShort), Grid{{4, 3, 2}, {0.5, 0.75, 2}, {10, 20, 30}, {}}.canonical()};
  std::copy(values.begin(), values.end(), volume.hounsfield.data_ptr<std::int16_t>());
  return volume;
}

inline void expect_same(const Volume& found, const Volume& expected) {
  EXPECT_TRUE(found.grid == expected.grid);
  EXPECT_TRUE(at::equal(found.hounsfield, expected.hounsfield));
}

}  // namespace osteon
