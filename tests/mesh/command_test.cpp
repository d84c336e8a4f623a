// `osteon mesh compare` as one types it, on files whose distances are known.

#include "pipeline/command.hpp"
#include "open3d_support/mesh_files.hpp"
#include "shape/solids.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using Outcome = test::Workplace::Outcome;

Affine scaling(double factor) { return {{{{factor, 0, 0}, {0, factor, 0}, {0, 0, factor}}}, {}}; }

/// Both surfaces in one mesh.
Mesh together(const Mesh& a, const Mesh& b) {
  return {at::cat({a.vertices, b.vertices}),
          at::cat({a.triangles, b.triangles + static_cast<std::int32_t>(a.vertices.size(0))})};
}

class MeshCompare : public ::testing::Test {
 protected:
  void SetUp() override {
    write("a.ply", solids::sphere(100, 60, 90));
    write("b.stl", solids::sphere(103, 60, 90));
  }
  void write(const std::string& name, const Mesh& mesh) const {
    open3d_support::write_mesh(mesh, place_.folder() / name);
  }
  [[nodiscard]] Outcome compare(const std::string& arguments) const {
    return place_.osteon("mesh compare " + arguments);
  }
  /// What the command says when it refuses.
  [[nodiscard]] std::string complaint(const std::string& arguments) const {
    const Outcome outcome = compare(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.out;
    return outcome.err;
  }
  [[nodiscard]] std::string bytes(const std::string& name) const { return test::read(place_.folder() / name); }

  test::Workplace place_;
};

bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }

/// The figure in a column, counted from 0, of the line that begins with `row`.
double figure(const std::string& out, const std::string& row, int column) {
  const std::size_t at = out.find("\n  " + row + "  ");
  if (at == std::string::npos) throw Error("no row " + row + " in\n" + out);
  std::istringstream cells(out.substr(at + 3 + row.size(), out.find('\n', at + 1)));
  std::string unit;
  double value = 0;
  for (int i = 0; i <= column; ++i) cells >> value >> unit;
  return value;
}

TEST_F(MeshCompare, SaysHowFarConcentricSpheresAreApartBothWays) {
  const Outcome outcome = compare("a.ply b.stl --samples 20000");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find("\n  a.ply ↔")),
            "truth      a.ply · 10,620 triangles · diagonal 346.3 mm\n"
            "predicted  b.stl · 10,620 triangles · diagonal 356.7 mm\n"
            "points     20,000 each way\n\n"
            "surface distance, rigid alignment\n"
            "                       RMS       mean       HD95  Hausdorff");
  for (const char* row : {"a.ply ↔ b.stl", "a.ply → b.stl", "b.stl → a.ply"})
    for (int column = 0; column < 4; ++column) EXPECT_NEAR(figure(outcome.out, row, column), 3, 0.15) << row << column;
  const std::string relative = outcome.out.substr(outcome.out.find("% of the true bone's diagonal"));
  EXPECT_NEAR(figure(relative, "a.ply ↔ b.stl", 0), 100 * 3 / 346.3, 0.02);
  EXPECT_EQ(compare("a.ply b.stl --samples 20000").out, outcome.out);
}

TEST_F(MeshCompare, OptionsReachTheMetric) {
  const std::string other = " --plugins " + std::string(OSTEON_BUILD_DIR) + "/mesh_plugins --metric other_distance";
  EXPECT_EQ(compare("a.ply b.stl --align similarity --samples 5000 --seed 7" + other).out,
            "truth      a.ply · 10,620 triangles · diagonal 346.3 mm\n"
            "predicted  b.stl · 10,620 triangles · diagonal 356.7 mm\n"
            "points     5,000 each way\n\n"
            "asked: similarity area 5000 7\n"
            "                   vertices\n"
            "  a.ply and b.stl     0.000\n");
  EXPECT_TRUE(has(compare("a.ply b.stl" + other).out, "asked: rigid area 100000 0\n"));
  EXPECT_TRUE(has(compare("a.ply b.stl --align none --vertices" + other).out,
                  "points     the vertices\n\nasked: none vertices 100000 0\n"));
}

