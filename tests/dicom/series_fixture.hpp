#pragma once

// A folder for one test, small volumes to write into it as series, and ways to change single elements of a file.

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>

namespace osteon {

class DicomSeries : public ::testing::Test {
 protected:
  DicomSeries() {
    std::string pattern = (std::filesystem::temp_directory_path() / "osteon-dicom-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DicomSeries() override { std::filesystem::remove_all(folder_); }

  static host::Registry& registry() {
    static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    return registry;
  }
  static host::FormatHandle format() {
    const auto& plugin = registry().find("format", "dicom");
    return {plugin, Parameters(plugin.schema, {})};
  }
  [[nodiscard]] host::SourceHandle source(std::map<std::string, ParameterValue> given = {}) const {
    const auto& plugin = registry().find("source", "dicom");
    given["path"] = folder_.string();
    return {plugin, Parameters(plugin.schema, given)};
  }
  [[nodiscard]] Acquisition only_acquisition() const {
    const host::SourceHandle all = source();
    const auto list = all.specimens();
    EXPECT_EQ(list.size(), 1U);
    return all.acquire(list.at(0), 0);
  }

  static VolumeLabel label(const std::string& id, Side side, int acquisition = 0) {
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

  /// Tilted, three different spacings, with the extremes that the format holds.
  static Volume oblique_volume() {
    Grid grid;
    grid.size = {12, 9, 7};
    grid.spacing = {0.4321987, 0.7654321, 1.2500003};
    grid.origin = {-123.45678, 45.6789, -987.65432};
    grid.direction = rotation(normalised({1, -2, 3}), 0.3);
    Volume volume = noise(grid.canonical());
    volume.hounsfield[1][2][3] = -32768;
    volume.hounsfield[3][2][1] = 31743;
    return volume;
  }

  /// Axis-aligned: slice n (from 1) at 30 + 2 (n - 1) mm.
  static Volume upright_volume() {
    Grid grid;
    grid.size = {12, 9, 7};
    grid.spacing = {0.5, 0.75, 2};
    grid.origin = {10, 20, 30};
    Volume volume = noise(grid);
    volume.hounsfield[2][0][0] = 20;
    return volume;
  }

  /// Writes and returns a volume; each acquisition has other voxels.
  Volume write(const std::string& name, const std::string& id, Side side = Side::left, int acquisition = 0,
               std::optional<Volume> volume = {}) const {
    if (!volume) {
      volume = oblique_volume();
      volume->hounsfield[0] += acquisition;
    }
    format().write_volume(*volume, label(id, side, acquisition), folder_ / name);
    return *volume;
  }

  /// Folder "a" with a series of 7 slices and one of 5 (other_0001.dcm, …). Returns the larger.
  Volume two_series_in_one_folder() const {
    Volume small = oblique_volume();
    small.hounsfield = small.hounsfield.slice(0, 0, 5).contiguous();
    small.grid.size[2] = 5;
    Volume larger = write("a", "femur-01");
    write("b", "femur-01", Side::left, 1, small);
    for (const auto& file : slices("b"))
      std::filesystem::rename(file, folder_ / "a" / ("other_" + file.filename().string().substr(6)));
    std::filesystem::remove(folder_ / "b");
    return larger;
  }

  [[nodiscard]] std::vector<std::filesystem::path> slices(const std::string& name) const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / name)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }

  static std::string refusal(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  /// Without waiting for the disk, as `write_file` does.
  static void overwrite(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }

  /// Replaces the value of an element of a two-letter VR with a 16-bit length (explicit little endian).
  static void set_bytes(const std::filesystem::path& file, int group, int element, const std::string& vr,
                        std::string value) {
    std::string bytes = read_file(file), head;
    for (const int number : {group, element}) {
      head += static_cast<char>(number & 255);
      head += static_cast<char>(number >> 8);
    }
    const std::size_t at = bytes.find(head + vr, 132);
    ASSERT_NE(at, std::string::npos);
    const auto low = static_cast<unsigned char>(bytes[at + 6]), high = static_cast<unsigned char>(bytes[at + 7]);
    std::string length{static_cast<char>(value.size() & 255), static_cast<char>(value.size() >> 8)};
    bytes.replace(at + 6, 2 + low + 256U * high, length + value);
    overwrite(file, bytes);
  }
  static void set_text(const std::filesystem::path& file, int group, int element, const std::string& vr,
                       std::string value) {
    if (value.size() % 2 == 1) value += vr == "UI" ? '\0' : ' ';
    set_bytes(file, group, element, vr, value);
  }
  static void set_short(const std::filesystem::path& file, int group, int element, int value) {
    set_bytes(file, group, element, "US", {static_cast<char>(value & 255), static_cast<char>(value >> 8)});
  }

  /// As another program writes it: nothing says that the identifiers are pseudonyms.
  static void make_foreign(const std::filesystem::path& file) { set_text(file, 0x0008, 0x0070, "LO", "Vendor"); }

  static void make_magnetic_resonance(const std::filesystem::path& file) {
    set_text(file, 0x0008, 0x0060, "CS", "MR");
    set_text(file, 0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.4");
  }

  std::filesystem::path folder_;
};

}  // namespace osteon
