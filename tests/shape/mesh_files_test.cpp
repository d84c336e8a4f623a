// Mesh files through the host's format plugin, and beside Open3D's own reader.

#include "host/handles.hpp"
#include "solids.hpp"

#include <osteon/files.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace osteon {
namespace {

namespace fs = std::filesystem;

host::Registry& registry() {
  static host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return registry;
}

class MeshFiles : public ::testing::Test {
 protected:
  MeshFiles()
      : folder_(fs::temp_directory_path() / text("osteon-mesh-", ::getpid())),
        plugin_(registry().find("format", "open3d")),
        format_(plugin_, Parameters(plugin_.schema, {})) {
    fs::create_directories(folder_);
  }
  ~MeshFiles() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  /// What reading says, without the folder and the plugin's name.
  std::string complaint(const fs::path& path) const {
    try {
      static_cast<void>(format_.read_mesh(path));
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), Error::Cause::mistake);
      const std::string whole = error.what(), expected = text("format/open3d: ", folder_.string(), "/");
      EXPECT_EQ(whole.substr(0, expected.size()), expected);
      return whole.substr(std::min(expected.size(), whole.size()));
    }
    return "read without complaint";
  }

  fs::path folder_;
  const host::LoadedPlugin& plugin_;
  host::FormatHandle format_;
};

const std::string kAgain = "; export the surface again, as PLY, STL or OBJ";

std::string ply(const std::string& vertices, const std::string& faces, int vertex_count = 4, int face_count = 1) {
  return text("ply\nformat ascii 1.0\nelement vertex ", vertex_count,
              "\nproperty float x\nproperty float y\nproperty float z\nelement face ", face_count,
              "\nproperty list uchar int vertex_indices\nend_header\n", vertices, faces);
}
const std::string kSquare = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n";

TEST_F(MeshFiles, EveryFormatGivesBackTheSurface) {
  const Mesh mesh = transformed(solids::ellipsoid({10, 20, 30}, 20, 30), {Mat3{}, {0.1, 200.3, -1000.7}});
  for (const char* name : {"a.ply", "b.stl", "c.obj", "D.PLY"}) {
    format_.write_mesh(mesh, folder_ / name);
    const Mesh back = format_.read_mesh(folder_ / name);
    EXPECT_EQ(back.vertices.size(0), mesh.vertices.size(0)) << name;
    EXPECT_EQ(open_edges(back), 0) << name;
    const at::Tensor corners = mesh.vertices.index_select(0, mesh.triangles.view(-1));
    EXPECT_TRUE(at::equal(back.vertices.index_select(0, back.triangles.view(-1)), corners)) << name;
    EXPECT_FALSE(fs::exists(folder_ / (std::string(name) + ".partial")));
  }
}

TEST_F(MeshFiles, BigEndianAndExtraPropertiesAreRead) {
  std::string bytes =
      "ply\r\nformat binary_big_endian 1.0\r\nelement vertex 3\r\nproperty uchar red\r\nproperty double x\r\n"
      "property double y\r\nproperty double z\r\nelement face 1\r\nproperty list uchar ushort vertex_index\r\n"
      "property float quality\r\nend_header\r\n";
  const auto add = [&](auto value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(std::reverse_iterator(raw + sizeof value), std::reverse_iterator(raw));
  };
  for (int i = 0; i < 3; ++i) {
    bytes.push_back('\x7f');
    for (const double c : {1.5 * i, i == 2 ? 4.0 : 0.0, -2.25}) add(c);
  }
  bytes.push_back(3);
  for (const std::uint16_t corner : {0, 1, 2}) add(corner);
  add(0.5F);
  const Mesh mesh = format_.read_mesh(file("big.ply", bytes));
  EXPECT_TRUE(
      at::equal(mesh.vertices, at::tensor({0.F, 0.F, -2.25F, 1.5F, 0.F, -2.25F, 3.F, 4.F, -2.25F}).view({3, 3})));
  EXPECT_TRUE(at::equal(mesh.triangles, at::tensor({0, 1, 2}, at::kInt).view({1, 3})));
}

TEST_F(MeshFiles, PolygonsBecomeTrianglesAndUnusedVerticesGo) {
  EXPECT_EQ(format_.read_mesh(file("q.ply", ply(kSquare, "4 0 1 2 3\n"))).triangles.size(0), 2);
  EXPECT_EQ(format_.read_mesh(file("t.ply", ply(kSquare, "3 0 1 3\n"))).vertices.size(0), 3);
  const Mesh obj = format_.read_mesh(file("q.obj", "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf -4/1 -3/2/3 -2//4 -1\n"));
  EXPECT_DOUBLE_EQ(surface_area(obj), 1);
}

