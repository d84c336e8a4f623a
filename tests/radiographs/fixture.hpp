#pragma once

// Pictures of a made-up bone, drawn at any place, angle and resolution, and DICOM radiographs written byte by byte.

#include "dicom/encoder.hpp"
#include "host/handles.hpp"
#include "imaging/film.hpp"
#include "imaging/radiograph.hpp"

#include <osteon/files.hpp>
#include <osteon/png.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

namespace osteon {

class Radiographs : public ::testing::Test {
 protected:
  Radiographs() {
    std::string pattern = (std::filesystem::temp_directory_path() / "osteon-radiographs-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Radiographs() override { std::filesystem::remove_all(folder_); }

  static host::Registry& registry() {
    static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    return registry;
  }
  static host::FormatHandle format(const std::string& name) {
    const auto& plugin = registry().find("format", name);
    return {plugin, Parameters(plugin.schema, {})};
  }
  [[nodiscard]] host::SourceHandle source() const {
    const auto& plugin = registry().find("source", "radiographs");
    return {plugin,
            Parameters(plugin.schema, {{"path", folder_.string()}, {"table", (folder_ / "xrays.csv").string()}})};
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

  /// A shaft of 320 mm with a thicker end below and a head to the right above; brightness at mm right and up.
  static double bone(double right, double up) {
    const double v = up / 160, width = 14 + 14 * std::pow(std::max(0.0, -v), 4);
    const double shaft = 1 - std::pow(right / width, 2) - std::pow(v, 8);
    const double head = 1 - (std::pow(right - 22, 2) + std::pow(up - 120, 2)) / (20 * 20);
    const double inside = std::clamp(4 * std::max(shaft, head), 0.0, 1.0);
    return inside * (0.55 + 0.3 * std::clamp(shaft, 0.0, 1.0));
  }

  struct Drawing {
    std::int64_t rows = 300, columns = 200;
    double x = 100, y = 150;  ///< pixel of the shaft's middle
    double lean = 0;          ///< degrees, counter-clockwise
    double spacing = 2;       ///< mm
    bool mirrored = false;
  };
  static at::Tensor drawn(const Drawing& d) {
    at::Tensor image = at::empty({d.rows, d.columns}, at::kFloat);
    const double cosine = std::cos(radians(d.lean)), sine = std::sin(radians(d.lean));
    constexpr int kSamples = 4;
    for (std::int64_t row = 0; row < d.rows; ++row)
      for (std::int64_t column = 0; column < d.columns; ++column) {
        double sum = 0;
        for (int i = 0; i < kSamples * kSamples; ++i) {
          const double dx = static_cast<double>(column) + (i % kSamples + 0.5) / kSamples - 0.5 - d.x;
          const double dy = d.y - static_cast<double>(row) - (i / kSamples + 0.5) / kSamples + 0.5;
          const double right = cosine * dx + sine * dy, up = cosine * dy - sine * dx;
          sum += bone((d.mirrored ? -right : right) * d.spacing, up * d.spacing);
        }
        image.data_ptr<float>()[row * d.columns + column] = static_cast<float>(sum / (kSamples * kSamples));
      }
    return image;
  }
  static Radiograph radiograph(const Drawing& d) { return {drawn(d), d.spacing, "drawn"}; }

  static imaging::PreparedRadiograph prepared(const Radiograph& radiograph, Side side = Side::unknown,
                                              const imaging::RadiographHints& hints = {},
                                              const std::map<std::string, ParameterValue>& given = {},
                                              const std::map<std::string, ParameterValue>& views = {}) {
    return {radiograph,
            hints,
            side,
            "the AP radiograph",
            Parameters(imaging::views_schema(), views),
            Parameters(imaging::film_schema(), {}),
            Parameters(imaging::radiographs_schema(), given)};
  }
  /// Pixels as they are.
  static imaging::PreparedRadiograph plain(const Radiograph& radiograph, Side side = Side::unknown) {
    return prepared(radiograph, side, {}, {{"match", std::string("none")}});
  }
  static double mean_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kFloat) - b.to(at::kFloat)).abs().mean().item<double>();
  }

  /// A 4 x 3 radiograph of 12 of 16 bits with the values 0, 100, 200 … and more elements (in order of their tags).
  static std::string dicom(const std::map<std::uint32_t, std::string>& more, const std::string& photometric,
                           const std::string& sop_class = "1.2.840.10008.5.1.4.1.1.1",
                           const std::string& modality = "CR") {
    using namespace test;
    std::map<std::uint32_t, std::string> all = {
        {0x00080016, element(0x00080016, "UI", sop_class)},     {0x00080060, element(0x00080060, "CS", modality)},
        {0x00280002, element(0x00280002, "US", little(1, 2))},  {0x00280004, element(0x00280004, "CS", photometric)},
        {0x00280010, element(0x00280010, "US", little(3, 2))},  {0x00280011, element(0x00280011, "US", little(4, 2))},
        {0x00280100, element(0x00280100, "US", little(16, 2))}, {0x00280101, element(0x00280101, "US", little(12, 2))},
        {0x00280103, element(0x00280103, "US", little(0, 2))}};
    for (const auto& [tag, bytes] : more) all[tag] = bytes;
    std::string elements, pixels;
    for (const auto& [tag, bytes] : all) elements += bytes;
    for (int i = 0; i < 12; ++i) pixels += little(static_cast<std::uint64_t>(100 * i), 2);
    return file_of(sop_class, elements + element(0x7fe00010, "OW", pixels));
  }
  [[nodiscard]] Radiograph read(const std::string& bytes) const {
    write_file(folder_ / "x.dcm", bytes);
    return format("dicom").read_radiograph(folder_ / "x.dcm");
  }

  void table(const std::string& lines) const { write_file(folder_ / "xrays.csv", lines); }

  std::filesystem::path folder_;
};

}  // namespace osteon
