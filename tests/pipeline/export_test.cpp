// `osteon export --surfaces`: what it writes, and what it refuses before anything is made.

#include "command.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace osteon::test {
namespace {

TEST(Export, WritesASurfaceAScan) {
  const Workplace place;
  const auto outcome =
      place.osteon("export open3d " + small_profile() + " --set surface.triangles=2000 --surfaces stl --out out");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("wrote 12 surfaces to out\n"), std::string::npos) << outcome.out;
  for (const char* bone : {"phantom-001", "phantom-004"})
    for (const char* scan : {"acquisition-1.stl", "acquisition-3.stl"}) {
      const std::string bytes = read(place.folder() / "out" / bone / scan);
      ASSERT_GE(bytes.size(), 84U) << bone << scan;
      std::uint32_t triangles = 0;
      std::memcpy(&triangles, bytes.data() + 80, 4);
      EXPECT_GT(triangles, 1900U);
      EXPECT_LE(triangles, 2000U);
      EXPECT_EQ(bytes.size(), 84 + 50 * std::size_t{triangles}) << "binary STL";
    }
}

TEST(Export, RefusesAnEndingThatTheFormatDoesNotKnow) {
  const Workplace place;
  const auto outcome = place.osteon("export open3d " + small_profile() + " --surfaces .vtk --out out");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "format/open3d: knows no files that end with .vtk; it knows .ply, .stl, .obj\n");
  EXPECT_FALSE(fs::exists(place.folder() / "out"));
}

TEST(Export, SaysWhichFormatWritesNoSurfaces) {
  const Workplace place;
  const auto outcome = place.osteon("export dicom " + small_profile() + " --surfaces dcm --out out");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "format/dicom: this format does not write meshes\n");
}

}  // namespace
}  // namespace osteon::test