TEST_F(MeshCompare, AsksWhichMetricIsMeantWhereTwoFit) {
  const std::string plugins = " --plugins " + std::string(OSTEON_BUILD_DIR) + "/mesh_plugins";
  EXPECT_EQ(complaint("a.ply b.stl" + plugins),
            "2 installed metrics measure a pair of surfaces: choose with --metric one of other_distance, "
            "surface_distance\n");
  EXPECT_EQ(compare("a.ply b.stl --metric surface_distance" + plugins).code, 0);
  EXPECT_EQ(complaint("a.ply b.stl --metric shape_error"),
            "--metric shape_error: it measures no pair of surfaces: expected a metric that needs meshes alone and "
            "takes alignment, samples, sampling, seed\n");
  EXPECT_EQ(complaint("a.ply b.stl --metric other_distance --picture a.png" + plugins),
            "metric/other_distance: gave no pair of surfaces to draw\n");
}

TEST_F(MeshCompare, FilesOfOneNameAreToldApartByTheirFolders) {
  fs::create_directory(place_.folder() / "of");
  write("of/a.ply", solids::sphere(103, 60, 90));
  EXPECT_TRUE(has(compare("a.ply of/a.ply --samples 1000").out, "\n  a.ply ↔ of/a.ply  "));
}

TEST_F(MeshCompare, WritesAPictureAndAColouredSurface) {
  const Outcome outcome = compare("a.ply b.stl --samples 1000 --picture p.png --colored c.ply");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "\npicture    p.png\ncoloured   c.ply\n")) << outcome.out;
  EXPECT_EQ(bytes("p.png").substr(1, 3), "PNG");
  const std::string ply = bytes("c.ply");
  EXPECT_TRUE(has(ply, "the last colour 5 mm or more\nelement vertex 5312\n")) << ply.substr(0, 300);
  const std::size_t body = ply.find("end_header\n") + 11;
  ASSERT_EQ(ply.size(), body + 5312 * (3 * 4 + 3 + 4) + 10620 * 13);
  for (int vertex = 0; vertex < 5312; vertex += 100) {
    float value = 0;
    std::memcpy(&value, ply.data() + body + vertex * 19 + 15, sizeof value);
    EXPECT_NEAR(value, 3, 0.15);
    // Viridis is green at 3 of 5 mm.
    const auto channel = [&](int k) {
      return static_cast<unsigned char>(
          ply[body + static_cast<std::size_t>(vertex) * 19 + 12 + static_cast<std::size_t>(k)]);
    };
    EXPECT_NEAR(channel(0), 0x28, 12);
    EXPECT_NEAR(channel(1), 0xae, 12);
    EXPECT_NEAR(channel(2), 0x80, 12);
  }
  const Mesh read = open3d_support::read_mesh(place_.folder() / "c.ply");
  EXPECT_EQ(read.triangles.size(0), 10620);
}

TEST_F(MeshCompare, RefusesFilesThatAreNone) {
  EXPECT_EQ(complaint("nowhere.ply b.stl"), "nowhere.ply: there is no such file; name a mesh file\n");
  EXPECT_EQ(complaint("a.ply ."), ".: this is no file; name a mesh file\n");
  std::ofstream(place_.folder() / "a.glb") << "glTF";
  const std::string unknown = complaint("a.glb b.stl");
  EXPECT_EQ(unknown.find("a.glb: no installed format plugin knows this ending; there are: "), 0U) << unknown;
  EXPECT_TRUE(has(unknown, ".ply, .stl, .obj")) << unknown;
  std::ofstream(place_.folder() / "empty.ply") << "";
  EXPECT_EQ(complaint("a.ply empty.ply"),
            "format/open3d: empty.ply: the file is empty; export the surface again, as PLY, STL or OBJ\n");
  std::ofstream(place_.folder() / "none.obj") << "v 0 0 0\n";
  EXPECT_EQ(complaint("a.ply none.obj"),
            "format/open3d: none.obj: it has no triangles; export the surface again, as PLY, STL or OBJ\n");
  EXPECT_EQ(complaint("a.ply b.stl --picture a.jpg"), "--picture a.jpg: expected a name that ends in .png\n");
  EXPECT_EQ(complaint("a.ply b.stl --colored a.stl"), "--colored a.stl: expected a name that ends in .ply\n");
}