TEST_F(MeshFiles, VerticesOfStlFilesAreJoined) {
  std::string stl = "solid box\n";
  const Mesh box = solids::box({1, 2, 3});
  const auto* corner = box.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < 12; ++t) {
    stl += "facet normal 0 0 0\nouter loop\n";
    for (int k = 0; k < 3; ++k) {
      const float* p = box.vertices.data_ptr<float>() + 3 * corner[3 * t + k];
      stl += text("vertex ", p[0], ' ', p[1], ' ', p[2], '\n');
    }
    stl += "endloop\nendfacet\n";
  }
  const Mesh mesh = format_.read_mesh(file("box.stl", stl + "endsolid box\n"));
  EXPECT_EQ(mesh.vertices.size(0), 8);
  require_closed(mesh, "box");
  EXPECT_EQ(complaint(file("cut.stl", stl)),
            "cut.stl: the file is truncated: its last line, \"endsolid\", is missing" + kAgain);
}

TEST_F(MeshFiles, FilesThatCantBeReadAreNamedWithTheRemedy) {
  EXPECT_EQ(complaint(folder_ / "none.ply"), "none.ply: there is no such file; check the path");
  EXPECT_EQ(complaint(file("a.vtk", "x")),
            "a.vtk: meshes are read and written as .ply, .stl or .obj, not as \".vtk\"; convert the file, for example "
            "with MeshLab");
  fs::create_directories(folder_ / "folder.ply");
  EXPECT_EQ(complaint(folder_ / "folder.ply"), "folder.ply: this is a folder; name a mesh file in it");
  EXPECT_EQ(complaint(file("empty.ply", "")), "empty.ply: the file is empty" + kAgain);
  EXPECT_EQ(complaint(file("junk.ply", "hello\n")),
            "junk.ply: this is no PLY file: its first line is not \"ply\"" + kAgain);
  EXPECT_EQ(complaint(file("junk.stl", "hello\n")),
            "junk.stl: this is no STL file: it has neither \"solid\" nor a binary header of 84 bytes" + kAgain);
  EXPECT_EQ(complaint(file("junk.obj", "hello\n")), "junk.obj: it has no triangles" + kAgain);
  EXPECT_EQ(complaint(file("number.obj", "v 1 2 x\n")),
            "number.obj: line 1: expected a coordinate but found \"x\"" + kAgain);
}

TEST_F(MeshFiles, MalformedContentIsRefusedAndNeverCrashes) {
  EXPECT_EQ(complaint(file("nan.ply", ply("0 0 0\nnan 0 0\n1 1 0\n0 1 0\n", "3 0 1 2\n"))),
            "nan.ply: vertex 1 has a coordinate that is not a finite number" + kAgain);
  EXPECT_EQ(complaint(file("far.ply", ply(kSquare, "4 0 1 2 9999999\n"))),
            "far.ply: a face names vertex 9999999, but the file has 4, counted from 0" + kAgain);
  EXPECT_EQ(complaint(file("minus.ply", ply(kSquare, "3 0 1 -5\n"))),
            "minus.ply: face 0 names vertex -5, which does not exist" + kAgain);
  EXPECT_EQ(complaint(file("line.ply", ply(kSquare, "2 0 1\n"))),
            "line.ply: a face has 2 corners; at least 3 are needed" + kAgain);
  EXPECT_EQ(
      complaint(file("many.ply", ply(kSquare, "3 0 1 2\n", 2'000'000'000))),
      "many.ply: the file is truncated: its header announces 2000000000 elements \"vertex\", but only 32 bytes are "
      "left for them" +
          kAgain);
  EXPECT_EQ(complaint(file("head.ply", "ply\nformat ascii 1.0\n")),
            "head.ply: the file is truncated within its header" + kAgain);
  std::string binary(84, '\0');
  binary[80] = 9;
  EXPECT_EQ(complaint(file("short.stl", binary)),
            "short.stl: the file is truncated: 9 triangles need 534 bytes, but it has 84" + kAgain);
}

TEST_F(MeshFiles, ATruncatedBinaryPlyIsRefusedWhereverItIsCut) {
  format_.write_mesh(solids::box({1, 2, 3}), folder_ / "box.ply");
  const std::string bytes = read_file(folder_ / "box.ply");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(complaint(file("cut.ply", bytes.substr(0, size))), "read without complaint") << size;
}

TEST_F(MeshFiles, WritingWhereNothingCanBeWrittenLeavesNothing) {
  const fs::path target = folder_ / "no" / "where.ply";
  try {
    format_.write_mesh(solids::box({1, 1, 1}), target);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), Error::Cause::failure);
    EXPECT_EQ(std::string(error.what()),
              text("format/open3d: ", target.string(), ": cannot write: No such file or directory"));
  }
}

}  // namespace
}  // namespace osteon