TEST_F(MeshCompare, RefusesOpenInvertedAndScatteredSurfaces) {
  Mesh open = solids::sphere(100, 20, 30);
  open.triangles = open.triangles.slice(0, 1).contiguous();
  write("open.ply", open);
  EXPECT_EQ(complaint("a.ply open.ply"),
            "open.ply: the surface is not closed: 3 edges do not join exactly two triangles of the same orientation; "
            "close the holes (MeshLab: Filters > Remeshing > Close Holes) and try again\n");
  Mesh inverted = solids::sphere(100, 20, 30);
  inverted.triangles = inverted.triangles.flip(1).contiguous();
  write("inverted.ply", inverted);
  EXPECT_EQ(complaint("inverted.ply b.stl"),
            "inverted.ply: the surface is turned inside out (its volume is negative); invert its faces (MeshLab: "
            "Filters > Normals > Invert Faces Orientation) and try again\n");
  write("two.ply", together(transformed(solids::box({9, 9, 9}), {Mat3{}, {300, 0, 0}}), solids::sphere(100, 20, 30)));
  EXPECT_EQ(complaint("a.ply two.ply"),
            "two.ply: the surface has 2 pieces, the largest of 1,140 triangles, the next of 12, where one bone is "
            "expected; keep the largest (MeshLab: Filters > Cleaning and Repairing > Remove Isolated pieces) and try "
            "again\n");
}

TEST_F(MeshCompare, PointsOutASurfaceThatPassesThroughItself) {
  Mesh crossed = solids::sphere(100, 20, 30);
  crossed.vertices = crossed.vertices.clone();
  crossed.vertices[0] *= -1.2;
  write("crossed.ply", crossed);
  const Outcome outcome = compare("a.ply crossed.ply");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "note       it passes through itself: ")) << outcome.out;
  EXPECT_FALSE(has(compare("a.ply b.stl").out, "note"));
}

TEST_F(MeshCompare, RecognisesOtherUnitsByTheSizeOfABone) {
  const Mesh bone = solids::bone(450);
  write("bone.ply", bone);
  write("metres.ply", transformed(bone, scaling(1e-3)));
  write("inches.ply", transformed(bone, scaling(1 / 25.4)));
  EXPECT_EQ(
      complaint("bone.ply metres.ply"),
      "metres.ply: the surface's bounding box has a diagonal of 0.458, where 150 to 650 mm are expected of a long "
      "bone; it would be 458 mm if the file is in metres: say so with --unit m, or --unit mm to compare it as it "
      "is\n");
  EXPECT_EQ(complaint("inches.ply bone.ply"),
            "inches.ply: the surface's bounding box has a diagonal of 18, where 150 to 650 mm are expected of a long "
            "bone; it would be 180 mm if the file is in centimetres and 458 mm if the file is in inches: say so with "
            "--unit cm, --unit inch, or --unit mm to compare it as it is\n");
  const auto rms = [&](const std::string& arguments) {
    const Outcome outcome = compare(arguments + " --samples 2000");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return figure(outcome.out, arguments.substr(0, arguments.find(' ')) + " ↔ bone.ply", 0);
  };
  EXPECT_NEAR(rms("metres.ply bone.ply --unit m,mm"), 0, 0.01);
  EXPECT_NEAR(rms("inches.ply bone.ply --unit inch,mm"), 0, 0.01);
  EXPECT_GT(rms("inches.ply bone.ply --unit mm"), 50);
  char diagonal[40];
  std::snprintf(diagonal, sizeof diagonal, "diagonal %.1f mm\n", bounding_box(bone).diagonal());
  EXPECT_TRUE(has(compare("inches.ply inches.ply --samples 1000 --unit inch").out, diagonal)) << diagonal;
}

TEST_F(MeshCompare, NothingIsDrawnWhereVerticesAreMeasured) {
  const Outcome outcome = compare("a.ply b.stl --vertices --seed 3");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(has(outcome.err, "--seed excludes --vertices")) << outcome.err;
}

}  // namespace
}  // namespace osteon
